/* survivors.c - see survivors.h. */
#include "harness/campaign/survivors.h"

#include "harness/base/memory.h"
#include "harness/campaign/place.h"
#include "harness/campaign/session.h"
#include "harness/result/result_write.h"

#include <math.h>
#include <stdlib.h>

#define KEPT_PART 16 /* left in one of so many passes at least: more than what is kept once */

/* Descriptors, threads and files are counted with the bytes until here: what is left of `site` of
 * them goes where it belongs. */
static void counted_part(struct result_test *test, const struct observed_site *site,
                         double per_pass)
{
    int64_t whole = llround(per_pass) > 0 ? llround(per_pass) : 1;
    if (site->kind >= WIRE_SITE_FD) {
        test->growth_bytes_per_rep -= per_pass;
        test->fds += site->kind == WIRE_SITE_FD ? whole : 0;
        test->threads += site->kind == WIRE_SITE_THREAD ? whole : 0;
        test->children_left += site->kind == WIRE_SITE_CHILD ? whole : 0;
    }
}

static bool is_left(const struct session *runs, const struct wire_survivor *seen, uint32_t number)
{
    return seen->birth == number && seen->site < runs->seen.site_count;
}

/* Was something of this site left in one pass of 16 at least? */
static bool is_kept(const struct wire_survivor *seen, unsigned passes)
{
    return seen->blocks * KEPT_PART >= passes;
}

/* Does what was left pass by pass explain most of the growth? If not, it is in blocks that are few:
 * one that becomes longer and longer, or one of each site. */
static bool kept_explains(const struct session *runs, uint32_t number, unsigned passes,
                          double grown)
{
    double kept = 0;
    for (size_t i = 0; i < runs->seen.survivor_count; i++) {
        const struct wire_survivor *seen = &runs->seen.survivors[i];
        bool counts = is_left(runs, seen, number) && is_kept(seen, passes);
        kept += counts ? (double)(seen->bytes > 0 ? seen->bytes : seen->blocks) : 0;
    }
    return kept > 0 && kept * 2 >= grown;
}

static int compare_survivors(const void *a, const void *b)
{
    const struct wire_survivor *const *x = a, *const *y = b;
    return (*x)->bytes != (*y)->bytes ? ((*x)->bytes < (*y)->bytes) - ((*x)->bytes > (*y)->bytes)
                                      : ((*x)->site > (*y)->site) - ((*x)->site < (*y)->site);
}

/* What is left of the test, without what is kept once where there is enough else; the largest
 * first. The caller frees. */
static const struct wire_survivor **growth_find(const struct session *runs, uint32_t number,
                                                unsigned passes, double grown, size_t *count)
{
    const struct wire_survivor **found =
        memory_new(runs->seen.survivor_count + 1, sizeof(struct wire_survivor *));
    bool explained = kept_explains(runs, number, passes, grown);
    *count = 0;
    for (size_t i = 0; i < runs->seen.survivor_count; i++) {
        const struct wire_survivor *seen = &runs->seen.survivors[i];
        if (is_left(runs, seen, number) && (!explained || is_kept(seen, passes))) {
            found[(*count)++] = seen;
        }
    }
    qsort(found, *count, sizeof *found, compare_survivors);
    return found;
}

bool survivors_report(struct session *session, struct session *runs, uint32_t number,
                      unsigned passes, struct result_test *test, bool accused)
{
    uint32_t sites[SESSION_SITES_SHOWN] = {0}, count = 0;
    double whole = 0, grown = test->growth_bytes_per_rep * passes;
    size_t found_count;
    const struct wire_survivor **found = growth_find(runs, number, passes, grown, &found_count);
    for (size_t i = 0; i < found_count; i++) {
        struct observed_site *seen = &runs->seen.sites[found[i]->site];
        whole += (double)found[i]->bytes;
        if (is_kept(found[i], passes) && !session_site_suppressed(runs, seen)) {
            counted_part(test, seen, (double)found[i]->blocks / passes);
        }
        if (count < SESSION_SITES_SHOWN) {
            sites[count++] = found[i]->site;
        }
    }
    if (whole == 0) {
        test->growth_bytes_per_rep = 0;
    }
    session_scan(runs, sites, count);
    bool lost = count > 0 && session_site_lost(runs, &runs->seen.sites[sites[0]]);
    for (uint32_t i = 0; i < count; i++) {
        struct observed_site *seen = &runs->seen.sites[sites[i]];
        struct result_site *site = session_site_add(runs, test->id, seen, i + 1, whole);
        site->bytes = found[i]->bytes; /* of this test: others may have left something there */
        site->blocks = found[i]->blocks;
        site->share = whole > 0 ? (double)site->bytes / whole : NAN;
        site->bytes_per_rep = (double)(site->bytes > 0 ? site->bytes : site->blocks) / passes;
        site->verdict = session_site_lost(runs, seen) ? VERDICT_LEAK
                        : lost || accused             ? VERDICT_GROWTH
                                                      : VERDICT_INCONCLUSIVE;
        site->suppressed = session_site_suppressed(runs, seen);
        if (session->options->writer) {
            result_write_site(session->options->writer, site);
        }
    }
    for (size_t i = 0; i < found_count && (lost || accused); i++) {
        if (observed_site(&runs->seen, found[i]->site)) {
            accused_add(&session->accused, number, place_key(&runs->seen, found[i]->site));
        }
    }
    free(found);
    return lost;
}

const struct suppression *survivors_rule(struct session *runs, uint32_t number, unsigned passes)
{
    for (size_t i = 0; i < runs->seen.survivor_count; i++) {
        const struct wire_survivor *seen = &runs->seen.survivors[i];
        if (is_left(runs, seen, number) && is_kept(seen, passes) &&
            session_site_suppressed(runs, &runs->seen.sites[seen->site])) {
            return runs->seen.sites[seen->site].suppressed;
        }
    }
    return NULL;
}
