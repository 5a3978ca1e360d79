/*
 * scenario_test.c - the scenario reader: values and positions of good files, every file of
 * fixtures/bad against its expected diagnostics, and libcyaml as an independent reader of the same
 * files. Runs in the repository's root, as all tests do.
 */
#include "harness/base/suite.h"
#include "harness/scenario/scenario.h"

#include <cyaml/cyaml.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

static char *diagnostics(const char *path)
{
    struct scenario scenario;
    struct diag diag;
    char *text = NULL;
    size_t length;
    diag_init(&diag);
    bool good = scenario_read(path, &scenario, &diag);
    FILE *out = open_memstream(&text, &length);
    diag_print(&diag, out);
    fclose(out);
    ck_assert_msg(good == (diag.count == 0), "%s: returned %d with %zu diagnostics", path, good,
                  diag.count);
    if (good) {
        scenario_fini(&scenario);
    }
    ck_assert_ptr_null(scenario.variants);
    diag_fini(&diag);
    return text;
}

static char *file_text(const char *path)
{
    FILE *file = fopen(path, "re");
    ck_assert_msg(file != NULL, "%s is missing", path);
    char *text = calloc(1, 1 << 16);
    ck_assert_ptr_nonnull(text);
    size_t length = fread(text, 1, (1 << 16) - 1, file);
    ck_assert_uint_lt(length, (1 << 16) - 1);
    fclose(file);
    return text;
}

START_TEST(every_bad_file_gives_exactly_its_expected_diagnostics)
{
    glob_t files;
    ck_assert_int_eq(glob("fixtures/bad/*.yaml", 0, NULL, &files), 0);
    ck_assert_uint_ge(files.gl_pathc, 60);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char expected[4096];
        snprintf(expected, sizeof expected, "%.*s.expected",
                 (int)(strlen(files.gl_pathv[i]) - strlen(".yaml")), files.gl_pathv[i]);
        char *wanted = file_text(expected), *text = diagnostics(files.gl_pathv[i]);
        ck_assert_msg(wanted[0] != '\0', "%s is empty", expected);
        ck_assert_msg(strcmp(wanted, text) == 0, "%s:\nexpected\n%s\ngot\n%s", files.gl_pathv[i],
                      wanted, text);
        free(wanted);
        free(text);
    }
    globfree(&files);
}
END_TEST

static void reads(const char *path, struct scenario *scenario)
{
    struct diag diag;
    diag_init(&diag);
    if (!scenario_read(path, scenario, &diag)) {
        diag_print(&diag, stdout);
        ck_abort_msg("%s was refused", path);
    }
    diag_fini(&diag);
}

static const struct scenario_expect *expect_find(const struct scenario *scenario, size_t variant,
                                                 const char *metric, size_t n)
{
    for (size_t i = 0; i < scenario->expect_count; i++) {
        const struct scenario_expect *expect = &scenario->expects[i];
        if (expect->variant == variant && strcmp(expect->metric, metric) == 0 && n-- == 0) {
            return expect;
        }
    }
    ck_abort_msg("no expectation of %s", metric);
}

START_TEST(everything_is_read_in_base_units)
{
    struct scenario s;
    reads("fixtures/good/everything.yaml", &s);
    ck_assert_str_eq(s.name, "everything");
    ck_assert_str_eq(s.about, "quotes, colons: and \xc3\xa9");
    ck_assert(s.builtin && strcmp(s.program, "registry") == 0);
    ck_assert_uint_eq(s.suite_count, 4);
    ck_assert_str_eq(s.suite[1].key, "lookups");
    ck_assert_str_eq(s.suite[1].value, "27000");
    ck_assert_str_eq(s.suite[2].value, "1..500");
    ck_assert(s.teardown_given && s.teardown == TEARDOWN_AFTER_SUITE);
    ck_assert_uint_eq(s.memory, 512ull << 20);
    ck_assert_uint_eq(s.timeout_ns, 30000000000ull);
    ck_assert_uint_eq(s.passes, 3);
    ck_assert_uint_eq(s.variant_count, 5);
    ck_assert_str_eq(s.variants[1].strategy, "lru");
    ck_assert_str_eq(s.variants[1].params[1].key, "bytes");
    ck_assert_str_eq(s.variants[1].params[1].value, "4194304");
    ck_assert_str_eq(s.variants[1].params[2].value, "1");
    ck_assert_str_eq(s.variants[2].name, "small");
    ck_assert_str_eq(s.variants[2].strategy, "lru");
    ck_assert_uint_eq(s.variants[2].env_count, 3);
    ck_assert_str_eq(s.variants[2].env[2].value, "de_DE.UTF-8");
    ck_assert(s.variants[3].args_given && s.variants[3].arg_count == 3);
    ck_assert_str_eq(s.variants[3].args[1], "");
    ck_assert_str_eq(s.variants[2].suite[0].key, "threads");
    ck_assert_str_eq(s.variants[2].suite[0].value, "2");
    ck_assert(s.variants[2].teardown_given && s.variants[2].teardown == TEARDOWN_NEVER);
    ck_assert_uint_eq(s.variants[4].line, 11);
    ck_assert_uint_eq(s.variants[4].column, 5);
    scenario_fini(&s);
}
END_TEST

