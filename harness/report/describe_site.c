/* describe_site.c - see describe.h: what stays at a place, how much of it, and who holds it.
 * Supervisor only. */
#include "harness/base/unit.h"
#include "harness/report/describe.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *describe_counted(const char *kind)
{
    static const char *const words[][2] = {
        {"fd", "file descriptor"}, {"thread", "thread"}, {"file", "temporary file"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(kind, words[i][0]) == 0) {
            return words[i][1];
        }
    }
    return NULL;
}

void describe_kept(struct text *text, const struct result_site *site)
{
    char size[UNIT_TEXT_BYTES], number[UNIT_TEXT_BYTES];
    const char *word = describe_counted(site->kind);
    bool rate = !isnan(site->bytes_per_rep) && site->bytes_per_rep != 0;
    const char *plural = site->blocks == 1 ? "" : "s";
    if (word) {
        text_format(text, "%s %s%s", unit_count(number, (double)site->blocks), word, plural);
        if (rate) {
            text_format(text, ", %s a run", unit_count(number, site->bytes_per_rep));
        }
        return;
    }
    text_format(text, "%s in %s block%s", unit_bytes(size, (double)site->bytes),
                unit_count(number, (double)site->blocks), plural);
    if (!isnan(site->share)) {
        text_format(text, ", %s of what stays", unit_ratio(number, site->share));
    }
    if (rate) {
        text_format(text, ", %s a run", unit_bytes(size, site->bytes_per_rep));
    }
}

const char *describe_origin(const struct result_site *site)
{
    return strcmp(site->kind, "heap") == 0 || !site->kind[0] ? "allocated by" : "made by";
}

/* "g_cache.buckets[3]->next (check_mine) -> 64 KB from table_grow:88 -> 56 B from entry_new:12":
 * the fields as far as they are known stand together, behind the variable. */
void describe_held(struct text *text, const struct result_site *site)
{
    char size[UNIT_TEXT_BYTES];
    size_t named = 0, count = site->held_by_count; /* named: links whose field is known */
    for (size_t i = 0; i < count; i++) {
        const struct result_link *link = &site->held_by[i];
        bool last = i + 1 == count;
        if (i > 0) {
            text_put(text, " -> ");
            if (link->bytes) {
                text_format(text, "%s B %s", unit_count(size, (double)link->bytes),
                            link->symbol[0] ? "from " : "(untraced)");
            }
        }
        text_put(text, link->symbol[0] || (i > 0 && link->bytes) ? link->symbol : "?");
        /* A variable that is a pointer itself has no field, but what it points to may have one. */
        if (i == 0 && (link->field[0] || (!last && link[1].field[0]))) {
            do {
                text_put(text, site->held_by[named++].field);
            } while (named < count && site->held_by[named].field[0]);
        }
        if (i >= named && link->offset && !last) {
            text_format(text, "+0x%" PRIx64, link->offset);
        }
        if (i == 0 && link->module[0]) {
            text_format(text, " (%s)", basename(link->module));
        }
    }
}

void describe_site(struct text *text, const struct result_site *site)
{
    describe_kept(text, site);
    if (site->frame_count > 0) {
        text_format(text, ", %s", describe_origin(site));
    }
    text_put_char(text, '\n');
    for (size_t i = 0; i < describe_frames_own(site->frames, site->frame_count); i++) {
        text_put(text, "  ");
        describe_frame(text, &site->frames[i]);
        text_put_char(text, '\n');
    }
    if (site->held_by_count > 0) {
        text_put(text, "held by\n  ");
        describe_held(text, site);
        text_put_char(text, '\n');
    } else if (site->reach == REACH_UNREACHABLE) {
        text_put(text, "held by nothing: no pointer to it is left\n");
    }
    for (size_t i = 0; i < site->released_by_count; i++) {
        describe_release(text, site, &site->released_by[i]);
        text_put_char(text, '\n');
    }
}

/* First site that does not stand before (test, variant). */
static size_t site_bisect(const struct result *result, const char *test, const char *variant)
{
    size_t low = 0, high = result->site_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct result_site *site = &result->sites[middle];
        int order = strcmp(site->test, test);
        order = order ? order : strcmp(site->variant, variant);
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct result_site *describe_site_next(const struct result *result, const char *test,
                                             const char *variant, size_t *next)
{
    if (result->sites_sorted && *next == 0) {
        *next = site_bisect(result, test, variant);
    }
    while (*next < result->site_count) {
        const struct result_site *site = &result->sites[(*next)++];
        bool same = strcmp(site->test, test) == 0 && strcmp(site->variant, variant) == 0;
        if (same && !site->suppressed) {
            return site;
        }
        if (!same && result->sites_sorted) {
            *next = result->site_count;
        }
    }
    return NULL;
}
