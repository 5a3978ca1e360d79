/*
 * repeat_fixture.h - a scripted worker: a function of the number of the call says what each site
 * holds, and the records that a real worker in watch mode would send are made of it. For tests
 * only.
 */
#ifndef CAMPAIGN_REPEAT_FIXTURE_H
#define CAMPAIGN_REPEAT_FIXTURE_H

#include "harness/campaign/growers.h"
#include "harness/campaign/repeat.h"

#include "harness/base/suite.h"

#include <math.h>
#include <string.h>

#define SITES      8    /* numbers 1 to 7 */
#define CALLS      8192 /* of one answer */
#define UNLIMITED  1e18
#define CALL_NS    1000
#define MOST_BYTES 64000000

struct world { /* what the process holds */
    struct {
        int64_t blocks, bytes;
        uint32_t kind, family;
    } sites[SITES];
    struct boundary at; /* besides the heap, which is the sum of the sites */
    uint64_t wall_ns;   /* of a call; 0: as the processor */
    size_t orphans;
};

struct scripted { /* a worker */
    const struct row *row;
    struct observed seen;
    struct world now;
    unsigned calls, asks, scans;
    uint32_t flags;            /* of the last command */
    uint64_t settle_ns[32];    /* of the first commands */
    unsigned ends[32];         /* after which call they end, as they were asked */
    unsigned whole;            /* commands that are to wait for all threads */
    unsigned stop_after;       /* no answer comes after so many; 0: all do */
    struct wire_sample before; /* stands in front of the samples, and is none of them */
    struct wire_sample samples[CALLS + 1], last, last_next;    /* last: of the answer before */
    int64_t blocks[CALLS + 1][SITES], bytes[CALLS + 1][SITES]; /* of the sites there */
    size_t sample_count;
    struct {
        int64_t blocks, bytes, floor_blocks, floor_bytes;
        uint32_t family;
        bool told;
    } told[SITES], told_family[SITES];
};

struct row {
    const char *name;
    void (*call)(struct world *world, unsigned call);
    void (*earlier)(struct world *world, unsigned call); /* another test before it; or NULL */
    struct repeat_limits limits; /* zeros: without limits, for 4 calls at least */
    enum calls_verdict verdict;
    unsigned calls;
    size_t growers;
    uint32_t site;   /* of the first place; 0: there is none */
    double per_call; /* of the first place; bytes if it is of heap or mappings */
    bool lost;
    uint32_t unreachable, suppressed; /* bits of sites */
    unsigned fails, ends;             /* the call at which it fails, or the worker ends */
    bool ran;                         /* before it ended it said so */
    unsigned cost_ns;
    uint64_t settles_ns;             /* of each answer; the last block is gone then, but for: */
    int64_t late_blocks, late_bytes; /* what comes then instead, if one of them is not 0 */
    bool unseen;                     /* there is no boundary after the wait */
    bool silent;                     /* there is no boundary at all */
    uint64_t whole_ns;            /* of the answer that waits for all threads; then all is gone */
    bool whole_fails, whole_ends; /* the test fails, or the worker ends, in that call */
};

static inline void heap_add(struct world *world, uint32_t site, int64_t blocks, int64_t bytes)
{
    world->sites[site].blocks += blocks;
    world->sites[site].bytes += bytes;
}

static inline void sample_add(struct scripted *worker, unsigned repetition)
{
    size_t at = worker->sample_count++;
    struct wire_sample *sample = &worker->samples[at];
    WIRE_INIT(sample, WIRE_SAMPLE);
    sample->repetition = repetition;
    sample->boundaries = 1;
    for (int i = 1; i < SITES; i++) {
        bool heap = worker->now.sites[i].kind == WIRE_SITE_HEAP;
        worker->blocks[at][i] = worker->now.sites[i].blocks;
        worker->bytes[at][i] = worker->now.sites[i].bytes;
        sample->live_blocks += heap ? worker->now.sites[i].blocks : 0;
        sample->live_bytes += heap ? worker->now.sites[i].bytes : 0;
    }
    sample->live_bytes += worker->now.at.live_bytes; /* of no site */
    sample->mappings = worker->now.at.mappings;
    sample->mapped_bytes = worker->now.at.mapped_bytes;
    sample->fds = worker->now.at.fds;
    sample->threads = worker->now.at.threads;
    sample->files = worker->now.at.files;
    sample->children = worker->now.at.children;
    sample->wall_ns = worker->now.wall_ns ? worker->now.wall_ns : CALL_NS;
}