START_TEST(expectations_carry_value_level_and_position)
{
    struct scenario s;
    reads("fixtures/good/everything.yaml", &s);
    static const struct {
        size_t variant, n;
        const char *metric;
        enum scenario_op op;
        double value;
        const char *text;
        bool warn;
        unsigned line, column;
    } rows[] = {
        {0, 0, "verdict", OP_WORD, 0, "clean", false, 16, 14},
        {0, 0, "peak_rss_bytes", OP_LT, 500e6, "< 500 MB", true, 17, 22},
        {0, 1, "peak_rss_bytes", OP_LT, 1e9, "< 1 GB", false, 17, 40},
        {0, 0, "allocs_per_lookup", OP_EQ, 0, "0", false, 18, 24},
        {0, 0, "hit_rate", OP_GE, 0.8, ">= 80 %", false, 19, 15},
        {0, 0, "lookup_ns_p50", OP_LE, 49.5, "<= 49.5 ns", false, 20, 17},
        {1, 0, "retained_bytes", OP_GE, 1024, "1 KiB .. 8 KiB", false, 22, 15},
        {1, 1, "retained_bytes", OP_LE, 8192, "1 KiB .. 8 KiB", false, 22, 15},
        {1, 0, "evictions", OP_GT, 1000, "> 1,000", false, 23, 16},
        {1, 0, "live_bytes_end", OP_EQ, 4096, "4096", false, 24, 21},
        {4, 0, "stopped_by", OP_WORD, 0, "memory", false, 25, 49},
        {4, 0, "culprit", OP_WORD, 0, "registry/*", false, 25, 66},
        {1, 0, "counter.cache_bytes", OP_LT, 1e6, "< 1 MB", false, 26, 86},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct scenario_expect *e =
            expect_find(&s, rows[i].variant, rows[i].metric, rows[i].n);
        ck_assert_msg(e->op == rows[i].op && e->value == rows[i].value && e->warn == rows[i].warn &&
                          strcmp(e->text, rows[i].text) == 0,
                      "row %zu: op %d value %g '%s' warn %d", i, e->op, e->value, e->text, e->warn);
        ck_assert_msg(e->line == rows[i].line && e->column == rows[i].column, "row %zu at %u:%u", i,
                      e->line, e->column);
    }
    scenario_fini(&s);
}
END_TEST

START_TEST(all_holds_for_every_variant_that_says_nothing_itself)
{
    struct scenario s;
    reads("fixtures/good/everything.yaml", &s);
    for (size_t i = 0; i < s.variant_count; i++) {
        ck_assert_double_eq(expect_find(&s, i, "failed", 0)->value, 0);
        ck_assert_uint_eq(expect_find(&s, i, "failed", 0)->line, 26);
        if (i > 0) {
            ck_assert_double_eq(expect_find(&s, i, "peak_rss_bytes", 0)->value, 2e9);
            ck_assert_double_eq(expect_find(&s, i, "hit_rate", 0)->value, 0.1);
            ck_assert_double_eq(expect_find(&s, i, "hit_rate", 1)->value, 1);
        }
    }
    size_t of_direct = 0;
    for (size_t i = 0; i < s.expect_count; i++) {
        ck_assert(i == 0 || s.expects[i - 1].variant <= s.expects[i].variant);
        of_direct += s.expects[i].variant == 0;
    }
    ck_assert_uint_eq(of_direct, 8); /* its own six, `failed` and the counter */
    scenario_fini(&s);
}
END_TEST

