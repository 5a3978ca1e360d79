/* result_write_test.c - what is written reads back the same, keeps to docs/result.schema.json, and
 * is readable after a kill at any moment. Run from the repository's root. */
#include "harness/base/suite.h"
#include "harness/result/result_memcheck.h"
#include "harness/result/result_read.h"
#include "harness/result/result_release.h"
#include "harness/result/result_write.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static void path_make(void)
{
    strcpy(path, "/tmp/tidemark-result-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

/* A result with a value in every field. */
static void everything_fill(struct result *result)
{
    result_init(result);
    result_set(&result->tool_version, "0.1.0");
    result_set(&result->command, "run");
    result_set(&result->argv, "tidemark run \"a b\".yaml\n");
    result_set(&result->host, "h\xc3\xb6st");
    result_set(&result->allocator, "jemalloc 5.3.0");
    result_set(&result->cap_kind, "cgroup2");
    result_set(&result->started, "2026-01-02T03:04:05Z");
    result_set(&result->scenario, "scenarios/x.yaml");
    result_set(&result->suite, "registry");
    result_set(&result->way_in, "libcheck, static");
    result_set(&result->shard, "2/5");
    result_set(&result->partition, "0123456789abcdef");
    result_set(&result->filter, "*/parser/*");
    struct result_elsewhere *elsewhere = result_elsewhere_add(result);
    result_set(&elsewhere->variant, "lru");
    elsewhere->shard = 1;
    elsewhere->shards = 5;
    elsewhere->tests = calloc(2, sizeof *elsewhere->tests);
    elsewhere->count = 2;
    elsewhere->tests[0] = strdup("s/t/one");
    elsewhere->tests[1] = strdup("s/t/t\"wo");
    result->cap = 512 << 20;
    result->seed = INT64_MAX;
    struct result_test *test = result_test_add(result);
    result_set(&test->id, "s/t/grows[3]");
    result_set(&test->variant, "lru");
    test->status = RESULT_CRASH;
    test->signal = 11;
    test->verdict = VERDICT_GROWTH;
    test->repetitions = 240;
    test->allocs = 7;
    test->frees = 6;
    test->bytes = INT64_MAX;
    test->retained_bytes = -5;
    test->retained_blocks = 1;
    test->peak_live_bytes = 99;
    test->peak_rss_bytes = 4096;
    test->live_bytes = 12;
    test->growth_bytes_per_rep = 0.1;
    test->fds = 1;
    test->threads = -1;
    test->wall_ns = 1234;
    result_set(&test->message, "bad byte \xff, quote \" and tab\t");
    result_set(&test->file, "check_x.c");
    test->line = 12;
    result_set(&test->horizon, "240 repetitions");
    test->order = ORDER_POLLUTED;
    result_set(&test->order_by, "s/t/leaves_a_flag");
    result_set(&test->order_message, "it is dirty");
    test->left_bytes = 384;
    test->live_by_rep = calloc(2, sizeof *test->live_by_rep);
    test->live_by_rep[1] = 64;
    test->live_by_rep_count = 2;
    test->rss_by_rep = calloc(1, sizeof *test->rss_by_rep);
    test->rss_by_rep[0] = 8192;
    test->rss_by_rep_count = 1;
    test->frames = result_frames_new(1);
    test->frame_count = 1;
    result_set(&test->frames[0].function, "f");
    test->frames[0].offset = INT64_MAX;
    struct result_memcheck *memcheck = result_memcheck_get(test);
    memcheck->status = RESULT_TIMEOUT;
    result_set(&memcheck->message, "slow");
    memcheck->errors = 3;
    memcheck->definite_bytes = 16;
    memcheck->definite_blocks = 1;
    memcheck->indirect_bytes = 32;
    memcheck->indirect_blocks = 2;
    memcheck->possible_bytes = 64;
    memcheck->possible_blocks = 4;
    result_set(&result_error_add(memcheck)->kind, "InvalidRead");
    struct result_error *lost = result_error_add(memcheck);
    result_set(&lost->what, "16 B in 1 block definitely lost");
    result_set(&lost->detail, "\"x\"");
    lost->bytes = 16;
    lost->blocks = 1;
    lost->frames = result_frames_new(1);
    lost->frame_count = 1;
    result_set(&lost->frames[0].function, "list_new");
    struct result_site *birth = result_birth_add(result);
    result_set(&birth->test, "s/t/grows[3]");
    birth->bytes = 24;
    birth->blocks = 3;
    birth->frames = result_frames_new(1);
    birth->frame_count = 1;
    result_set(&birth->frames[0].function, "parse_key");
    struct result_site *site = result_site_add(result);
    result_set(&site->test, "s/t/grows[3]");
    result_set(&site->variant, "lru");
    result_set(&site->kind, "heap");
    site->rank = 1;
    site->bytes = 640;
    site->blocks = 10;
    site->bytes_per_rep = 64;
    site->share = 0.98;
    site->verdict = VERDICT_LEAK;
    site->reach = REACH_HELD;
    site->suppressed = true;
    site->frames = result_frames_new(2);
    site->frame_count = 2;
    result_set(&site->frames[1].file, "registry/cache.c");
    site->frames[1].line = 88;
    site->held_by = result_links_new(1);
    site->held_by_count = 1;
    result_set(&site->held_by[0].symbol, "g_cache");
    site->held_by[0].offset = 24;
    struct result_release *release = result_release_add(site);
    release->relation = RELATION_HOLDER;
    release->blocks = 10;
    release->frames = result_frames_new(2);
    release->frame_count = 2;
    release->wrappers = 1;
    result_set(&release->frames[0].function, "xfree");
    result_set(&release->frames[1].function, "cache_free");
    release = result_release_add(site);
    release->relation = RELATION_BESIDE;
    release->blocks = 2;
    struct result_variant *variant = result_variant_add(result);
    result_set(&variant->name, "lru");
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        variant->metric[i] = i + 1 / 3.0;
    }
    variant->metric[METRIC_HIT_RATE] = NAN;
    variant->low[METRIC_WALL] = 1;
    variant->high[METRIC_WALL] = 2.5;
    variant->verdict = VERDICT_SATURATING;
    result_set(&variant->stopped_by, "memory");
    variant->kept_bytes = 399000000;
    variant->kept_tests = 3;
    result_set(&variant->projection, "60 GB at test 468");
    result_counter_add(variant, "fallbacks", 3);
    struct result_expect *expect = result_expect_add(result);
    result_set(&expect->metric, "peak_rss");
    result_set(&expect->limit, "< 500 MB");
    result_set(&expect->actual, "12 MB");
    expect->ok = true;
    expect->line = 9;
    result_note_add(result, "no %s", "cgroup");
    result->failed = 1;
}

static void everything_write(const struct result *result)
{
    struct result_writer *writer = result_writer_new(path);
    ck_assert_ptr_nonnull(writer);
    result_write_run(writer, result);
    result_write_expected(writer, 1);
    result_write_elsewhere(writer, &result->elsewhere[0]);
    result_write_test(writer, &result->tests[0]);
    result_write_site(writer, &result->sites[0]);
    result_write_birth(writer, &result->births[0]);
    result_write_variant(writer, &result->variants[0]);
    result_write_expect(writer, &result->expects[0]);
    result_write_note(writer, result->notes[0]);
    ck_assert(result_writer_close(&writer, result));
    ck_assert_ptr_null(writer);
}

static void read_back(struct result *result)
{
    struct diag diag;
    diag_init(&diag);
    result_init(result);
    if (!result_read(path, result, &diag)) {
        diag_print(&diag, stderr);
        ck_abort_msg("the file does not read back");
    }
    diag_fini(&diag);
}

static void memcheck_same(const struct result_memcheck *in, const struct result_memcheck *out)
{
    ck_assert_ptr_nonnull(in);
    ck_assert_int_eq(in->status, out->status);
    ck_assert_str_eq(in->message, out->message);
    ck_assert_int_eq(in->errors, 3);
    ck_assert_int_eq(in->definite_bytes, 16);
    ck_assert_int_eq(in->definite_blocks, 1);
    ck_assert_int_eq(in->indirect_bytes, 32);
    ck_assert_int_eq(in->indirect_blocks, 2);
    ck_assert_int_eq(in->possible_bytes, 64);
    ck_assert_int_eq(in->possible_blocks, 4);
    ck_assert_uint_eq(in->list_count, 2);
    ck_assert_str_eq(in->list[0].kind, "InvalidRead");
    ck_assert(!result_error_is_leak(&in->list[0]) && result_error_is_leak(&in->list[1]));
    ck_assert_str_eq(in->list[1].what, out->list[1].what);
    ck_assert_str_eq(in->list[1].detail, out->list[1].detail);
    ck_assert_int_eq(in->list[1].bytes, 16);
    ck_assert_uint_eq(in->list[1].frame_count, 1);
    ck_assert_str_eq(in->list[1].frames[0].function, "list_new");
}

START_TEST(what_is_written_reads_back_the_same)
{
    struct result out, in;
    path_make();
    everything_fill(&out);
    everything_write(&out);
    read_back(&in);
    ck_assert_str_eq(in.argv, out.argv);
    ck_assert_str_eq(in.host, out.host);
    ck_assert_str_eq(in.shard, "2/5");
    ck_assert_str_eq(in.partition, "0123456789abcdef");
    ck_assert_str_eq(in.filter, "*/parser/*");
    ck_assert_uint_eq(in.elsewhere_count, 1);
    ck_assert_str_eq(in.elsewhere[0].variant, "lru");
    ck_assert_uint_eq(in.elsewhere[0].shard, 1);
    ck_assert_uint_eq(in.elsewhere[0].shards, 5);
    ck_assert_uint_eq(in.elsewhere[0].count, 2);
    ck_assert_str_eq(in.elsewhere[0].tests[1], "s/t/t\"wo");
    ck_assert_int_eq(in.cap, out.cap);
    ck_assert(in.seed == INT64_MAX);
    ck_assert_uint_eq(in.test_count, 1);
    struct result_test *test = &in.tests[0];
    ck_assert_str_eq(test->id, "s/t/grows[3]");
    ck_assert_str_eq(test->message, "bad byte \xef\xbf\xbd, quote \" and tab\t");
    ck_assert_int_eq(test->status, RESULT_CRASH);
    ck_assert_int_eq(test->verdict, VERDICT_GROWTH);
    ck_assert_int_eq(test->bytes, INT64_MAX);
    ck_assert_int_eq(test->retained_bytes, -5);
    ck_assert(test->growth_bytes_per_rep == 0.1);
    ck_assert_int_eq(test->threads, -1);
    ck_assert_int_eq(test->order, ORDER_POLLUTED);
    ck_assert_str_eq(test->order_by, "s/t/leaves_a_flag");
    ck_assert_str_eq(test->order_message, "it is dirty");
    ck_assert_int_eq(test->left_bytes, 384);
    ck_assert_uint_eq(test->live_by_rep_count, 2);
    ck_assert_int_eq(test->live_by_rep[1], 64);
    ck_assert_uint_eq(test->rss_by_rep_count, 1);
    ck_assert_int_eq(test->rss_by_rep[0], 8192);
    ck_assert(test->frames[0].offset == INT64_MAX);
    memcheck_same(test->memcheck, out.tests[0].memcheck);
    struct result_site *site = &in.sites[0];
    ck_assert_uint_eq(site->frame_count, 2);
    ck_assert_uint_eq(site->frames[1].line, 88);
    ck_assert_int_eq(site->reach, REACH_HELD);
    ck_assert(site->suppressed && site->share == 0.98);
    ck_assert_str_eq(site->held_by[0].symbol, "g_cache");
    ck_assert_uint_eq(site->released_by_count, 2);
    ck_assert_int_eq(site->released_by[0].relation, RELATION_HOLDER);
    ck_assert_int_eq(site->released_by[0].blocks, 10);
    ck_assert_uint_eq(site->released_by[0].wrappers, 1);
    ck_assert_str_eq(site->released_by[0].frames[1].function, "cache_free");
    ck_assert_int_eq(site->released_by[1].relation, RELATION_BESIDE);
    struct result_variant *variant = &in.variants[0];
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        if (i == METRIC_HIT_RATE) {
            ck_assert(isnan(variant->metric[i]));
        } else {
            ck_assert(variant->metric[i] == out.variants[0].metric[i]);
        }
    }
    ck_assert(variant->low[METRIC_WALL] == 1 && variant->high[METRIC_WALL] == 2.5);
    ck_assert(isnan(variant->low[METRIC_BYTES]));
    ck_assert_str_eq(variant->counters[0].name, "fallbacks");
    ck_assert(variant->counters[0].value == 3);
    ck_assert(in.expects[0].ok && in.expects[0].line == 9);
    ck_assert_str_eq(in.notes[0], "no cgroup");
    ck_assert_uint_eq(in.failed, 1);
    ck_assert_uint_eq(in.incomplete, 0);
    result_fini(&in);
    result_fini(&out);
    unlink(path);
}
END_TEST

