/* result_line.c - see result_line.h: which fields each kind of line has, and those with code of
 * their own. Supervisor only. */
#include "harness/result/result_line.h"
#include "harness/base/memory.h"
#include "harness/result/result_field.h"
#include "harness/result/result_memcheck.h"
#include "harness/result/result_release.h"

#include <stdlib.h>
#include <string.h>

static const struct field run_fields[] = {
    FIELD(result, "version", FIELD_TEXT, tool_version),
    FIELD(result, "command", FIELD_TEXT, command),
    FIELD(result, "argv", FIELD_TEXT, argv),
    FIELD(result, "host", FIELD_TEXT, host),
    FIELD(result, "allocator", FIELD_TEXT, allocator),
    FIELD(result, "cap", FIELD_INT64, cap),
    FIELD(result, "cap_kind", FIELD_TEXT, cap_kind),
    FIELD(result, "guard", FIELD_INT64, guard),
    FIELD(result, "seed", FIELD_UINT64, seed),
    FIELD(result, "started", FIELD_TEXT, started),
    FIELD(result, "scenario", FIELD_TEXT, scenario),
    FIELD(result, "suite", FIELD_TEXT, suite),
    FIELD(result, "program", FIELD_TEXT, program),
    FIELD(result, "way_in", FIELD_TEXT, way_in),
    FIELD(result, "shard", FIELD_TEXT, shard),
    FIELD(result, "partition", FIELD_TEXT, partition),
    FIELD(result, "filter", FIELD_TEXT, filter),
    FIELD(result, "fail_on", FIELD_FAIL_ON, fail_on),
    {NULL, FIELD_OTHER, 0},
};

static const struct field test_fields[] = {
    FIELD(result_test, "id", FIELD_TEXT, id),
    FIELD(result_test, "variant", FIELD_TEXT, variant),
    FIELD(result_test, "status", FIELD_STATUS, status),
    FIELD(result_test, "signal", FIELD_INT, signal),
    FIELD(result_test, "verdict", FIELD_VERDICT, verdict),
    FIELD(result_test, "repetitions", FIELD_UNSIGNED, repetitions),
    FIELD(result_test, "allocs", FIELD_INT64, allocs),
    FIELD(result_test, "frees", FIELD_INT64, frees),
    FIELD(result_test, "bytes", FIELD_INT64, bytes),
    FIELD(result_test, "retained_bytes", FIELD_INT64, retained_bytes),
    FIELD(result_test, "retained_blocks", FIELD_INT64, retained_blocks),
    FIELD(result_test, "peak_live_bytes", FIELD_INT64, peak_live_bytes),
    FIELD(result_test, "peak_rss_bytes", FIELD_INT64, peak_rss_bytes),
    FIELD(result_test, "growth_bytes_per_rep", FIELD_DOUBLE, growth_bytes_per_rep),
    FIELD(result_test, "fds", FIELD_INT64, fds),
    FIELD(result_test, "threads", FIELD_INT64, threads),
    FIELD(result_test, "wall_ns", FIELD_INT64, wall_ns),
    FIELD(result_test, "message", FIELD_TEXT, message),
    FIELD(result_test, "file", FIELD_TEXT, file),
    FIELD(result_test, "line", FIELD_UNSIGNED, line),
    FIELD(result_test, "live_bytes", FIELD_INT64, live_bytes),
    FIELD(result_test, "horizon", FIELD_TEXT, horizon),
    FIELD(result_test, "order", FIELD_ORDER, order),
    FIELD(result_test, "order_by", FIELD_TEXT, order_by),
    FIELD(result_test, "order_message", FIELD_TEXT, order_message),
    FIELD(result_test, "children_left", FIELD_INT64, children_left),
    FIELD(result_test, "children", FIELD_INT64, children),
    FIELD(result_test, "children_followed", FIELD_INT64, children_followed),
    FIELD(result_test, "programs", FIELD_INT64, programs),
    FIELD(result_test, "program", FIELD_TEXT, program),
    FIELD(result_test, "left_bytes", FIELD_INT64, left_bytes),
    FIELD(result_test, "live_by_rep", FIELD_OTHER, live_by_rep),
    FIELD(result_test, "live_at_rep", FIELD_OTHER, live_at_rep),
    FIELD(result_test, "rss_by_rep", FIELD_OTHER, rss_by_rep),
    FIELD(result_test, "frames", FIELD_OTHER, frames),
    FIELD(result_test, "memcheck", FIELD_OTHER, memcheck),
    {NULL, FIELD_OTHER, 0},
};

