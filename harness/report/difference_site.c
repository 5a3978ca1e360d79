/* difference_site.c - see difference_site.h. A site is the same when its stack of functions and
 * file names is: lines move with every edit, folders with every checkout. Supervisor only. */
#include "harness/report/difference_site.h"
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/report/describe.h"
#include "harness/report/difference_birth.h"
#include "harness/report/location.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SITES_SHOWN 5
#define SITES_TOLD  5 /* the hunt tells of so many of a test: behind them may be others */

static bool stack_same(const struct result_site *a, const struct result_site *b)
{
    return strcmp(a->kind, b->kind) == 0 &&
           difference_stack_same(a->frames, a->frame_count, b->frames, b->frame_count);
}

static bool accused(const struct result_site *site)
{
    return !site->suppressed &&
           (site->verdict == VERDICT_LEAK || site->verdict == VERDICT_GROWTH) &&
           describe_place(site->frames, site->frame_count);
}

/* By its innermost place in the source alone: callers are renamed and inlined. */
static bool place_known(const struct result *result, const struct result_test *test,
                        const struct result_frame *like)
{
    const struct result_site *site;
    size_t next = 0, told = 0;
    while ((site = describe_site_next(result, test->id, test->variant, &next))) {
        const struct result_frame *place = describe_place(site->frames, site->frame_count);
        if (place && strcmp(place->function, like->function) == 0 &&
            strcmp(location_name(place->file), location_name(like->file)) == 0) {
            return true;
        }
        told++;
    }
    return told == 0 || told >= SITES_TOLD;
}

const struct result_frame *difference_place_new(const struct result *base_result,
                                                const struct result_test *base,
                                                const struct result *head_result,
                                                const struct result_test *head)
{
    const struct result_site *site;
    size_t next = 0;
    while (base_result->sites_hidden == 0 &&
           (site = describe_site_next(head_result, head->id, head->variant, &next))) {
        const struct result_frame *place = describe_place(site->frames, site->frame_count);
        if (accused(site) && !place_known(base_result, base, place)) {
            return place;
        }
    }
    return NULL;
}

struct site_change {
    const struct result_site *site; /* the head's, or the base's where it is gone */
    int64_t blocks, bytes;
};

static int change_compare(const void *left, const void *right)
{
    const struct site_change *a = left, *b = right;
    int64_t x = llabs(a->bytes), y = llabs(b->bytes);
    return x < y ? 1 : x > y ? -1 : 0;
}

struct changes {
    struct site_change *items;
    size_t count, room;
};

static void change_add(struct changes *changes, const struct result_site *site, int64_t blocks,
                       int64_t bytes)
{
    if (blocks == 0 && bytes == 0) {
        return;
    }
    memory_grow(&changes->items, &changes->room, changes->count + 1, sizeof changes->items[0]);
    changes->items[changes->count++] = (struct site_change){site, blocks, bytes};
}

/* The site of `result` and `test` with the same stack, or NULL. */
static const struct result_site *site_like(const struct result *result,
                                           const struct result_test *test,
                                           const struct result_site *like)
{
    const struct result_site *site;
    size_t next = 0;
    while (test && (site = describe_site_next(result, test->id, test->variant, &next))) {
        if (stack_same(site, like)) {
            return site;
        }
    }
    return NULL;
}

void difference_sites(struct text *text, const struct result *base_result,
                      const struct result_test *base, const struct result *head_result,
                      const struct result_test *head, const struct result_frame **top)
{
    struct changes changes = {0};
    const struct result_site *site;
    size_t next = 0;
    while ((site = describe_site_next(head_result, head->id, head->variant, &next))) {
        const struct result_site *old = site_like(base_result, base, site);
        change_add(&changes, site, site->blocks - (old ? old->blocks : 0),
                   site->bytes - (old ? old->bytes : 0));
    }
    next = 0;
    while (base && (site = describe_site_next(base_result, base->id, base->variant, &next))) {
        if (!site_like(head_result, head, site)) {
            change_add(&changes, site, -site->blocks, -site->bytes);
        }
    }
    if (changes.count > 1) {
        qsort(changes.items, changes.count, sizeof changes.items[0], change_compare);
    }
    for (size_t i = 0; i < changes.count && i < SITES_SHOWN; i++) {
        const struct site_change *change = &changes.items[i];
        const struct result_frame *place =
            describe_place(change->site->frames, change->site->frame_count);
        char blocks[UNIT_TEXT_BYTES], bytes[UNIT_TEXT_BYTES];
        text_format(text, "%s%s block%s, %s%s in ", change->blocks > 0 ? "+" : "",
                    unit_count(blocks, (double)change->blocks),
                    llabs(change->blocks) == 1 ? "" : "s", change->bytes > 0 ? "+" : "",
                    unit_bytes(bytes, (double)change->bytes));
        if (place) {
            if (top && i == 0) {
                *top = place;
            }
            describe_frame(text, place);
        } else {
            text_put(text, "an unknown place");
        }
        text_put_char(text, '\n');
    }
    if (changes.count > SITES_SHOWN) {
        text_format(text, "and %zu more sites\n", changes.count - SITES_SHOWN);
    }
    free(changes.items);
}