/* As much of JSON Schema as ours uses. Prints what is wrong. */
static bool schema_holds(const json_t *root, const json_t *schema, const json_t *value)
{
    const char *ref = json_string_value(json_object_get(schema, "$ref"));
    if (ref) {
        schema = json_object_get(json_object_get(root, "$defs"), strrchr(ref, '/') + 1);
        ck_assert_ptr_nonnull(schema);
    }
    const json_t *constant = json_object_get(schema, "const");
    if (constant && !json_equal(constant, value)) {
        return false;
    }
    const json_t *words = json_object_get(schema, "enum"), *word;
    size_t i;
    bool found = !words;
    json_array_foreach(words, i, word)
    {
        found = found || json_equal(word, value);
    }
    const char *type = json_string_value(json_object_get(schema, "type"));
    bool typed = !type || (strcmp(type, "string") == 0 && json_is_string(value)) ||
                 (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
                 (strcmp(type, "number") == 0 && json_is_number(value)) ||
                 (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
                 (strcmp(type, "array") == 0 && json_is_array(value)) ||
                 (strcmp(type, "object") == 0 && json_is_object(value));
    const json_t *minimum = json_object_get(schema, "minimum");
    bool holds =
        found && typed && (!minimum || json_number_value(value) >= json_number_value(minimum));
    const json_t *required = json_object_get(schema, "required"), *name;
    json_array_foreach(required, i, name)
    {
        if (!json_object_get(value, json_string_value(name))) {
            fprintf(stderr, "missing: %s\n", json_string_value(name));
            holds = false;
        }
    }
    const json_t *properties = json_object_get(schema, "properties"), *item;
    const json_t *others = json_object_get(schema, "additionalProperties");
    const char *key;
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        const json_t *of = json_object_get(properties, key);
        of = of ? of : others;
        if (properties && !of) {
            fprintf(stderr, "not in the schema: %s\n", key);
            holds = false;
        } else if (of && !schema_holds(root, of, item)) {
            fprintf(stderr, "against the schema: %s\n", key);
            holds = false;
        }
    }
    const json_t *items = json_object_get(schema, "items");
    json_array_foreach(value, i, item)
    {
        holds = (!items || schema_holds(root, items, item)) && holds;
    }
    return holds;
}

static json_t *schema_load(void)
{
    json_error_t error;
    json_t *schema = json_load_file("docs/result.schema.json", 0, &error);
    ck_assert_msg(schema != NULL, "%s:%d: %s", error.source, error.line, error.text);
    return schema;
}

START_TEST(every_line_keeps_to_the_schema)
{
    struct result result;
    char line[8192];
    path_make();
    everything_fill(&result);
    everything_write(&result);
    json_t *schema = schema_load();
    FILE *file = fopen(path, "r");
    unsigned seen = 0;
    while (fgets(line, sizeof line, file)) {
        json_t *value = json_loads(line, 0, NULL);
        ck_assert_ptr_nonnull(value);
        const char *type = json_string_value(json_object_get(value, "type"));
        const json_t *one = json_object_get(json_object_get(schema, "$defs"), type);
        ck_assert_msg(one != NULL, "no such line type in the schema: %s", type);
        ck_assert_msg(schema_holds(schema, one, value), "%s", line);
        json_decref(value);
        seen++;
    }
    ck_assert_uint_eq(seen, json_array_size(json_object_get(schema, "oneOf")));
    fclose(file);
    json_decref(schema);
    result_fini(&result);
    unlink(path);
}
END_TEST

START_TEST(the_schema_names_every_metric)
{
    json_t *schema = schema_load();
    const json_t *properties =
        json_object_get(json_object_get(json_object_get(schema, "$defs"), "variant"), "properties");
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        ck_assert_msg(json_object_get(properties, result_metrics[i].json) != NULL, "%s",
                      result_metrics[i].json);
    }
    json_decref(schema);
}
END_TEST