static inline uint32_t root_of(const struct world *world, uint32_t site)
{
    while (world->sites[site].family != 0 && world->sites[site].family != site) {
        site = world->sites[site].family;
    }
    return site;
}

/* What each site or family held least at the boundaries of an answer, and holds now. Families are
 * those of its end. */
struct held {
    int64_t blocks[SITES], bytes[SITES], floor_blocks[SITES], floor_bytes[SITES];
};

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline struct held held_make(const struct scripted *worker, bool families)
{
    struct held held;
    for (size_t i = 0; i < worker->sample_count; i++) {
        memset(held.blocks, 0, sizeof held.blocks);
        memset(held.bytes, 0, sizeof held.bytes);
        for (uint32_t site = 1; site < SITES; site++) {
            uint32_t at = families ? root_of(&worker->now, site) : site;
            held.blocks[at] += worker->blocks[i][site];
            held.bytes[at] += worker->bytes[i][site];
        }
        for (uint32_t site = 1; site < SITES; site++) {
            held.floor_blocks[site] =
                i == 0 ? held.blocks[site] : least(held.floor_blocks[site], held.blocks[site]);
            held.floor_bytes[site] =
                i == 0 ? held.bytes[site] : least(held.floor_bytes[site], held.bytes[site]);
        }
    }
    return held;
}

static inline void sites_send(struct scripted *worker)
{
    const struct held held = held_make(worker, false);
    for (uint32_t i = 1; i < SITES; i++) {
        uint32_t family = root_of(&worker->now, i);
        int64_t blocks = held.blocks[i], bytes = held.bytes[i];
        bool same = worker->told[i].blocks == blocks && worker->told[i].bytes == bytes &&
                    worker->told[i].floor_blocks == held.floor_blocks[i] &&
                    worker->told[i].floor_bytes == held.floor_bytes[i] &&
                    (worker->told[i].family == family || !worker->told[i].told);
        if (same) {
            continue;
        }
        struct wire_site record;
        WIRE_INIT(&record, WIRE_SITE);
        record.site = i;
        record.kind = worker->now.sites[i].kind;
        record.live_blocks = worker->told[i].blocks = blocks;
        record.live_bytes = worker->told[i].bytes = bytes;
        record.floor_blocks = worker->told[i].floor_blocks = held.floor_blocks[i];
        record.floor_bytes = worker->told[i].floor_bytes = held.floor_bytes[i];
        record.family = worker->told[i].family = family;
        record.frame_count = worker->told[i].told ? 0 : 1;
        record.frames[0] = 0x1000 * i;
        worker->told[i].told = true;
        ck_assert(observed_take(&worker->seen, &record.head));
    }
}

static inline void families_send(struct scripted *worker)
{
    const struct held held = held_make(worker, true);
    for (uint32_t i = 1; i < SITES; i++) {
        bool joined = false;
        for (uint32_t k = i + 1; k < SITES; k++) {
            joined = joined || root_of(&worker->now, k) == i;
        }
        bool same = worker->told_family[i].told &&
                    worker->told_family[i].blocks == held.blocks[i] &&
                    worker->told_family[i].bytes == held.bytes[i] &&
                    worker->told_family[i].floor_blocks == held.floor_blocks[i] &&
                    worker->told_family[i].floor_bytes == held.floor_bytes[i];
        if (!joined || same) {
            continue;
        }
        struct wire_family record;
        WIRE_INIT(&record, WIRE_FAMILY);
        record.family = i;
        record.kind = worker->now.sites[i].kind;
        record.live_blocks = worker->told_family[i].blocks = held.blocks[i];
        record.live_bytes = worker->told_family[i].bytes = held.bytes[i];
        record.floor_blocks = worker->told_family[i].floor_blocks = held.floor_blocks[i];
        record.floor_bytes = worker->told_family[i].floor_bytes = held.floor_bytes[i];
        worker->told_family[i].told = true;
        ck_assert(observed_take(&worker->seen, &record.head));
    }
}

/* As the worker does: no call follows one whose boundary differs from the last one before. */
static inline bool sample_stops(struct scripted *worker, uint32_t flags)
{
    const struct wire_sample *now = &worker->samples[worker->sample_count - 1];
    bool moved = worker->last.live_blocks != now->live_blocks ||
                 worker->last.live_bytes != now->live_bytes || worker->last.fds != now->fds ||
                 worker->last.threads != now->threads || worker->last.files != now->files ||
                 worker->last.children != now->children || worker->last.mappings != now->mappings ||
                 worker->last.mapped_bytes != now->mapped_bytes;
    worker->last_next = *now;
    return moved && (flags & WIRE_STOP_ON_MOVE) != 0;
}