static const struct field site_fields[] = {
    FIELD(result_site, "test", FIELD_TEXT, test),
    FIELD(result_site, "variant", FIELD_TEXT, variant),
    FIELD(result_site, "rank", FIELD_UNSIGNED, rank),
    FIELD(result_site, "bytes", FIELD_INT64, bytes),
    FIELD(result_site, "blocks", FIELD_INT64, blocks),
    FIELD(result_site, "bytes_per_rep", FIELD_DOUBLE, bytes_per_rep),
    FIELD(result_site, "reachability", FIELD_REACH, reach),
    FIELD(result_site, "kind", FIELD_TEXT, kind),
    FIELD(result_site, "share", FIELD_DOUBLE, share),
    FIELD(result_site, "verdict", FIELD_VERDICT, verdict),
    FIELD(result_site, "suppressed", FIELD_BOOL, suppressed),
    FIELD(result_site, "frames", FIELD_OTHER, frames),
    FIELD(result_site, "held_by", FIELD_OTHER, held_by),
    FIELD(result_site, "released_by", FIELD_OTHER, released_by),
    {NULL, FIELD_OTHER, 0},
};

static const struct field frame_fields[] = {
    FIELD(result_frame, "function", FIELD_TEXT, function),
    FIELD(result_frame, "file", FIELD_TEXT, file),
    FIELD(result_frame, "line", FIELD_UNSIGNED, line),
    FIELD(result_frame, "module", FIELD_TEXT, module),
    FIELD(result_frame, "offset", FIELD_UINT64, offset),
    {NULL, FIELD_OTHER, 0},
};

static const struct field link_fields[] = {
    FIELD(result_link, "symbol", FIELD_TEXT, symbol),
    FIELD(result_link, "field", FIELD_TEXT, field),
    FIELD(result_link, "module", FIELD_TEXT, module),
    FIELD(result_link, "offset", FIELD_UINT64, offset),
    FIELD(result_link, "bytes", FIELD_UINT64, bytes),
    {NULL, FIELD_OTHER, 0},
};