START_TEST(a_user_program_has_args_and_environment_and_no_strategy)
{
    struct scenario s;
    reads("fixtures/good/user-program.yaml", &s);
    ck_assert(!s.builtin);
    ck_assert_uint_eq(s.arg_count, 3);
    ck_assert_str_eq(s.args[2], "4");
    ck_assert_str_eq(s.variants[0].strategy, "");
    ck_assert_str_eq(s.variants[0].env[0].value, "plain");
    ck_assert_str_eq(s.variants[2].program, "../other/check_mine");
    ck_assert_str_eq(s.variants[2].args[0], "--quiet");
    ck_assert_double_eq(expect_find(&s, 1, "retained_bytes", 0)->value, 65536);
    scenario_fini(&s);
}
END_TEST

START_TEST(the_shortest_scenario_looks_up_directly)
{
    struct scenario s;
    reads("fixtures/good/shortest.yaml", &s);
    ck_assert_uint_eq(s.variant_count, 1);
    ck_assert_str_eq(s.variants[0].name, "direct");
    ck_assert(!s.teardown_given);
    ck_assert_uint_eq(s.passes, 0);
    scenario_fini(&s);
}
END_TEST

START_TEST(the_normal_form_of_every_good_file_reads_the_same)
{
    glob_t files;
    ck_assert_int_eq(glob("fixtures/good/*.yaml", 0, NULL, &files), 0);
    glob("scenarios/*.yaml", GLOB_APPEND, NULL, &files);
    ck_assert_uint_ge(files.gl_pathc, 5);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct scenario one, two;
        struct diag diag;
        struct text first = {0}, second = {0};
        diag_init(&diag);
        reads(files.gl_pathv[i], &one);
        scenario_write(&one, &first);
        bool good = scenario_parse(files.gl_pathv[i], first.data, first.length, &two, &diag);
        ck_assert_msg(good, "%s: %s\n%s", files.gl_pathv[i], good ? "" : diag.items[0].text,
                      first.data);
        scenario_write(&two, &second);
        ck_assert_str_eq(first.data, second.data);
        ck_assert_uint_eq(one.variant_count, two.variant_count);
        ck_assert_uint_eq(one.expect_count, two.expect_count);
        for (size_t j = 0; j < one.expect_count; j++) {
            ck_assert_uint_eq(one.expects[j].variant, two.expects[j].variant);
            ck_assert_str_eq(one.expects[j].metric, two.expects[j].metric);
            ck_assert_int_eq(one.expects[j].op, two.expects[j].op);
            ck_assert_double_eq(one.expects[j].value, two.expects[j].value);
            ck_assert_int_eq(one.expects[j].warn, two.expects[j].warn);
        }
        scenario_fini(&one);
        scenario_fini(&two);
        text_fini(&first);
        text_fini(&second);
        diag_fini(&diag);
    }
    globfree(&files);
}
END_TEST

/* What libcyaml can say with a schema: the keys of fixed shape. */
struct fixed {
    char *scenario, *about;
    int teardown;
    unsigned passes;
    struct {
        char *program;
    } suite;
};

static void *cyaml_memory(void *context, void *memory, size_t size)
{
    (void)context;
    if (size == 0) {
        free(memory);
        return NULL;
    }
    return realloc(memory, size);
}