/* As the worker does: boundaries in a row that are alike are one sample. */
static inline size_t samples_join(struct wire_sample *samples, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct wire_sample now = samples[i], *last = kept > 0 ? &samples[kept - 1] : NULL;
        if (last != NULL) { /* all but what differs anyway */
            now.repetition = last->repetition;
            now.wall_ns = last->wall_ns;
            now.boundaries = last->boundaries;
        }
        if (last != NULL && memcmp(&now, last, sizeof now) == 0) {
            last->repetition = samples[i].repetition;
            last->wall_ns += samples[i].wall_ns;
            last->boundaries++;
        } else {
            samples[kept++] = samples[i];
        }
    }
    return kept;
}

static inline struct answer scripted_ask(void *self, const struct wire_command *command)
{
    struct scripted *worker = self;
    const struct row *row = worker->row;
    ck_assert_uint_eq(command->op, WIRE_OP_RUN);
    ck_assert_uint_eq(command->depth, WIRE_TRACE);
    ck_assert_uint_eq(command->flags & (WIRE_WATCH | WIRE_STOP_ON_FAIL),
                      WIRE_WATCH | WIRE_STOP_ON_FAIL);
    bool whole = (command->flags & WIRE_SETTLE_WHOLE) != 0;
    ck_assert_uint_eq(command->flags &
                          ~(WIRE_WATCH | WIRE_STOP_ON_FAIL | WIRE_PEAK_RSS | WIRE_NO_RETAINED |
                            WIRE_STOP_ON_MOVE | WIRE_SETTLE_WHOLE | WIRE_NO_FLOORS),
                      0);
    if (worker->asks < 32) {
        worker->settle_ns[worker->asks] = command->settle_ns;
        worker->ends[worker->asks] = worker->calls + command->warmups + command->repetitions;
    }
    worker->whole += whole;
    worker->asks++;
    worker->flags = command->flags;
    worker->sample_count = 0;
    struct answer answer = {.event = WORKER_DONE, .ran = true, .samples = worker->samples};
    WIRE_INIT(&answer.test, WIRE_TEST);
    answer.test.allocs = worker->calls;
    if (worker->asks == worker->stop_after) {
        answer.event = WORKER_HUNG;
        answer.ran = false;
        return answer;
    }
    unsigned calls = command->warmups + command->repetitions, made = 0;
    worker->last = worker->last_next;
    for (unsigned i = 0; i < calls; i++) {
        worker->calls++;
        if (worker->calls == row->ends) {
            answer.event = WORKER_GONE;
            answer.ran = row->ran;
            return answer;
        }
        if (worker->calls == row->fails) {
            answer.test.status = WIRE_FAIL;
            answer.test.passed_before = i;
            break;
        }
        row->call(&worker->now, worker->calls);
        if (i >= command->warmups) { /* of those before nothing is known */
            sample_add(worker, i - command->warmups);
            made++;
            answer.test.cpu_ns += row->cost_ns ? row->cost_ns : CALL_NS;
            if (sample_stops(worker, command->flags)) {
                break;
            }
        }
    }
    bool late = row->late_blocks != 0 || row->late_bytes != 0;
    if (whole) {
        answer.test.settled_ns = row->whole_ns;
        answer.test.status = row->whole_fails ? WIRE_FAIL : WIRE_PASS;
        answer.event = row->whole_ends ? WORKER_GONE : WORKER_DONE;
        if (row->whole_ns > 0) {
            worker->now.sites[1].blocks = worker->now.sites[1].bytes = 0;
            sample_add(worker, command->repetitions);
        }
    } else if (row->settles_ns > 0) {
        answer.test.settled_ns = row->settles_ns;
        heap_add(&worker->now, 1, late ? row->late_blocks : -1, late ? row->late_bytes : -32);
        if (!row->unseen) {
            sample_add(worker, command->repetitions);
        }
    }
    worker->sample_count = row->silent ? 0 : worker->sample_count;
    memset(&worker->before, 0x7f, sizeof worker->before);
    if (worker->sample_count > 0) {
        sites_send(worker);
        families_send(worker);
    }
    if (row->settles_ns > 0 && !whole) { /* and comes back */
        heap_add(&worker->now, 1, late ? -row->late_blocks : 1, late ? -row->late_bytes : 32);
    }
    answer.test.repetitions = row->silent ? 0 : made;
    answer.sample_count = samples_join(worker->samples, worker->sample_count);
    answer.orphans = worker->now.orphans;
    return answer;
}