/* A copy of the file as it is now is what a kill would leave. */
START_TEST(a_kill_at_any_moment_leaves_a_file_that_says_what_is_missing)
{
    struct result result, in;
    path_make();
    result_init(&result);
    result_set(&result.command, "hunt");
    struct result_writer *writer = result_writer_new(path);
    result_write_run(writer, &result);
    read_back(&in);
    ck_assert_uint_eq(in.incomplete, 1);
    ck_assert_uint_eq(in.cut_short, 1);
    result_fini(&in);
    result_write_expected(writer, 12);
    for (unsigned i = 0; i < 12; i++) {
        char id[32];
        snprintf(id, sizeof id, "s/t/test_%u", i);
        struct result_test *test = result_test_add(&result);
        result_set(&test->id, id);
        test->status = i == 3 ? RESULT_FAIL : i == 4 ? RESULT_SKIP : RESULT_PASS;
        result_write_test(writer, test);
        result_write_test(writer, test); /* its verdict came later */
        read_back(&in);
        ck_assert_uint_eq(in.test_count, i + 1);
        ck_assert_uint_eq(in.incomplete, i < 11 ? 11 - i : 1);
        ck_assert_uint_eq(in.cut_short, i == 11); /* no test is missing, the end is */
        ck_assert_uint_eq(in.failed, i >= 3);
        ck_assert_uint_eq(in.skipped, i >= 4);
        ck_assert_uint_eq(in.passed, i + 1 - (i >= 3) - (i >= 4));
        result_fini(&in);
    }
    result.passed = 10;
    result.failed = result.skipped = 1;
    ck_assert(result_writer_close(&writer, &result));
    read_back(&in);
    ck_assert_uint_eq(in.incomplete, 0);
    ck_assert_uint_eq(in.passed, 10);
    result_fini(&in);
    result_fini(&result);
    unlink(path);
}
END_TEST

