/* suite_sites.c - see suite_sites.h. */
#include "harness/campaign/suite_sites.h"

#include "harness/base/memory.h"
#include "harness/campaign/phase.h"
#include "harness/campaign/place_judge.h"
#include "harness/result/result_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct shown { /* a place, and the site of the last pass that stands for it */
    const struct place *place;
    struct place_event end;
    bool further; /* the same tests touch a place that holds more */
    uint32_t site;
    int64_t site_worth;
};

static int compare_shown(const void *a, const void *b)
{
    const struct shown *x = a, *y = b;
    int64_t more =
        observed_worth(y->end.blocks, y->end.bytes) - observed_worth(x->end.blocks, x->end.bytes);
    if (x->further != y->further) {
        return x->further ? 1 : -1;
    }
    return more > 0 ? 1 : more < 0 ? -1 : (x->place->key > y->place->key) ? 1 : -1;
}

/* A cache has a place for its entries and one for what they hold, which the same tests touch: of
 * these the largest comes first, so that several things that accumulate are seen beside each other.
 */
static void further_mark(struct shown *shown, size_t count, size_t test_count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t k = 0; k < i && !shown[i].further; k++) {
            shown[i].further =
                !shown[k].further &&
                memcmp(shown[i].place->touched, shown[k].place->touched, test_count / 8 + 1) == 0;
        }
    }
}

/* The shown places with what they hold; how many. The caller frees *shown. */
static size_t shown_list(const struct places *places, struct shown **shown)
{
    size_t count = 0;
    *shown = memory_new(places->count + 1, sizeof **shown);
    for (size_t i = 0; i < places->count; i++) {
        if (places->all[i].shown) {
            (*shown)[count++] =
                (struct shown){.place = &places->all[i], .end = place_end(places, &places->all[i])};
        }
    }
    qsort(*shown, count, sizeof **shown, compare_shown);
    further_mark(*shown, count, places->test_count);
    qsort(*shown, count, sizeof **shown, compare_shown);
    return count;
}

void suite_sites_write(struct session *traced, const struct places *places)
{
    struct shown *shown;
    size_t count = shown_list(places, &shown);
    uint32_t numbers[SESSION_SITES_SHOWN] = {0}, asked = 0;
    double whole = 0;
    for (size_t i = 0; i < traced->seen.site_count; i++) {
        const struct observed_site *site = observed_site(&traced->seen, (uint32_t)i);
        const struct place *place =
            site ? places_find_shown(places, &traced->seen, (uint32_t)i) : NULL;
        for (size_t k = 0; place && k < count; k++) {
            int64_t worth = observed_worth(site->blocks, site->bytes);
            if (shown[k].place == place && worth > shown[k].site_worth) {
                shown[k].site = (uint32_t)i;
                shown[k].site_worth = worth;
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        whole += (double)shown[i].end.bytes;
        if (asked < SESSION_SITES_SHOWN && shown[i].site_worth > 0) {
            numbers[asked++] = shown[i].site;
        }
    }
    session_scan(traced, numbers, asked);
    unsigned rank = 0;
    for (size_t i = 0; i < count && rank < SESSION_SITES_SHOWN; i++) {
        const struct observed_site *seen = observed_site(&traced->seen, shown[i].site);
        if (shown[i].site_worth <= 0 || !seen) {
            continue;
        }
        struct result_site *site = session_site_add(traced, "", seen, ++rank, whole);
        site->verdict = shown[i].place->verdict;
        site->bytes = shown[i].end.bytes;
        site->blocks = shown[i].end.blocks;
        site->share = whole > 0 ? (double)site->bytes / whole : NAN;
        if (traced->options->writer) {
            result_write_site(traced->options->writer, site);
        }
    }
    traced->result->sites_hidden += count - rank;
    free(shown);
}

void suite_sites_ask(struct session *session, const struct places *places)
{
    struct course course;
    course_init(&course, session, 0);
    course.session.forks = session->forks;
    course.session.asks_survivors = session->passive;
    phase_begin(session, "who holds what stays");
    course.session.log = session->passive ? NULL : &course.log;
    if (session_begin(&course.session)) {
        session_serve(&course.session, 0, (uint32_t)places->test_count); /* then it waits */
        if (!course.session.link.worker.ended) {
            suite_sites_write(&course.session, places);
        }
        session_over(&course.session);
    }
    course_fini(&course);
}