static inline bool scripted_lost(void *self, uint32_t site)
{
    struct scripted *worker = self;
    worker->scans++;
    return (worker->row->unreachable >> site & 1) != 0;
}

static inline bool scripted_suppressed(void *self, uint32_t site)
{
    return (((struct scripted *)self)->row->suppressed >> site & 1) != 0;
}

static inline void scripted_begin(struct scripted *worker)
{
    *worker = (struct scripted){0};
    observed_init(&worker->seen);
    observed_worker_begins(&worker->seen);
}

static inline void scripted_run(struct scripted *worker, struct repeat *repeat,
                                const struct row *row)
{
    struct repeat_ask ask = {.self = worker,
                             .ask = scripted_ask,
                             .lost = scripted_lost,
                             .suppressed = scripted_suppressed,
                             .seen = &worker->seen};
    struct repeat_limits limits = row->limits;
    limits.least = limits.least ? limits.least : 4;
    limits.most = limits.most ? limits.most : 16384;
    limits.still_ns = limits.still_ns > 0 ? limits.still_ns : UNLIMITED;
    limits.moved_ns = limits.moved_ns > 0 ? limits.moved_ns : UNLIMITED;
    limits.bytes = limits.bytes ? limits.bytes : MOST_BYTES;
    limits.units = limits.units ? limits.units : 256;
    if (row->earlier) {
        struct repeat_limits few = limits;
        const struct row before = {.call = row->earlier};
        few.most = 8;
        worker->row = &before;
        repeat_run(repeat, &ask, 4, &few);
        repeat_fini(repeat);
    }
    worker->row = row;
    worker->calls = worker->asks = worker->scans = 0;
    repeat_run(repeat, &ask, 5, &limits);
}

static inline void nothing(struct world *world, unsigned call)
{
    (void)world, (void)call;
}

static inline void leak(struct world *world, unsigned call)
{
    (void)call;
    heap_add(world, 1, 1, 32);
}

static inline void leak_sometimes(struct world *world, unsigned call)
{
    heap_add(world, 1, call % 50 == 0, call % 50 == 0 ? 100 : 0);
}

static inline void toggle(struct world *world, unsigned call)
{
    heap_add(world, 1, call % 2 ? 1 : -1, call % 2 ? 64 : -64);
}

static inline void flood(struct world *world, unsigned call)
{
    (void)call;
    heap_add(world, 1, 1000, 16000);
}

static inline void descriptors(struct world *world, unsigned call)
{
    (void)call;
    world->at.fds += 2;
    world->sites[6].kind = WIRE_SITE_FD;
    heap_add(world, 6, 2, 0);
}

/* Each row comes to its verdict. */
static inline void rows_check(const struct row *rows, size_t count)
{
    static struct scripted worker;
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        struct repeat repeat;
        scripted_begin(&worker);
        scripted_run(&worker, &repeat, row);
        const struct repeat_place *first = repeat.place_count ? &repeat.places[0] : NULL;
        bool bytes = first && (first->kind == WIRE_SITE_HEAP || first->kind == WIRE_SITE_MMAP);
        double rate = !first ? 0 : bytes ? first->bytes_per_call : first->answer.per_call;
        ck_assert_msg(repeat.verdict == row->verdict && repeat.calls == row->calls,
                      "%s: verdict %d after %u calls", row->name, repeat.verdict, repeat.calls);
        ck_assert_msg(repeat_growers(&repeat) == row->growers, "%s: %zu grow", row->name,
                      repeat_growers(&repeat));
        ck_assert_msg(fabs(rate - row->per_call) < 1e-9, "%s: %g per call", row->name, rate);
        ck_assert(!first || bytes || first->bytes_per_call <= 0);
        ck_assert_msg(first ? first->site == row->site || first->answer.total == 0 : row->site == 0,
                      "%s: site %u", row->name, first ? first->site : 0);
        ck_assert_msg(repeat.lost == row->lost, "%s: lost", row->name);
        repeat_fini(&repeat);
        observed_fini(&worker.seen);
    }
}

#endif
