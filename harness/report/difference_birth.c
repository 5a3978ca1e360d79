/*
 * difference_birth.c - see difference_birth.h. Supervisor only.
 *
 * Lines move with every edit, so a call site is found again by its stack of functions and files.
 * Where a function allocates at several lines, these are aligned in their order, so that as few
 * allocations as possible have changed and the lines have moved as little as possible: with lines
 * 80 and 85 before, and 81, 86 and 89 now, 89 is the new one. What is left over may be the same
 * under a caller of another name, and cancels out where its place and its numbers are the same.
 */
#include "harness/report/difference_birth.h"
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/report/describe.h"
#include "harness/report/location.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN       5
#define CALLERS     2         /* that are told of behind the place */
#define ALIGNED_MAX 128       /* lines of one stack of functions; beyond it, they must be equal */
#define BLOCK_COST  100000000 /* one allocation that changed weighs more than any move of lines */

struct point {
    const struct result_site *birth;
    const struct result_frame *place;
    int64_t blocks, bytes; /* of the base negative */
};

struct points {
    struct point *items;
    size_t count, room;
};

/* Order of two frames without their lines. */
static int frame_compare(const struct result_frame *a, const struct result_frame *b)
{
    if (!a->function[0] || !b->function[0]) {
        int order = strcmp(a->function, b->function);
        return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
    }
    int order = strcmp(a->function, b->function);
    return order ? order : strcmp(location_name(a->file), location_name(b->file));
}