static const struct field variant_fields[] = {
    FIELD(result_variant, "name", FIELD_TEXT, name),
#define METRIC(NAME, json, kind, title, help)                                                      \
    {#json, FIELD_DOUBLE, offsetof(struct result_variant, metric) + METRIC_##NAME * sizeof(double)},
#include "harness/result/metric.def"
#undef METRIC
    FIELD(result_variant, "verdict", FIELD_VERDICT, verdict),
    FIELD(result_variant, "stopped_by", FIELD_TEXT, stopped_by),
    FIELD(result_variant, "culprit", FIELD_TEXT, culprit),
    FIELD(result_variant, "kept_bytes", FIELD_DOUBLE, kept_bytes),
    FIELD(result_variant, "kept_tests", FIELD_UNSIGNED, kept_tests),
    FIELD(result_variant, "projection", FIELD_TEXT, projection),
    FIELD(result_variant, "horizon", FIELD_TEXT, horizon),
    FIELD(result_variant, "counters", FIELD_OTHER, counters),
    FIELD(result_variant, "intervals", FIELD_OTHER, low),
    {NULL, FIELD_OTHER, 0},
};

static const struct field expect_fields[] = {
    FIELD(result_expect, "variant", FIELD_TEXT, variant),
    FIELD(result_expect, "metric", FIELD_TEXT, metric),
    FIELD(result_expect, "limit", FIELD_TEXT, limit),
    FIELD(result_expect, "actual", FIELD_TEXT, actual),
    FIELD(result_expect, "ok", FIELD_BOOL, ok),
    FIELD(result_expect, "scenario", FIELD_TEXT, file),
    FIELD(result_expect, "line", FIELD_UNSIGNED, line),
    {NULL, FIELD_OTHER, 0},
};

static const struct field elsewhere_fields[] = {
    FIELD(result_elsewhere, "variant", FIELD_TEXT, variant),
    FIELD(result_elsewhere, "shard", FIELD_UNSIGNED, shard),
    FIELD(result_elsewhere, "shards", FIELD_UNSIGNED, shards),
    FIELD(result_elsewhere, "tests", FIELD_OTHER, tests),
    {NULL, FIELD_OTHER, 0},
};

/* Lines of type "summary" and "expected". */
static const struct field source_fields[] = {
    FIELD(result_source, "passed", FIELD_SIZE, passed),
    FIELD(result_source, "failed", FIELD_SIZE, failed),
    FIELD(result_source, "skipped", FIELD_SIZE, skipped),
    FIELD(result_source, "incomplete", FIELD_SIZE, incomplete),
    FIELD(result_source, "cut_short", FIELD_SIZE, cut_short),
    FIELD(result_source, "tests", FIELD_SIZE, expected),
    FIELD(result_source, "way_in", FIELD_TEXT, way_in),
    FIELD(result_source, "reason", FIELD_TEXT, reason),
    {NULL, FIELD_OTHER, 0},
};

#define RESULT_STACK_MAX 256 /* frames or links of one array; more is a damaged file */

void result_line_frames(struct json *json, struct result_frame **frames, size_t *count)
{
    struct result_frame *found = NULL;
    size_t room = 0, filled = 0;
    if (!json_enter(json, '[')) {
        return;
    }
    while (json_next(json)) {
        if (filled == RESULT_STACK_MAX) {
            json_fail(json, "too many frames");
            break;
        }
        memory_grow(&found, &room, filled + 1, sizeof *found);
        struct result_frame *one = result_frames_new(1);
        found[filled] = *one;
        free(one);
        field_object_read(json, frame_fields, &found[filled++]);
    }
    *frames = found;
    *count = filled;
}

static void links_read(struct json *json, struct result_site *site)
{
    struct result_link *found = NULL;
    size_t room = 0, filled = 0;
    if (!json_enter(json, '[')) {
        return;
    }
    while (json_next(json)) {
        if (filled == RESULT_STACK_MAX) {
            json_fail(json, "too many links");
            break;
        }
        memory_grow(&found, &room, filled + 1, sizeof *found);
        struct result_link *one = result_links_new(1);
        found[filled] = *one;
        free(one);
        field_object_read(json, link_fields, &found[filled++]);
    }
    site->held_by = found;
    site->held_by_count = filled;
}

static void curve_read(struct json *json, int64_t **curve, size_t *curve_count)
{
    size_t room = 0, count = 0;
    int64_t *values = NULL, value;
    if (!json_enter(json, '[')) {
        return;
    }
    while (json_next(json) && json_take_integer(json, &value)) {
        memory_grow(&values, &room, count + 1, sizeof *values);
        values[count++] = value;
    }
    free(*curve);
    *curve = values;
    *curve_count = count;
}

static void counters_read(struct json *json, struct result_variant *variant)
{
    const char *key;
    double value;
    if (!json_enter(json, '{')) {
        return;
    }
    while (json_next_key(json, &key)) {
        char *name = memory_copy(key);
        if (json_take_number(json, &value)) {
            result_counter_add(variant, name, value);
        }
        free(name);
    }
}

static void intervals_read(struct json *json, struct result_variant *variant)
{
    const char *key;
    if (!json_enter(json, '{')) {
        return;
    }
    while (json_next_key(json, &key)) {
        unsigned metric = 0;
        while (metric < METRIC_COUNT && strcmp(result_metrics[metric].json, key) != 0) {
            metric++;
        }
        if (metric == METRIC_COUNT) {
            json_skip(json);
            continue;
        }
        double ends[2] = {0};
        size_t count = 0;
        json_enter(json, '[');
        while (json_next(json) && count < 2) {
            json_take_number(json, &ends[count++]);
        }
        if (count == 2 && !json->error) {
            variant->low[metric] = ends[0];
            variant->high[metric] = ends[1];
        }
    }
}

/* One place for each value, each behind the one before: what is drawn rests on it. The baselines of
 * older versions have places and no values: they are of no use. */
static bool curve_is_whole(struct result_test *test)
{
    if (!test->live_at_rep || test->live_by_rep_count == 0) {
        test->live_at_rep_count = 0;
        return true;
    }
    bool rises = test->live_at_rep_count == test->live_by_rep_count;
    for (size_t i = 0; rises && i < test->live_at_rep_count; i++) {
        rises = test->live_at_rep[i] > (i > 0 ? test->live_at_rep[i - 1] : 0);
    }
    return rises;
}

void result_line_test(struct json *json, struct result_test *test)
{
    const char *key;
    size_t next = 0;
    json_enter(json, '{');
    while (json_next_key(json, &key)) {
        const struct field *field = field_find(test_fields, &next, key);
        if (!field) {
            json_skip(json);
        } else if (field->kind != FIELD_OTHER) {
            field_read(json, field, test);
        } else if (field->offset == offsetof(struct result_test, frames) && !test->frames) {
            result_line_frames(json, &test->frames, &test->frame_count);
        } else if (field->offset == offsetof(struct result_test, live_by_rep)) {
            curve_read(json, &test->live_by_rep, &test->live_by_rep_count);
        } else if (field->offset == offsetof(struct result_test, live_at_rep)) {
            curve_read(json, &test->live_at_rep, &test->live_at_rep_count);
        } else if (field->offset == offsetof(struct result_test, rss_by_rep)) {
            curve_read(json, &test->rss_by_rep, &test->rss_by_rep_count);
        } else if (field->offset == offsetof(struct result_test, memcheck) && !test->memcheck) {
            result_memcheck_read(json, test);
        } else {
            json_skip(json);
        }
    }
    if (!json->error && !test->id[0]) {
        json_fail(json, "a test without an id");
    }
    if (test->live_by_rep_count == 0) {
        test->live_at_rep_count = 0; /* baselines of earlier versions have the places alone */
        free(test->live_at_rep);
        test->live_at_rep = NULL;
    }
    if (!json->error && !curve_is_whole(test)) {
        json_fail(json, "live_at_rep does not rise, or has not as many places as live_by_rep");
    }
}

bool result_line_site(struct json *json, struct result_site *site, int64_t least)
{
    const char *key;
    size_t next = 0;
    bool wanted = true;
    json_enter(json, '{');
    while (json_next_key(json, &key)) {
        const struct field *field = wanted ? field_find(site_fields, &next, key) : NULL;
        if (!field) {
            json_skip(json);
        } else if (field->kind != FIELD_OTHER) {
            field_read(json, field, site);
            wanted = field->offset != offsetof(struct result_site, bytes) || site->bytes >= least;
        } else if (field->offset == offsetof(struct result_site, frames) && !site->frames) {
            result_line_frames(json, &site->frames, &site->frame_count);
        } else if (field->offset == offsetof(struct result_site, held_by) && !site->held_by) {
            links_read(json, site);
        } else if (field->offset == offsetof(struct result_site, released_by) &&
                   !site->released_by) {
            result_releases_read(json, site);
        } else {
            json_skip(json);
        }
    }
    return wanted;
}

void result_line_variant(struct json *json, struct result_variant *variant)
{
    const char *key;
    size_t next = 0;
    json_enter(json, '{');
    while (json_next_key(json, &key)) {
        const struct field *field = field_find(variant_fields, &next, key);
        if (!field) {
            json_skip(json);
        } else if (field->kind != FIELD_OTHER) {
            field_read(json, field, variant);
        } else if (field->offset == offsetof(struct result_variant, counters)) {
            counters_read(json, variant);
        } else {
            intervals_read(json, variant);
        }
    }
}

void result_line_run(struct json *json, struct result *result)
{
    field_object_read(json, run_fields, result);
}

void result_line_expect(struct json *json, struct result_expect *expect)
{
    field_object_read(json, expect_fields, expect);
}

void result_line_elsewhere(struct json *json, struct result_elsewhere *elsewhere,
                           bool (*wanted)(void *context, const struct result_elsewhere *elsewhere),
                           void *context)
{
    const char *key, *text;
    size_t next = 0, room = 0;
    json_enter(json, '{');
    while (json_next_key(json, &key)) {
        const struct field *field = field_find(elsewhere_fields, &next, key);
        if (field && field->kind != FIELD_OTHER) {
            field_read(json, field, elsewhere);
        } else if (!field || !wanted(context, elsewhere)) {
            json_skip(json);
        } else if (json_enter(json, '[')) {
            while (json_next(json) && json_take_text(json, &text)) {
                memory_grow(&elsewhere->tests, &room, elsewhere->count + 1,
                            sizeof elsewhere->tests[0]);
                elsewhere->tests[elsewhere->count++] = memory_copy(text);
            }
        }
    }
}

void result_line_note(struct json *json, struct result *result)
{
    const char *key, *text;
    json_enter(json, '{');
    while (json_next_key(json, &key)) {
        if (strcmp(key, "text") != 0) {
            json_skip(json);
        } else if (json_take_text(json, &text)) {
            result_note_add(result, "%s", text);
        }
    }
}

void result_line_source(struct json *json, struct result_source *source)
{
    field_object_read(json, source_fields, source);
}
