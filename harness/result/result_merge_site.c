/*
 * result_merge_site.c - sites of the whole suite from several shards: what one stack allocated in
 * each of them is one site of the whole. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/result/result_merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool frames_same(const struct result_site *a, const struct result_site *b)
{
    if (a->frame_count != b->frame_count || a->frame_count == 0) {
        return false;
    }
    for (size_t i = 0; i < a->frame_count; i++) {
        const struct result_frame *x = &a->frames[i], *y = &b->frames[i];
        if (x->line != y->line || x->offset != y->offset || strcmp(x->function, y->function) != 0 ||
            strcmp(x->file, y->file) != 0) {
            return false;
        }
    }
    return true;
}

static bool site_same(const struct result_site *a, const struct result_site *b)
{
    return a->suppressed == b->suppressed && strcmp(a->variant, b->variant) == 0 &&
           strcmp(a->kind, b->kind) == 0 && frames_same(a, b);
}

/* The first of such sites takes what this one holds. Returns false if there is none. */
static bool site_taken(struct result_site *const *suite, size_t count,
                       const struct result_site *site)
{
    for (size_t i = 0; i < count; i++) {
        if (site_same(suite[i], site)) {
            suite[i]->bytes += site->bytes;
            suite[i]->blocks += site->blocks;
            return true;
        }
    }
    return false;
}

static int compare_sites(const void *a, const void *b)
{
    const struct result_site *x = *(struct result_site *const *)a,
                             *y = *(struct result_site *const *)b;
    int order = strcmp(x->variant, y->variant);
    return order != 0               ? order
           : x->bytes != y->bytes   ? (x->bytes < y->bytes ? 1 : -1)
           : x->blocks != y->blocks ? (x->blocks < y->blocks ? 1 : -1)
           : x->rank != y->rank     ? (x->rank > y->rank ? 1 : -1)
                                    : (x > y) - (x < y);
}

static double kept_of(const struct result *result, const char *variant)
{
    for (size_t i = 0; i < result->variant_count; i++) {
        if (strcmp(result->variants[i].name, variant) == 0) {
            return result->variants[i].kept_bytes;
        }
    }
    return NAN;
}

/* Rank and share again: each shard had its own. */
static void sites_rank(const struct result *result, struct result_site **suite, size_t count)
{
    qsort(suite, count, sizeof(struct result_site *), compare_sites);
    for (size_t i = 0, first = 0; i < count; i++) {
        first = strcmp(suite[first]->variant, suite[i]->variant) == 0 ? first : i;
        double kept = kept_of(result, suite[i]->variant);
        suite[i]->rank = (unsigned)(i - first + 1);
        suite[i]->share = kept > 0 ? fmin(1, (double)suite[i]->bytes / kept) : NAN;
    }
}

void result_merge_sites(struct result *result)
{
    struct result_site **suite = memory_new(result->site_count + 1, sizeof(struct result_site *));
    size_t kept = 0, count = 0;
    for (size_t i = 0; i < result->site_count; i++) {
        struct result_site *site = &result->sites[i];
        if (!site->test[0] && site_taken(suite, count, site)) {
            result_site_fini(site);
            continue;
        }
        result->sites[kept] = *site;
        if (!site->test[0]) {
            suite[count++] = &result->sites[kept];
        }
        kept++;
    }
    result->site_count = kept;
    result->sites_sorted = false;
    sites_rank(result, suite, count);
    free(suite);
}
