/* result.c - see result.h: names, facts of metrics, and the life of the structs. Supervisor only.
 */
#include "harness/result/result.h"
#include "harness/base/memory.h"
#include "harness/result/result_memcheck.h"
#include "harness/result/result_release.h"
#include "harness/result/result_string.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct metric_facts result_metrics[METRIC_COUNT] = {
#define METRIC(NAME, json, kind, title, help)                                                      \
    [METRIC_##NAME] = {#json, title, help, METRIC_KIND_##kind},
#include "harness/result/metric.def"
#undef METRIC
};

static const char *const status_names[RESULT_STATUS_COUNT] = {
    [RESULT_PASS] = "pass",       [RESULT_FAIL] = "fail",   [RESULT_CRASH] = "crash",
    [RESULT_TIMEOUT] = "timeout", [RESULT_OOM] = "oom",     [RESULT_EXIT] = "exit",
    [RESULT_SKIP] = "skip",       [RESULT_FLAKY] = "flaky",
};

static const char *const verdict_names[VERDICT_COUNT] = {
    [VERDICT_NONE] = "none",
    [VERDICT_CLEAN] = "clean",
    [VERDICT_LEAK] = "leak",
    [VERDICT_GROWTH] = "growth",
    [VERDICT_ACCUMULATES] = "accumulates",
    [VERDICT_SATURATING] = "saturating",
    [VERDICT_INCONCLUSIVE] = "inconclusive",
};

static const char *const order_names[ORDER_COUNT] = {
    [ORDER_FREE] = "free",
    [ORDER_POLLUTED] = "polluted",
    [ORDER_NEEDS] = "needs",
    [ORDER_UNEXPLAINED] = "unexplained",
};

const char *result_order_name(enum result_order order)
{
    return order < ORDER_COUNT ? order_names[order] : "unknown";
}

const char *result_status_name(enum result_status status)
{
    return status < RESULT_STATUS_COUNT ? status_names[status] : "unknown";
}

const char *result_verdict_name(enum result_verdict verdict)
{
    return verdict < VERDICT_COUNT ? verdict_names[verdict] : "unknown";
}

static bool name_parse(const char *const *names, unsigned count, const char *text, unsigned *found)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(names[i], text) == 0) {
            *found = i;
            return true;
        }
    }
    return false;
}

bool result_status_parse(const char *text, enum result_status *status)
{
    unsigned found;
    bool ok = name_parse(status_names, RESULT_STATUS_COUNT, text, &found);
    if (ok) {
        *status = (enum result_status)found;
    }
    return ok;
}

bool result_verdict_parse(const char *text, enum result_verdict *verdict)
{
    unsigned found;
    bool ok = name_parse(verdict_names, VERDICT_COUNT, text, &found);
    if (ok) {
        *verdict = (enum result_verdict)found;
    }
    return ok;
}

bool result_order_parse(const char *text, enum result_order *order)
{
    unsigned found;
    bool ok = name_parse(order_names, ORDER_COUNT, text, &found);
    if (ok) {
        *order = (enum result_order)found;
    }
    return ok;
}

void result_set(char **slot, const char *text)
{
    char *copy = memory_copy(text ? text : "");
    free(*slot);
    *slot = copy;
}

/* Gives every string of a list of slots the empty text, or releases it. */
static void strings_start(char **const *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *slots[i] = memory_copy("");
    }
}

static void strings_free(char **const *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(*slots[i]);
        *slots[i] = NULL;
    }
}

void result_init(struct result *result)
{
    *result = (struct result){0};
    strings_start(RESULT_STRINGS(result));
}

void result_frames_free(struct result_frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        strings_free(FRAME_STRINGS(&frames[i]));
    }
    free(frames);
}

static void links_free(struct result_link *links, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        strings_free(LINK_STRINGS(&links[i]));
    }
    free(links);
}

void result_test_fini(struct result_test *test)
{
    strings_free(TEST_STRINGS(test));
    result_frames_free(test->frames, test->frame_count);
    free(test->live_by_rep);
    free(test->live_at_rep);
    free(test->rss_by_rep);
    result_memcheck_free(&test->memcheck);
    *test = (struct result_test){0};
}

