/*
 * release_put.c - ledger_releases_put: what the releases of a repetition had to do with blocks that
 * were born in it and stay. Runs in the worker, on the thread that runs the tests, at a boundary.
 *
 *   released, newest first:  [queue] --> node --> name      `queue` was the last to point to them
 *   stays:                    node, name                    (HOLDER), by whatever frees queues
 *
 *   stays: [queue] --> released: array                      its member is freed (MEMBER) by ...
 *
 * Words of released blocks are read where these are held back, which keeps addresses unique: a
 * dangling pointer still means what it meant. Memory: 3.5 MiB, and 48 bytes a block, for the time
 * of one call.
 */
#include "harness/ledger/birth.h"
#include "harness/ledger/graph.h"
#include "harness/ledger/ledger.h"
#include "harness/ledger/release.h"
#include "harness/ledger/resource.h"
#include "harness/ledger/site.h"
#include "harness/ledger/trace.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <errno.h>
#include <string.h>

#define STAYS_MOST 65536u /* blocks born in the repetition and alive that are looked at */
#define HITS_ROOM  8192u  /* a power of two */
#define HITS_MOST  6000u
#define STAYS      0x80000000u /* in a node's site: number of one that stays; else of a release */
#define WORDS      512u
#define BLOCK_MOST (1u << 20) /* bytes of a block that are read */

struct hit {
    uint32_t relation, site, born, release, latest;
    int64_t blocks;
};

struct review {
    struct graph graph;
    const uint32_t *sites; /* the named ones */
    uint32_t site_count;
    struct trace_record stays[STAYS_MOST];
    uint32_t holder[STAYS_MOST]; /* 1 + index of the release that let go of it; 0: none known */
    uint32_t queue[STAYS_MOST];
    uint32_t stay_count, queued;
    struct hit hits[HITS_ROOM];
    uint32_t hit_count;
};

static void hit_add(struct review *review, enum wire_relation relation, uint32_t site,
                    const struct release *release)
{
    uint32_t born = release == NULL ? 0 : release->born;
    uint32_t stack = release == NULL ? 0 : release->stack;
    uint32_t at = (site * 0x9e3779b1u ^ born * 0x85ebca6bu ^ stack * 0xc2b2ae35u ^ relation);
    at ^= at >> 15;
    for (;; at++) {
        struct hit *hit = &review->hits[at % HITS_ROOM];
        if (hit->blocks == 0) {
            if (review->hit_count == HITS_MOST) {
                return;
            }
            review->hit_count++;
            *hit = (struct hit){.relation = relation, .site = site, .born = born, .release = stack};
        }
        if (hit->relation == relation && hit->site == site && hit->born == born &&
            hit->release == stack) {
            hit->blocks++;
            hit->latest =
                release != NULL && release->order > hit->latest ? release->order : hit->latest;
            return;
        }
    }
}

static bool is_named(const struct review *review, uint32_t site)
{
    for (uint32_t i = 0; i < review->site_count; i++) {
        if (review->sites[i] == site) {
            return true;
        }
    }
    return false;
}

static void stay_take(void *context, const struct trace_record *record)
{
    struct review *review = context;
    if (record->serial >= release_since() && record->serial != 0 &&
        review->stay_count < STAYS_MOST) {
        review->stays[review->stay_count++] = *record;
    }
}

static void resource_take(void *context, const struct resource *resource)
{
    struct review *review = context;
    if (resource->serial >= release_since() && resource->serial != 0 &&
        is_named(review, resource->site)) {
        hit_add(review, WIRE_RELATION_KEPT, resource->site, NULL);
    }
}

static bool nodes_take(struct review *review)
{
    uint32_t count = release_count();
    if (!graph_init(&review->graph, review->stay_count + count, 0, NULL, 0)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct release *release = release_at(i);
        if (release->start != NULL) {
            graph_add(&review->graph, release->address, release->bytes, i);
        }
    }
    for (uint32_t i = 0; i < review->stay_count; i++) {
        graph_add(&review->graph, review->stays[i].address, review->stays[i].size, STAYS | i);
    }
    if (review->graph.count > 0) {
        graph_sort(&review->graph);
    }
    return true;
}

/* Calls `each` with every block that a word of [address, address + bytes) points into. By a system
 * call: other threads run, and a test may have protected its pages. */