START_TEST(the_closing_summary_leaves_no_tail_of_a_longer_one)
{
    struct result result, in;
    path_make();
    result_init(&result);
    struct result_writer *writer = result_writer_new(path);
    result_write_run(writer, &result);
    result_write_expected(writer, 1000000);
    ck_assert(result_writer_close(&writer, &result));
    FILE *file = fopen(path, "r");
    char line[4096];
    unsigned lines = 0;
    while (fgets(line, sizeof line, file)) {
        json_t *value = json_loads(line, 0, NULL);
        ck_assert_ptr_nonnull(value);
        json_decref(value);
        lines++;
    }
    fclose(file);
    ck_assert_uint_eq(lines, 3);
    read_back(&in);
    ck_assert_uint_eq(in.incomplete, 0);
    result_fini(&in);
    result_fini(&result);
    unlink(path);
}
END_TEST

START_TEST(a_pipe_gets_no_provisional_summary)
{
    struct result result;
    char text[4096];
    int ends[2], saved = dup(STDOUT_FILENO);
    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDOUT_FILENO);
    result_init(&result);
    struct result_writer *writer = result_writer_new("-");
    result_write_run(writer, &result);
    result_write_note(writer, "x");
    ck_assert(result_writer_close(&writer, &result));
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while ((got = read(ends[0], text + length, sizeof text - 1 - length)) > 0) {
        length += (size_t)got;
    }
    text[length] = '\0';
    close(ends[0]);
    const char *first = strstr(text, "\"summary\"");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "\"summary\""));
    result_fini(&result);
}
END_TEST

START_TEST(a_full_disk_is_reported_when_the_file_is_closed)
{
    struct result result;
    result_init(&result);
    struct result_writer *writer = result_writer_new("/dev/full");
    ck_assert_ptr_nonnull(writer);
    result_write_run(writer, &result);
    ck_assert(!result_writer_close(&writer, &result));
    ck_assert_int_eq(errno, ENOSPC);
    ck_assert_ptr_null(result_writer_new("/nowhere/at/all"));
    ck_assert_int_eq(errno, ENOENT);
    result_fini(&result);
}
END_TEST

SUITE("result_write", &what_is_written_reads_back_the_same, &every_line_keeps_to_the_schema,
      &the_schema_names_every_metric, &a_kill_at_any_moment_leaves_a_file_that_says_what_is_missing,
      &the_closing_summary_leaves_no_tail_of_a_longer_one, &a_pipe_gets_no_provisional_summary,
      &a_full_disk_is_reported_when_the_file_is_closed)