START_TEST(libcyaml_reads_the_same_values)
{
    static const cyaml_strval_t teardowns[] = {{"per-test", TEARDOWN_PER_TEST},
                                               {"per-module", TEARDOWN_PER_MODULE},
                                               {"after-suite", TEARDOWN_AFTER_SUITE},
                                               {"never", TEARDOWN_NEVER}};
    static const cyaml_schema_field_t suite_fields[] = {
        CYAML_FIELD_STRING_PTR("program", CYAML_FLAG_POINTER, struct fixed, suite.program, 1, 200),
        CYAML_FIELD_END};
    /* `program` is addressed from the start of the whole struct, so the map begins there, too. */
    static const cyaml_schema_field_t fields[] = {
        CYAML_FIELD_STRING_PTR("scenario", CYAML_FLAG_POINTER, struct fixed, scenario, 1, 200),
        CYAML_FIELD_STRING_PTR("about", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct fixed,
                               about, 0, 1000),
        CYAML_FIELD_ENUM("teardown", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct fixed,
                         teardown, teardowns, 4),
        CYAML_FIELD_UINT("passes", CYAML_FLAG_OPTIONAL, struct fixed, passes),
        {.key = "suite",
         .value = {.type = CYAML_MAPPING,
                   .flags = CYAML_FLAG_DEFAULT,
                   .data_size = sizeof(struct fixed),
                   .mapping = {.fields = suite_fields}},
         .data_offset = 0},
        CYAML_FIELD_END};
    static const cyaml_schema_value_t schema = {
        CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct fixed, fields)};
    static const cyaml_config_t config = {.mem_fn = cyaml_memory,
                                          .log_fn = cyaml_log,
                                          .log_level = CYAML_LOG_ERROR,
                                          .flags = CYAML_CFG_IGNORE_UNKNOWN_KEYS};
    static const char *const files[] = {"fixtures/good/everything.yaml",
                                        "fixtures/good/user-program.yaml",
                                        "fixtures/good/json.yaml"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct fixed *fixed = NULL;
        struct scenario s;
        cyaml_err_t error =
            cyaml_load_file(files[i], &config, &schema, (cyaml_data_t **)&fixed, NULL);
        ck_assert_msg(error == CYAML_OK, "%s: %s", files[i], cyaml_strerror(error));
        reads(files[i], &s);
        ck_assert_str_eq(s.name, fixed->scenario);
        ck_assert_str_eq(s.about, fixed->about ? fixed->about : "");
        ck_assert_str_eq(s.program, fixed->suite.program);
        ck_assert_int_eq((int)s.teardown, fixed->teardown);
        ck_assert_uint_eq(s.passes, fixed->passes);
        cyaml_free(&config, &schema, fixed, 0);
        scenario_fini(&s);
    }
}
END_TEST

START_TEST(files_that_are_no_scenario_are_named_as_what_they_are)
{
    char path[] = "/tmp/tidemark-scenario-XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(ftruncate(file, 1 << 30), 0); /* sparse */
    close(file);
    char expected[100];
    snprintf(expected, sizeof expected,
             "%s: a scenario has at most 1 MiB (1.05 MB), this is 1.07 GB\n", path);
    char *text = diagnostics(path);
    ck_assert_str_eq(text, expected);
    free(text);
    unlink(path);

    static const char *const rows[][2] = {
        {"/dev/zero", "/dev/zero: a scenario has at most 1 MiB (1.05 MB), this is larger\n"},
        {"fixtures", "fixtures: is a folder, not a scenario\n"},
        {"fixtures/good/evrything.yaml",
         "fixtures/good/evrything.yaml: No such file or directory; did you mean "
         "'fixtures/good/everything.yaml'?\n"},
        {"/nowhere/at/all.yaml", "/nowhere/at/all.yaml: No such file or directory\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        text = diagnostics(rows[i][0]);
        ck_assert_str_eq(text, rows[i][1]);
        free(text);
    }
}
END_TEST

START_TEST(an_unknown_strategy_that_is_near_nothing_gets_the_list)
{
    static const char bytes[] = "scenario: x\nsuite: registry\nvariants: [elephant]\n";
    struct scenario scenario;
    struct diag diag;
    diag_init(&diag);
    ck_assert(!scenario_parse("x.yaml", bytes, strlen(bytes), &scenario, &diag));
    ck_assert_uint_eq(diag.count, 1);
    ck_assert_ptr_nonnull(
        strstr(diag.items[0].text, "unknown strategy 'elephant'; known here: direct, lru, "));
    diag_fini(&diag);
}
END_TEST

SUITE("scenario", &every_bad_file_gives_exactly_its_expected_diagnostics,
      &everything_is_read_in_base_units, &expectations_carry_value_level_and_position,
      &all_holds_for_every_variant_that_says_nothing_itself,
      &a_user_program_has_args_and_environment_and_no_strategy,
      &the_shortest_scenario_looks_up_directly, &the_normal_form_of_every_good_file_reads_the_same,
      &libcyaml_reads_the_same_values, &files_that_are_no_scenario_are_named_as_what_they_are,
      &an_unknown_strategy_that_is_near_nothing_gets_the_list)