void result_site_fini(struct result_site *site)
{
    strings_free(SITE_STRINGS(site));
    result_frames_free(site->frames, site->frame_count);
    links_free(site->held_by, site->held_by_count);
    result_releases_free(site->released_by, site->released_by_count);
    *site = (struct result_site){0};
}

void result_variant_fini(struct result_variant *variant)
{
    strings_free(VARIANT_STRINGS(variant));
    for (size_t i = 0; i < variant->counter_count; i++) {
        free(variant->counters[i].name);
    }
    free(variant->counters);
    *variant = (struct result_variant){0};
}

void result_expect_fini(struct result_expect *expect)
{
    strings_free(EXPECT_STRINGS(expect));
    *expect = (struct result_expect){0};
}

void result_elsewhere_fini(struct result_elsewhere *elsewhere)
{
    for (size_t i = 0; i < elsewhere->count; i++) {
        free(elsewhere->tests[i]);
    }
    free(elsewhere->tests);
    free(elsewhere->variant);
    *elsewhere = (struct result_elsewhere){0};
}

void result_fini(struct result *result)
{
    strings_free(RESULT_STRINGS(result));
    for (size_t i = 0; i < result->test_count; i++) {
        result_test_fini(&result->tests[i]);
    }
    for (size_t i = 0; i < result->site_count; i++) {
        result_site_fini(&result->sites[i]);
    }
    for (size_t i = 0; i < result->birth_count; i++) {
        result_site_fini(&result->births[i]);
    }
    for (size_t i = 0; i < result->variant_count; i++) {
        result_variant_fini(&result->variants[i]);
    }
    for (size_t i = 0; i < result->expect_count; i++) {
        result_expect_fini(&result->expects[i]);
    }
    for (size_t i = 0; i < result->note_count; i++) {
        free(result->notes[i]);
    }
    for (size_t i = 0; i < result->elsewhere_count; i++) {
        result_elsewhere_fini(&result->elsewhere[i]);
    }
    free(result->elsewhere);
    free(result->tests);
    free(result->sites);
    free(result->births);
    free(result->variants);
    free(result->expects);
    free(result->notes);
    *result = (struct result){0};
}

void result_test_start(struct result_test *test)
{
    *test = (struct result_test){
        .allocs = RESULT_UNMEASURED,
        .frees = RESULT_UNMEASURED,
        .bytes = RESULT_UNMEASURED,
        .retained_bytes = RESULT_UNMEASURED,
        .retained_blocks = RESULT_UNMEASURED,
        .peak_live_bytes = RESULT_UNMEASURED,
        .peak_rss_bytes = RESULT_UNMEASURED,
        .live_bytes = RESULT_UNMEASURED,
        .left_bytes = RESULT_UNMEASURED,
        .growth_bytes_per_rep = NAN,
        .wall_ns = RESULT_UNMEASURED,
    };
    strings_start(TEST_STRINGS(test));
}

void result_site_start(struct result_site *site)
{
    *site = (struct result_site){.bytes_per_rep = NAN, .share = NAN};
    strings_start(SITE_STRINGS(site));
}

struct result_test *result_test_add(struct result *result)
{
    memory_grow(&result->tests, &result->test_room, result->test_count + 1,
                sizeof result->tests[0]);
    struct result_test *test = &result->tests[result->test_count++];
    result_test_start(test);
    return test;
}

static int site_compare(const void *left, const void *right)
{
    const struct result_site *a = left, *b = right;
    int order = strcmp(a->test, b->test);
    order = order ? order : strcmp(a->variant, b->variant);
    if (order != 0) {
        return order;
    }
    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }
    return a->bytes < b->bytes ? 1 : a->bytes > b->bytes ? -1 : 0;
}

void result_sites_sort(struct result *result)
{
    if (result->site_count > 1) {
        qsort(result->sites, result->site_count, sizeof result->sites[0], site_compare);
    }
    if (result->birth_count > 1) {
        qsort(result->births, result->birth_count, sizeof result->births[0], site_compare);
    }
    result->sites_sorted = true;
}