typedef void word_seen(struct review *review, uint32_t to, uint32_t context);
static void words_each(struct review *review, uint64_t address, uint64_t bytes, word_seen *each,
                       uint32_t context)
{
    uint64_t words[WORDS] = {0}, end = address + (bytes < BLOCK_MOST ? bytes : BLOCK_MOST);
    if (review->graph.count == 0) {
        return;
    }
    uint64_t low = review->graph.runs[0].start;
    uint64_t span = review->graph.runs[review->graph.run_count - 1].end - low;
    for (uint64_t at = address; at + 8 <= end; at += sizeof words) {
        struct {
            uint64_t address, bytes;
        } to = {(uint64_t)(uintptr_t)words, (end - at < sizeof words ? end - at : sizeof words)},
          from = {at, to.bytes};
        long got = kernel_call(SYS_process_vm_readv, kernel_pid(), (long)&to, 1, (long)&from, 1, 0);
        if (got <= 0) {
            return;
        }
        for (size_t i = 0; i < (size_t)got / 8; i++) {
            const struct graph_node *node =
                words[i] - low < span ? graph_find(&review->graph, words[i]) : NULL;
            if (node != NULL) {
                each(review, node->site, context);
            }
        }
    }
}

static void hold(struct review *review, uint32_t to, uint32_t holder)
{
    if ((to & STAYS) != 0 && review->holder[to & ~STAYS] == 0) {
        review->holder[to & ~STAYS] = holder;
        review->queue[review->queued++] = to & ~STAYS;
    }
}

/* From the newest release on, so that what it pointed to is its own and no older one's. */
static void holders_find(struct review *review)
{
    uint32_t done = 0;
    for (uint32_t i = release_count(); i > 0; i--) {
        const struct release *release = release_at(i - 1);
        if (release->start == NULL) {
            continue;
        }
        words_each(review, release->address, release->bytes, hold, i);
        for (; done < review->queued; done++) {
            const struct trace_record *stay = &review->stays[review->queue[done]];
            words_each(review, stay->address, stay->size, hold, i);
        }
    }
}

static uint32_t member_newest; /* 1 + index of a release */

static void member_take(struct review *review, uint32_t to, uint32_t context)
{
    (void)review;
    (void)context;
    if ((to & STAYS) == 0 && to + 1 > member_newest) {
        member_newest = to + 1;
    }
}

static void relations_find(struct review *review)
{
    for (uint32_t i = 0; i < review->stay_count; i++) {
        const struct trace_record *stay = &review->stays[i];
        if (!is_named(review, stay->site)) {
            continue;
        }
        hit_add(review, WIRE_RELATION_KEPT, stay->site, NULL);
        if (review->holder[i] != 0) {
            hit_add(review, WIRE_RELATION_HOLDER, stay->site, release_at(review->holder[i] - 1));
        }
        member_newest = 0;
        words_each(review, stay->address, stay->size, member_take, 0);
        if (member_newest != 0) {
            hit_add(review, WIRE_RELATION_MEMBER, stay->site, release_at(member_newest - 1));
        }
    }
    for (uint32_t i = release_count(); i > 0; i--) {
        hit_add(review, WIRE_RELATION_NONE, 0, release_at(i - 1));
    }
}

static void hits_put(struct wire *wire, const struct review *review)
{
    for (uint32_t i = 0; i < HITS_ROOM; i++) {
        const struct hit *hit = &review->hits[i];
        struct wire_release record;
        if (hit->blocks == 0) {
            continue;
        }
        site_frames_put(wire, hit->born);
        site_frames_put(wire, hit->release);
        WIRE_INIT(&record, WIRE_RELEASE);
        record.relation = hit->relation;
        record.site = hit->site;
        record.born = hit->born;
        record.release = hit->release;
        record.latest = hit->latest;
        record.blocks = hit->blocks;
        wire_put(wire, &record);
    }
}

void ledger_releases_set(bool on)
{
    int saved = errno;
    if (on) {
        release_begin();
    } else {
        release_end();
    }
    errno = saved;
}

void ledger_releases_put(struct wire *wire, const uint32_t *sites, uint32_t site_count)
{
    int saved = errno;
    struct review *review = meter_own_map(sizeof *review);
    if (review != NULL) {
        review->sites = sites;
        review->site_count = site_count;
        resource_settle(true);
        trace_each(stay_take, review);
        resource_each(resource_take, review);
        if (nodes_take(review)) {
            holders_find(review);
            relations_find(review);
            graph_fini(&review->graph);
        }
        hits_put(wire, review);
        meter_own_unmap(review, sizeof *review);
    }
    release_drop();
    errno = saved;
}