static int stack_compare(const struct result_frame *a, size_t a_count, const struct result_frame *b,
                         size_t b_count)
{
    if (a_count != b_count) {
        return a_count < b_count ? -1 : 1;
    }
    for (size_t i = 0; i < a_count; i++) {
        int order = frame_compare(&a[i], &b[i]);
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

bool difference_stack_same(const struct result_frame *a, size_t a_count,
                           const struct result_frame *b, size_t b_count)
{
    return stack_compare(a, a_count, b, b_count) == 0;
}

static int point_stacks(const struct point *a, const struct point *b)
{
    return stack_compare(a->birth->frames, a->birth->frame_count, b->birth->frames,
                         b->birth->frame_count);
}

static int point_compare(const void *left, const void *right)
{
    const struct point *a = left, *b = right;
    int order = point_stacks(a, b);
    return order ? order : (a->place->line > b->place->line) - (a->place->line < b->place->line);
}

static int changed_compare(const void *left, const void *right)
{
    const struct point *a = left, *b = right;
    int64_t x = llabs(a->blocks), y = llabs(b->blocks);
    if (x != y) {
        return x < y ? 1 : -1;
    }
    int order = frame_compare(a->place, b->place);
    return order ? order : (a->place->line > b->place->line) - (a->place->line < b->place->line);
}

static void point_add(struct points *points, struct point point)
{
    memory_grow(&points->items, &points->room, points->count + 1, sizeof points->items[0]);
    points->items[points->count++] = point;
}

static size_t births_bisect(const struct result *result, const struct result_test *test)
{
    size_t low = 0, high = result->birth_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(result->births[middle].test, test->id);
        order = order ? order : strcmp(result->births[middle].variant, test->variant);
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The births of a test in order, those of the same stack and line as one. */
static void points_take(struct points *points, const struct wrappers *wrappers,
                        const struct result *result, const struct result_test *test)
{
    for (size_t i = births_bisect(result, test); i < result->birth_count; i++) {
        const struct result_site *birth = &result->births[i];
        if (strcmp(birth->test, test->id) != 0 || strcmp(birth->variant, test->variant) != 0) {
            break;
        }
        const struct result_frame *place =
            wrappers_place(wrappers, test->file, birth->frames, birth->frame_count);
        if (place) {
            point_add(points, (struct point){birth, place, birth->blocks, birth->bytes});
        }
    }
    size_t kept = 0;
    if (points->count > 1) {
        qsort(points->items, points->count, sizeof points->items[0], point_compare);
    }
    for (size_t i = 1; i < points->count; i++) {
        if (point_compare(&points->items[kept], &points->items[i]) == 0) {
            points->items[kept].blocks += points->items[i].blocks;
            points->items[kept].bytes += points->items[i].bytes;
        } else {
            points->items[++kept] = points->items[i];
        }
    }
    points->count = points->count ? kept + 1 : 0;
}

static void changed_add(struct points *changed, const struct point *base, const struct point *head)
{
    static const struct point nothing;
    const struct point *before = base ? base : &nothing, *after = head ? head : &nothing;
    struct point change = head ? *after : *before;
    change.blocks = after->blocks - before->blocks;
    change.bytes = after->bytes - before->bytes;
    if (change.blocks != 0 || change.bytes != 0) {
        point_add(changed, change);
    }
}

static int64_t match_cost(const struct point *a, const struct point *b)
{
    return llabs(a->blocks - b->blocks) * BLOCK_COST +
           llabs((int64_t)a->place->line - (int64_t)b->place->line);
}

/* Aligns the lines of one stack: the cheapest way through the table of both. */
static void lines_align(struct points *changed, const struct point *base, size_t base_count,
                        const struct point *head, size_t head_count)
{
    size_t wide = head_count + 1;
    int64_t *cost = memory_new((base_count + 1) * wide, sizeof *cost);
    for (size_t i = base_count + 1; i-- > 0;) { /* from behind: of what is still to come */
        for (size_t j = head_count + 1; j-- > 0;) {
            int64_t *least = &cost[i * wide + j];
            *least = i == base_count && j == head_count ? 0 : INT64_MAX;
            if (i < base_count) {
                *least = cost[(i + 1) * wide + j] + base[i].blocks * BLOCK_COST;
            }
            if (j < head_count && cost[i * wide + j + 1] + head[j].blocks * BLOCK_COST < *least) {
                *least = cost[i * wide + j + 1] + head[j].blocks * BLOCK_COST;
            }
            if (i < base_count && j < head_count &&
                cost[(i + 1) * wide + j + 1] + match_cost(&base[i], &head[j]) <= *least) {
                *least = cost[(i + 1) * wide + j + 1] + match_cost(&base[i], &head[j]);
            }
        }
    }
    for (size_t i = 0, j = 0; i < base_count || j < head_count;) {
        int64_t now = cost[i * wide + j];
        if (i < base_count && j < head_count &&
            now == cost[(i + 1) * wide + j + 1] + match_cost(&base[i], &head[j])) {
            changed_add(changed, &base[i++], &head[j++]);
        } else if (i < base_count &&
                   now == cost[(i + 1) * wide + j] + base[i].blocks * BLOCK_COST) {
            changed_add(changed, &base[i++], NULL);
        } else {
            changed_add(changed, NULL, &head[j++]);
        }
    }
    free(cost);
}

static size_t stack_end(const struct points *points, size_t from)
{
    size_t end = from;
    while (end < points->count && point_stacks(&points->items[from], &points->items[end]) == 0) {
        end++;
    }
    return end;
}

static void points_compare(struct points *changed, const struct points *base,
                           const struct points *head)
{
    for (size_t i = 0, j = 0; i < base->count || j < head->count;) {
        int order = i == base->count   ? 1
                    : j == head->count ? -1
                                       : point_stacks(&base->items[i], &head->items[j]);
        size_t i_end = order <= 0 ? stack_end(base, i) : i;
        size_t j_end = order >= 0 ? stack_end(head, j) : j;
        if (i_end - i <= ALIGNED_MAX && j_end - j <= ALIGNED_MAX) {
            lines_align(changed, &base->items[i], i_end - i, &head->items[j], j_end - j);
        } else {
            for (size_t k = 0; k < i_end - i || k < j_end - j; k++) {
                changed_add(changed, k < i_end - i ? &base->items[i + k] : NULL,
                            k < j_end - j ? &head->items[j + k] : NULL);
            }
        }
        i = i_end;
        j = j_end;
    }
}

/* The same place with the same numbers under callers of other names. */
static void renamed_cancel(struct points *changed)
{
    for (size_t i = 0; i < changed->count; i++) {
        struct point *a = &changed->items[i];
        for (size_t j = i + 1; j < changed->count && (a->blocks || a->bytes); j++) {
            struct point *b = &changed->items[j];
            if (a->blocks == -b->blocks && a->bytes == -b->bytes &&
                frame_compare(a->place, b->place) == 0) {
                a->blocks = a->bytes = b->blocks = b->bytes = 0;
            }
        }
    }
}

static int place_compare(const void *left, const void *right)
{
    const struct point *a = left, *b = right;
    int order = frame_compare(a->place, b->place);
    return order ? order : (a->place->line > b->place->line) - (a->place->line < b->place->line);
}

/* What several stacks say of one line, as one. */
static void places_join(struct points *changed)
{
    size_t kept = 0;
    if (changed->count > 1) {
        qsort(changed->items, changed->count, sizeof changed->items[0], place_compare);
    }
    for (size_t i = 0; i < changed->count; i++) {
        struct point *last = kept > 0 ? &changed->items[kept - 1] : NULL;
        if (last && place_compare(last, &changed->items[i]) == 0) {
            last->blocks += changed->items[i].blocks;
            last->bytes += changed->items[i].bytes;
        } else {
            changed->items[kept++] = changed->items[i];
        }
        last = &changed->items[kept - 1];
        bool over = i + 1 == changed->count || place_compare(last, &changed->items[i + 1]) != 0;
        kept -= over && last->blocks == 0 && last->bytes == 0;
    }
    changed->count = kept;
}

static bool system_frame(const struct result_frame *frame)
{
    return strncmp(frame->module, "/lib", 4) == 0 || strncmp(frame->module, "/usr/lib", 8) == 0;
}

/* What went has no line in the head: then any of the function's. */
static bool point_varies(const struct point *change, const struct points *varied)
{
    for (size_t i = 0; i < varied->count; i++) {
        if (place_compare(change, &varied->items[i]) == 0 ||
            (change->blocks < 0 && frame_compare(change->place, varied->items[i].place) == 0)) {
            return true;
        }
    }
    return false;
}

static void change_put(struct text *text, const struct point *change, bool unstable)
{
    char blocks[UNIT_TEXT_BYTES], bytes[UNIT_TEXT_BYTES];
    if (change->blocks != 0) {
        text_format(text, "%s%s allocation%s in ", change->blocks > 0 ? "+" : "",
                    unit_count(blocks, (double)change->blocks),
                    llabs(change->blocks) == 1 ? "" : "s");
    } else {
        text_format(text, "%s%s in as many allocations in ", change->bytes > 0 ? "+" : "",
                    unit_bytes(bytes, (double)change->bytes));
    }
    struct result_frame place = *change->place; /* borrows */
    place.file = (char *)location_relative(place.file);
    describe_frame(text, &place);
    if (change->place > change->birth->frames && change->place[-1].function[0] &&
        change->place[-1].file[0] && !system_frame(&change->place[-1])) {
        text_format(text, ", through %s", change->place[-1].function);
    }
    const struct result_frame *end = change->birth->frames + change->birth->frame_count;
    for (const struct result_frame *frame = change->place + 1; frame < end; frame++) {
        if (frame > change->place + CALLERS || !frame->file[0] ||
            strcmp(frame->function, "main") == 0) {
            break;
        }
        text_format(text, "%s%s", frame == change->place + 1 ? ", from " : ", ", frame->function);
    }
    text_put(text, unstable ? " [unstable]\n" : "\n");
}

bool difference_births(struct text *text, const struct wrappers *wrappers,
                       const struct result *base_result, const struct result_test *base,
                       const struct result *head_result, const struct result_test *head,
                       const struct result *again_result, const struct result_test *again,
                       const struct result_frame **top)
{
    struct points before = {0}, after = {0}, second = {0}, changed = {0}, varied = {0};
    points_take(&before, wrappers, base_result, base);
    points_take(&after, wrappers, head_result, head);
    bool known = (before.count > 0 || base->allocs == 0) && (after.count > 0 || head->allocs == 0);
    if (known && again) {
        points_take(&second, wrappers, again_result, again);
        points_compare(&varied, &after, &second);
        places_join(&varied);
    }
    if (known) {
        points_compare(&changed, &before, &after);
        renamed_cancel(&changed);
        places_join(&changed);
        if (changed.count > 1) {
            qsort(changed.items, changed.count, sizeof changed.items[0], changed_compare);
        }
        for (size_t i = 0; i < changed.count && i < SHOWN; i++) {
            change_put(text, &changed.items[i], point_varies(&changed.items[i], &varied));
        }
        if (top && changed.count > 0) {
            *top = changed.items[0].place;
        }
        if (changed.count > SHOWN) {
            text_format(text, "and %zu more call sites\n", changed.count - SHOWN);
        }
    }
    free(before.items);
    free(after.items);
    free(second.items);
    free(varied.items);
    free(changed.items);
    return known;
}