struct result_site *result_birth_add(struct result *result)
{
    result->sites_sorted = false;
    memory_grow(&result->births, &result->birth_room, result->birth_count + 1,
                sizeof result->births[0]);
    struct result_site *birth = &result->births[result->birth_count++];
    result_site_start(birth);
    return birth;
}

struct result_site *result_site_add(struct result *result)
{
    result->sites_sorted = false;
    memory_grow(&result->sites, &result->site_room, result->site_count + 1,
                sizeof result->sites[0]);
    struct result_site *site = &result->sites[result->site_count++];
    result_site_start(site);
    return site;
}

struct result_variant *result_variant_add(struct result *result)
{
    memory_grow(&result->variants, &result->variant_room, result->variant_count + 1,
                sizeof result->variants[0]);
    struct result_variant *variant = &result->variants[result->variant_count++];
    *variant = (struct result_variant){.kept_bytes = NAN};
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        variant->metric[i] = variant->low[i] = variant->high[i] = NAN;
    }
    strings_start(VARIANT_STRINGS(variant));
    return variant;
}

struct result_expect *result_expect_add(struct result *result)
{
    memory_grow(&result->expects, &result->expect_room, result->expect_count + 1,
                sizeof result->expects[0]);
    struct result_expect *expect = &result->expects[result->expect_count++];
    *expect = (struct result_expect){0};
    strings_start(EXPECT_STRINGS(expect));
    return expect;
}

struct result_elsewhere *result_elsewhere_add(struct result *result)
{
    memory_grow(&result->elsewhere, &result->elsewhere_room, result->elsewhere_count + 1,
                sizeof result->elsewhere[0]);
    struct result_elsewhere *elsewhere = &result->elsewhere[result->elsewhere_count++];
    *elsewhere = (struct result_elsewhere){.variant = memory_copy("")};
    return elsewhere;
}

void result_note_add(struct result *result, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = memory_format_list(format, list);
    va_end(list);
    memory_grow(&result->notes, &result->note_room, result->note_count + 1,
                sizeof result->notes[0]);
    result->notes[result->note_count++] = text;
}

void result_counter_add(struct result_variant *variant, const char *name, double value)
{
    size_t room = variant->counter_count;
    memory_grow(&variant->counters, &room, variant->counter_count + 1, sizeof variant->counters[0]);
    variant->counters[variant->counter_count].name = memory_copy(name);
    variant->counters[variant->counter_count].value = value;
    variant->counter_count++;
}

struct result_frame *result_frames_new(size_t count)
{
    struct result_frame *frames = memory_new(count, sizeof *frames);
    for (size_t i = 0; i < count; i++) {
        strings_start(FRAME_STRINGS(&frames[i]));
    }
    return frames;
}

struct result_link *result_links_new(size_t count)
{
    struct result_link *links = memory_new(count, sizeof *links);
    for (size_t i = 0; i < count; i++) {
        strings_start(LINK_STRINGS(&links[i]));
    }
    return links;
}

enum metric_kind result_counter_kind(const char *name)
{
    size_t length = strlen(name);
    if (length > 6 && strcmp(name + length - 6, "_bytes") == 0) {
        return METRIC_KIND_BYTES;
    }
    return length > 3 && strcmp(name + length - 3, "_ns") == 0 ? METRIC_KIND_NS : METRIC_KIND_PER;
}

static bool begins_with_one(const char *text, const char *const *words)
{
    while (*words != NULL && strncmp(text, *words, strlen(*words)) != 0) {
        words++;
    }
    return *words != NULL;
}

bool result_frame_system(const struct result_frame *frame)
{
    static const char *const modules[] = {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", NULL};
    static const char *const files[] = {"/usr/include/", "/usr/local/include/", "/usr/lib/",
                                        "/usr/src/", NULL};
    /* Where there is no debug information. */
    static const char *const functions[] = {
        "std::",     "__gnu_cxx::",        "testing::",       "Catch::",
        "doctest::", "boost::unit_test::", "boost::detail::", NULL};
    return begins_with_one(frame->module, modules) || begins_with_one(frame->file, files) ||
           (frame->file[0] == '\0' && begins_with_one(frame->function, functions));
}
