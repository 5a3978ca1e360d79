/* growers.c - see growers.h. */
#include "harness/campaign/growers.h"

#include "harness/judge/threshold.h"

#include <stdlib.h>

_Static_assert((int)REPEAT_HEAP == WIRE_SITE_HEAP && (int)REPEAT_MAPPED == WIRE_SITE_MMAP &&
                   (int)REPEAT_FDS == WIRE_SITE_FD && (int)REPEAT_THREADS == WIRE_SITE_THREAD &&
                   (int)REPEAT_FILES == WIRE_SITE_FILE && (int)REPEAT_CHILDREN == WIRE_SITE_CHILD,
               "a sum for each kind of sites");

/* So much more than what it held after the warm-up, or always holds, is at the place now. */
static int64_t carried_by(const struct repeat_place *place, const struct observed *seen)
{
    bool rests = place->answer.shape == SERIES_LEVEL || place->answer.shape == SERIES_STILL;
    int64_t first = place->series.spans[0].floor;
    int64_t always = rests && place->answer.top > first ? place->answer.top : first;
    return seen->sites[place->family].whole.held - always;
}

/* Places of this kind carry what grows as a whole: a buffer that is copied into another function's,
 * blocks that come by another way each time. */
static void carriers_mark(struct repeat *repeat, const struct repeat_ask *ask, uint32_t kind)
{
    double calls = repeat->calls - threshold(WARM_UP);
    for (size_t i = 0; i < repeat->place_count; i++) {
        struct repeat_place *place = &repeat->places[i];
        int64_t carried = carried_by(place, ask->seen);
        if (place->kind != kind || carried <= 0) {
            continue;
        }
        int64_t blocks =
            ask->seen->sites[place->family].whole.held_blocks - place->blocks.spans[0].floor;
        place->carries = true;
        place->carried = carried;
        place->site = observed_largest(ask->seen, place->family);
        place->suppressed = ask->suppressed(ask->self, place->site);
        place->answer.per_call = (double)carried / calls;
        place->bytes_per_call = kind <= WIRE_SITE_MMAP ? (double)(carried - blocks) / calls : 0;
    }
}

/* Kinds that have the wanted shape as a whole, though no place of them grows. */
static void sums_explain(struct repeat *repeat, const struct repeat_ask *ask,
                         enum series_shape wanted)
{
    bool grows[REPEAT_SUMS] = {false};
    for (size_t i = 0; i < repeat->place_count; i++) {
        const struct repeat_place *place = &repeat->places[i];
        grows[place->kind % REPEAT_SUMS] |=
            !place->suppressed && place->answer.shape == SERIES_GROWS;
    }
    for (uint32_t kind = 0; kind < REPEAT_SUMS; kind++) {
        if (!grows[kind] && repeat->sum_answers[kind].shape == wanted) {
            carriers_mark(repeat, ask, kind);
        }
    }
}

static bool is_grower(const struct repeat_place *place)
{
    return place->carries || place->answer.shape == SERIES_GROWS;
}

/* What the test is accused of, or would be, comes first, then what of it is suppressed. */
static int rank_of(const struct repeat_place *place)
{
    bool rises = is_grower(place) || place->answer.per_call > 0;
    return !rises ? 4 : (place->suppressed ? 2 : 0) + !is_grower(place);
}

static int compare_places(const void *a, const void *b)
{
    const struct repeat_place *x = a, *y = b;
    if (rank_of(x) != rank_of(y)) {
        return rank_of(x) - rank_of(y);
    }
    double more = y->answer.per_call - x->answer.per_call;
    return x->carries != y->carries ? x->carries - y->carries
           : more != 0              ? (more > 0) - (more < 0)
                                    : (x->site > y->site) - (x->site < y->site);
}

static void places_sort(struct repeat *repeat)
{
    if (repeat->place_count > 0) {
        qsort(repeat->places, repeat->place_count, sizeof repeat->places[0], compare_places);
    }
}

void growers_conclude(struct repeat *repeat, const struct repeat_ask *ask)
{
    for (size_t i = 0; i < repeat->place_count; i++) {
        struct repeat_place *place = &repeat->places[i];
        if (place->answer.total > 0) {
            bool bytes = place->kind == WIRE_SITE_HEAP || place->kind == WIRE_SITE_MMAP;
            place->site = observed_largest(ask->seen, place->family);
            place->bytes_per_call =
                bytes ? place->answer.per_call - judge_series(&place->blocks).per_call : 0;
        }
    }
    sums_explain(repeat, ask, SERIES_GROWS);
    places_sort(repeat);
    if (repeat_growers(repeat) == 0) {
        sums_explain(repeat, ask, SERIES_OPEN);
        places_sort(repeat);
    }
}

size_t repeat_growers(const struct repeat *repeat)
{
    size_t growing = 0, rose = 0;
    while (growing < repeat->place_count && is_grower(&repeat->places[growing])) {
        growing++;
    }
    while (rose < repeat->place_count && repeat->places[rose].answer.per_call > 0) {
        rose++;
    }
    return growing > 0 ? growing : rose;
}
