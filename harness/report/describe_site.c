/* describe_site.c - see describe.h: what stays at a place, how much of it, and who holds it.
 * Supervisor only. */
#include "harness/base/unit.h"
#include "harness/report/describe.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *describe_plural(const char *word, int64_t count)
{
    size_t length = strlen(word);
    return count == 1 ? "" : length > 0 && word[length - 1] == 's' ? "es" : "s";
}

const char *describe_counted(const char *kind)
{
    static const char *const words[][2] = {{"fd", "file descriptor"},
                                           {"thread", "thread"},
                                           {"file", "temporary file"},
                                           {"child", "child process"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(kind, words[i][0]) == 0) {
            return words[i][1];
        }
    }
    return NULL;
}

/* "2 blocks of 56 B in every repetition (4,096 tried)": blocks of one size, as many in each.
 * Returns false if it is not as regular as that. */
static bool each_put(struct text *text, const struct result_site *site, unsigned repetitions)
{
    char size[UNIT_TEXT_BYTES], number[UNIT_TEXT_BYTES], tried[UNIT_TEXT_BYTES];
    double rate = site->bytes_per_rep;
    if (!site->test[0] || repetitions == 0 || site->blocks <= 0 || site->bytes <= 0 ||
        site->bytes % site->blocks != 0 || isnan(rate)) {
        return false;
    }
    int64_t whole = site->bytes / site->blocks;
    double block = (double)whole, each = round(rate / block);
    double seen = (double)site->blocks / repetitions; /* the warm-up may have kept some, or none */
    if (each < 1 || fabs(rate - each * block) > 0.005 * block || fabs(seen - each) > 0.05 * each) {
        return false;
    }
    text_format(text, "%s block%s of %s in every repetition (%s tried)", unit_count(number, each),
                each == 1 ? "" : "s", unit_bytes(size, block), unit_count(tried, repetitions));
    return true;
}

void describe_kept(struct text *text, const struct result_site *site, unsigned repetitions)
{
    char size[UNIT_TEXT_BYTES], number[UNIT_TEXT_BYTES];
    const char *word = describe_counted(site->kind);
    const char *plural = describe_plural(word ? word : "block", site->blocks);
    const char *each = site->test[0] ? "a repetition" : "a test";
    bool all = site->share > 0.995; /* then its rate is that of the test, which stands above it */
    bool rate = !isnan(site->bytes_per_rep) && site->bytes_per_rep != 0 && !all;
    if (word) {
        text_format(text, "%s %s%s", unit_count(number, (double)site->blocks), word, plural);
        if (rate) {
            text_format(text, ", %s %s", unit_count(number, site->bytes_per_rep), each);
        }
        return;
    }
    if (each_put(text, site, repetitions)) {
        rate = false;
    } else {
        text_format(text, "%s in %s block%s", unit_bytes(size, (double)site->bytes),
                    unit_count(number, (double)site->blocks), plural);
    }
    if (!isnan(site->share) && !all) {
        text_format(text, ", %s of what stays", unit_ratio(number, site->share));
    }
    if (rate) {
        text_format(text, ", %s %s", unit_bytes(size, site->bytes_per_rep), each);
    }
}

const char *describe_origin(const struct result_site *site)
{
    return strcmp(site->kind, "heap") == 0 || !site->kind[0] ? "allocated by" : "made by";
}

/* "->next->next->next->value" as "->next x 3 ->value": what is followed more than twice is counted.
 */
static void fields_put(struct text *text, const char *fields)
{
    while (fields[0]) {
        const char *arrow = strstr(fields + 1, "->");
        size_t length = arrow ? (size_t)(arrow - fields) : strlen(fields), times = 1;
        while (strncmp(fields + times * length, fields, length) == 0 &&
               (fields[(times + 1) * length] == '\0' ||
                strncmp(fields + (times + 1) * length, "->", 2) == 0)) {
            times++;
        }
        for (size_t i = 0; i < (times > 2 ? 1 : times); i++) {
            text_put_bytes(text, fields, length);
        }
        fields += times * length;
        if (times > 2) {
            text_format(text, fields[0] ? " x %zu " : " x %zu", times);
        }
    }
}

/* The variable and the fields behind it as far as they are known; returns how many links have one.
 * A variable that is a pointer itself has no field, but what it points to may have one. */
static size_t root_put(struct text *text, const struct result_site *site)
{
    const struct result_link *link = site->held_by;
    size_t named = 0, count = site->held_by_count;
    struct text fields = {0};
    text_put(text, link->symbol[0] ? link->symbol : "?");
    if (link->field[0] || (count > 1 && link[1].field[0])) {
        do {
            text_put(&fields, site->held_by[named++].field);
        } while (named < count && site->held_by[named].field[0]);
    }
    fields_put(text, text_peek(&fields));
    text_fini(&fields);
    return named;
}

void describe_holder(struct text *text, const struct result_site *site)
{
    if (site->held_by_count > 0) {
        root_put(text, site);
    }
}

/* "64 KB from table_grow:88+0x8" */
static void hop_put(struct text *text, const struct result_link *link, bool offset)
{
    char size[UNIT_TEXT_BYTES];
    if (link->bytes) {
        text_format(text, "%s B %s", unit_count(size, (double)link->bytes),
                    link->symbol[0] ? "from " : "(untraced)");
    }
    text_put(text, link->symbol[0] || link->bytes ? link->symbol : "?");
    if (offset && link->offset) {
        text_format(text, "+0x%" PRIx64, link->offset);
    }
}

/* "g_cache.buckets[3]->next (check_mine) -> 64 KB from table_grow:88 -> 56 B from entry_new:12 x
 * 15": equal hops behind each other are counted. */
void describe_held(struct text *text, const struct result_site *site)
{
    size_t count = site->held_by_count, times = 0;
    struct text hop = {0}, before = {0};
    if (count == 0) {
        return;
    }
    size_t named = root_put(text, site);
    if (named == 0 && count > 1 && site->held_by[0].offset) {
        text_format(text, "+0x%" PRIx64, site->held_by[0].offset);
    }
    if (site->held_by[0].module[0]) {
        text_format(text, " (%s)", basename(site->held_by[0].module));
    }
    for (size_t i = 1; i <= count; i++) {
        text_reset(&hop);
        if (i < count) {
            hop_put(&hop, &site->held_by[i], i >= named && i + 1 < count);
        }
        if (i < count && times > 0 && strcmp(text_peek(&hop), text_peek(&before)) == 0) {
            times++;
            continue;
        }
        if (times > 1) {
            text_format(text, " x %zu", times);
        }
        if (i < count) {
            text_format(text, " -> %s", text_peek(&hop));
            text_reset(&before);
            text_put(&before, text_peek(&hop));
            times = 1;
        }
    }
    text_fini(&hop);
    text_fini(&before);
}

void describe_site(struct text *text, const struct result_site *site, unsigned repetitions)
{
    describe_kept(text, site, repetitions);
    if (site->frame_count > 0) {
        text_format(text, ", %s", describe_origin(site));
    }
    text_put_char(text, '\n');
    size_t count = describe_frames_own(site->frames, site->frame_count);
    for (size_t i = 0; i < count; i++) {
        if (describe_frame_folded(site->frames, count, i)) {
            continue;
        }
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
