/* baseline.c - `tidemark baseline save|check|update`: a result kept in the repository, and what is
 * held against it. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/unit.h"
#include "harness/base/whole_file.h"
#include "harness/cli/output.h"
#include "harness/report/describe.h"
#include "harness/report/difference.h"
#include "harness/report/location.h"
#include "harness/result/result_merge.h"
#include "harness/result/result_printable.h"
#include "harness/result/result_write.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BASELINE_FILE "tidemark-baseline.jsonl"
#define SITES_MAX     25000 /* beyond these, call sites are not held: memory is bounded */

static int merged_load(const struct command_line *line, const char *const *paths, size_t count,
                       struct result *result)
{
    struct diag diag;
    diag_init(&diag);
    enum result_merge merge = result_merge(result, paths, count, SITES_MAX, &diag);
    diag_print(&diag, stderr);
    diag_fini(&diag);
    if (merge == RESULT_MERGE_BAD) {
        return COMMAND_USAGE;
    }
    if (merge == RESULT_MERGE_DONE && result->incomplete > 0) {
        struct text reason = {0};
        text_put(&reason, "incomplete: ");
        describe_incomplete(&reason, result);
        output_complain(line, paths[0], reason.data);
        text_fini(&reason);
    }
    return merge != RESULT_MERGE_DONE || result->incomplete > 0 ? COMMAND_OURS : COMMAND_MET;
}

/* What a gate is held against or made of must have measured something: else it would be green for
 * nothing, or the baseline empty. */
static int measured_load(const struct command_line *line, const char *const *paths, size_t count,
                         struct result *result)
{
    int status = merged_load(line, paths, count, result);
    if (status == COMMAND_MET && result_nothing_judged(result)) {
        struct text reason = {0};
        describe_nothing(&reason, result);
        output_complain(line, paths[0], reason.data);
        text_fini(&reason);
        status = COMMAND_NOTHING;
    }
    return status;
}

/* A baseline is the user's input: one that is cut off is no failure of ours. */
static int baseline_load(const struct command_line *line, const char *path, struct result *base)
{
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        fprintf(stderr, "tidemark baseline: %s: there is none; tidemark baseline save makes one\n",
                path);
        return COMMAND_USAGE;
    }
    int status = merged_load(line, &path, 1, base);
    return status == COMMAND_MET ? COMMAND_MET : COMMAND_USAGE;
}

static int test_compare(const void *left, const void *right)
{
    const struct result_test *a = left, *b = right;
    int order = strcmp(a->id, b->id);
    return order ? order : strcmp(a->variant, b->variant);
}

/* The peak above what was alive before the last repetition, as differences are made of it. */
static void peak_settle(struct result_test *test)
{
    if (test->peak_live_bytes != RESULT_UNMEASURED && test->live_bytes != RESULT_UNMEASURED) {
        int64_t kept = test->retained_bytes > 0 ? test->retained_bytes : 0;
        int64_t above = test->peak_live_bytes - (test->live_bytes - kept);
        test->peak_live_bytes = above > 0 ? above : 0;
        test->live_bytes = kept;
    }
}

/* What a baseline holds of a test. */
static const struct held {
    size_t offset;
    bool bytes;
} held[] = {
    {offsetof(struct result_test, allocs), false},
    {offsetof(struct result_test, frees), false},
    {offsetof(struct result_test, bytes), true},
    {offsetof(struct result_test, retained_bytes), true},
    {offsetof(struct result_test, retained_blocks), false},
    {offsetof(struct result_test, peak_live_bytes), true},
    {offsetof(struct result_test, fds), false},
    {offsetof(struct result_test, threads), false},
};
#define HELD (sizeof held / sizeof held[0])

static int64_t *held_get(struct result_test *test, size_t h)
{
    return (int64_t *)((char *)test + held[h].offset);
}

/* Takes a measure out of the baseline when two runs disagree on it: what is not there is not
 * compared, so it never makes a build red. How many. */
static size_t test_settle(struct result_test *test, struct result_test *again, double tolerance)
{
    size_t dropped = 0;
    for (size_t h = 0; h < HELD; h++) {
        int64_t *kept = held_get(test, h), other = *held_get(again, h);
        double most = held[h].bytes ? tolerance * fabs((double)*kept) : 0;
        if (*kept != RESULT_UNMEASURED && fabs((double)(*kept - other)) > most) {
            *kept = RESULT_UNMEASURED;
            dropped++;
        }
    }
    if (test->verdict != again->verdict) {
        test->verdict = VERDICT_NONE;
        dropped++;
    }
    return dropped;
}

/* An update only tightens: where the new run is a little worse, the old figure stays, and what was
 * left out as unstable stays out. */
static void test_tighten(struct result_test *test, struct result_test *base)
{
    for (size_t h = 0; h < HELD; h++) {
        int64_t old = *held_get(base, h), *kept = held_get(test, h);
        *kept = old < *kept ? old : *kept; /* RESULT_UNMEASURED is the least of all */
    }
}

/* No times, no state of this machine. */
static void test_strip(struct result_test *test)
{
    test->wall_ns = test->peak_rss_bytes = RESULT_UNMEASURED;
    test->live_by_rep_count = test->live_at_rep_count = test->rss_by_rep_count = 0;
    result_set(&test->horizon, "");
    char *file = memory_copy(location_relative(test->file));
    result_set(&test->file, file);
    free(file);
}

static void site_strip(struct result_site *site)
{
    for (size_t i = 0; i < site->frame_count; i++) {
        char *file = memory_copy(location_relative(site->frames[i].file));
        char *module = memory_copy(location_relative(site->frames[i].module));
        result_set(&site->frames[i].file, file);
        result_set(&site->frames[i].module, module);
        free(file);
        free(module);
    }
}

/* Of the suite as a whole, the verdict: its sums and times are not held. */
static void variants_write(struct result_writer *writer, const struct result *result)
{
    struct result_variant kept = {.stopped_by = "",
                                  .culprit = "",
                                  .horizon = "",
                                  .projection = "",
                                  .shard = "",
                                  .kept_bytes = NAN};
    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        kept.metric[m] = kept.low[m] = kept.high[m] = NAN;
    }
    for (size_t i = 0; i < result->variant_count; i++) {
        kept.name = result->variants[i].name;
        kept.verdict = result->variants[i].verdict;
        result_write_variant(writer, &kept);
    }
}

struct baseline {
    const char *path;
    double tolerance;
    struct result *again, *tighten; /* NULL: no second run, nothing to be tightened */
};

static struct result_test *test_like(struct result *result, struct result_reader *lookup,
                                     const struct result_test *test)
{
    size_t at;
    return lookup && result_reader_find(lookup, test->id, test->variant, &at) ? &result->tests[at]
                                                                              : NULL;
}

static size_t tests_write(struct result_writer *writer, const struct baseline *baseline,
                          struct result *result)
{
    struct result *again = baseline->again, *old = baseline->tighten;
    struct result_reader *in_again = again ? result_reader_new(again, 0) : NULL;
    struct result_reader *in_old = old ? result_reader_new(old, 0) : NULL;
    size_t dropped = 0;
    qsort(result->tests, result->test_count, sizeof result->tests[0], test_compare);
    for (size_t i = 0; i < result->test_count; i++) {
        struct result_test *test = &result->tests[i];
        struct result_test *second = test_like(again, in_again, test);
        struct result_test *before = test_like(old, in_old, test);
        peak_settle(test);
        if (second) {
            peak_settle(second);
            dropped += test_settle(test, second, baseline->tolerance);
        }
        if (before) {
            test_tighten(test, before);
        }
        test_strip(test);
        result_write_test(writer, test);
    }
    result_reader_free(&in_again);
    result_reader_free(&in_old);
    return dropped;
}

static void places_write(struct result_writer *writer, struct result *result)
{
    bool all = result->sites_hidden == 0;
    for (size_t i = 0; i < result->site_count && all; i++) {
        site_strip(&result->sites[i]);
        result_write_site(writer, &result->sites[i]);
    }
    for (size_t i = 0; i < result->birth_count; i++) {
        site_strip(&result->births[i]);
        result_write_birth(writer, &result->births[i]);
    }
}

static void expects_write(struct result_writer *writer, const struct result *result)
{
    for (size_t i = 0; i < result->expect_count; i++) {
        struct result_expect kept = result->expects[i]; /* borrowed */
        kept.file = (char *)location_relative(kept.file);
        result_write_expect(writer, &kept);
    }
}

/* The baseline is written beside its place and renamed, so that a full disk leaves the old one. A
 * symbolic link stays one: what it leads to is replaced. */
static bool baseline_write(const struct baseline *baseline, struct result *result)
{
    char *path = whole_file_target(baseline->path), *part = memory_format("%s.part", path);
    struct result_writer *writer = result_writer_new(part);
    bool ok = writer != NULL;
    size_t dropped = 0;
    if (ok) {
        result_set(&result->argv, "");
        result_set(&result->host, "");
        result_set(&result->started, "");
        result_write_run(writer, result);
        dropped = tests_write(writer, baseline, result);
        variants_write(writer, result);
        places_write(writer, result);
        expects_write(writer, result);
        result_count(result);
        ok = result_writer_close(&writer, result);
    }
    ok = ok && rename(part, path) == 0;
    if (!ok) {
        fprintf(stderr, "tidemark baseline: %s: %s\n", baseline->path, strerror(errno));
        unlink(part);
    } else {
        fprintf(stderr, "wrote %s\n", baseline->path);
        if (dropped > 0) {
            fprintf(stderr, "%zu figures differ between the two runs and are not in it\n", dropped);
        }
    }
    free(part);
    free(path);
    return ok;
}

/* A result of some of the tests says nothing of the others: they stay in the baseline. Returns
 * false, with a line that says why, if it would lose some. */
static bool partial_refuse(const struct command_line *line, const struct result *result,
                           const char *path, size_t gone)
{
    char count[UNIT_TEXT_BYTES];
    struct text filter = {0};
    if (gone == 0 || !result->filter[0] || command_flag(line, "accept")) {
        return false;
    }
    printable_put(&filter, result->filter);
    fprintf(stderr,
            "tidemark baseline: %s: not written: the result is of the tests like %s only, and %s "
            "of the baseline %s not among them; --accept drops %s\n",
            path, text_peek(&filter), unit_count(count, (double)gone), gone == 1 ? "is" : "are",
            gone == 1 ? "it" : "them");
    text_fini(&filter);
    return true;
}

/* Tests of the baseline that stands there, if one does, and not of this result. */
static size_t gone_count(const char *path, struct result *result)
{
    struct result base;
    struct diag diag;
    size_t gone = 0, at;
    result_init(&base);
    diag_init(&diag);
    if (result_read(path, &base, &diag)) {
        struct result_reader *reader = result_reader_new(result, 0);
        for (size_t i = 0; i < base.test_count; i++) {
            gone += !result_reader_find(reader, base.tests[i].id, base.tests[i].variant, &at);
        }
        result_reader_free(&reader);
    }
    diag_fini(&diag);
    result_fini(&base);
    return gone;
}

static int baseline_save(const struct command_line *line, const struct baseline *baseline,
                         struct result *result)
{
    if (result->filter[0] &&
        partial_refuse(line, result, baseline->path, gone_count(baseline->path, result))) {
        return COMMAND_USAGE;
    }
    if (!baseline_write(baseline, result)) {
        return COMMAND_OURS;
    }
    size_t suites = 0;
    for (size_t i = 0; i < result->variant_count; i++) {
        suites += result_suite_counts(result, &result->variants[i]);
    }
    printf("%zu passed, 0 failed, 0 skipped\n", result->test_count + suites + result->expect_count);
    return COMMAND_MET;
}

/* Checked, and with `update` written anew. */
static int baseline_hold(const struct command_line *line, const struct baseline *baseline,
                         struct result *result, bool update)
{
    struct result base;
    struct differences differences = {0};
    result_init(&base);
    int status = baseline_load(line, baseline->path, &base);
    if (status != COMMAND_MET) {
        result_fini(&base);
        return status;
    }
    double fail = command_number(line, "fail-beyond", baseline->tolerance);
    struct difference_limits limits = {baseline->tolerance, fmax(fail, baseline->tolerance)};
    differences_find(&differences, &base, result, baseline->again, limits, false);
    differences_print(&differences, line->verbose > 0, stdout, table_terminal_width(stdout),
                      line->color);
    bool written = output_differences(line, &differences);
    const size_t *kinds = differences.kinds;
    bool broken = differences_broken(&differences), accept = command_flag(line, "accept");
    size_t passed, failed, unstable;
    differences_count(&differences, &passed, &failed, &unstable);
    size_t dropped = result->filter[0] ? 0 : kinds[DIFFERENCE_GONE];
    bool worth = kinds[DIFFERENCE_BETTER] + kinds[DIFFERENCE_NEW] + dropped > 0;
    bool nothing = differences_nothing(&differences);
    status = broken ? COMMAND_BROKEN : nothing ? COMMAND_NOTHING : COMMAND_MET;
    if (nothing) {
        fprintf(stderr,
                "tidemark baseline: %s: nothing was compared: the result has none of its "
                "tests; tidemark baseline save makes another\n",
                baseline->path);
    } else if (update && broken && !accept) {
        printf("not updated: something is worse; --accept takes it over\n");
    } else if (update && partial_refuse(line, result, baseline->path, kinds[DIFFERENCE_GONE])) {
        status = COMMAND_USAGE;
    } else if (update) {
        /* The differences borrow from the result, which is sorted and stripped now. */
        differences_fini(&differences);
        struct baseline tighter = *baseline;
        tighter.tighten = accept ? NULL : &base;
        status = baseline_write(&tighter, result) ? COMMAND_MET : COMMAND_OURS;
        passed += failed;
        failed = 0;
    } else if (worth && !broken) {
        printf("the baseline can be tightened: tidemark baseline update\n");
    } else if (broken && !baseline->again) {
        printf("different from run to run? hunt once more, into another file: baseline check "
               "--again FILE\n");
    }
    printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, unstable);
    differences_fini(&differences);
    result_fini(&base);
    return written ? status : COMMAND_OURS;
}

static const char *const verbs[] = {"save", "check", "update", NULL};

static int baseline_run(struct command_line *line)
{
    const char *verb = line->operands[0], *again_path = command_text(line, "again");
    const char *path = command_text(line, "file");
    struct result result, again;
    size_t v = 0;
    while (verbs[v] && strcmp(verbs[v], verb) != 0) {
        v++;
    }
    if (!verbs[v]) {
        return command_word_error(line, "verb", verb, verbs, v);
    }
    result_init(&result);
    result_init(&again);
    struct baseline baseline = {.path = path ? path : BASELINE_FILE,
                                .tolerance = command_number(line, "tolerance", 0.01)};
    int status = measured_load(line, (const char *const *)line->operands + 1,
                               line->operand_count - 1, &result);
    if (status == COMMAND_MET && again_path) {
        status = measured_load(line, &again_path, 1, &again);
        baseline.again = &again;
    }
    if (status == COMMAND_MET) {
        status = v == 0 ? baseline_save(line, &baseline, &result)
                        : baseline_hold(line, &baseline, &result, v == 2);
    }
    result_fini(&result);
    result_fini(&again);
    return status;
}

static const struct option_spec options[] = {
    {"file", 'f', OPTION_FILE, "FILE", "the baseline; " BASELINE_FILE " when not given", NULL,
     false},
    {"again", 0, OPTION_FILE, "RESULT",
     "a second run of the same program: what differs between the two is unstable and gates nothing",
     NULL, false},
    {"tolerance", 0, OPTION_NUMBER, "SHARE",
     "bytes and peaks that differ by less are the same; 1 % when not given", NULL, false},
    {"fail-beyond", 0, OPTION_NUMBER, "SHARE",
     "bytes and peaks: warn up to here; the tolerance when not given", NULL, false},
    OUTPUT_MARKDOWN_OPTION,
    {"accept", 0, OPTION_FLAG, NULL,
     "take over what is worse, too, and drop the tests that a filtered result does not have", NULL,
     false},
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL, false},
};

static const char *const examples[] = {
    "tidemark hunt --json r.jsonl -- ./check_x\ta result",
    "tidemark baseline save r.jsonl\tkeep it, in the repository",
    "tidemark baseline check r.jsonl\tfails only on what is new",
    NULL,
};

const struct command command_baseline = {
    .name = "baseline",
    .about = "keeps a result as a baseline, and fails a build only on what is worse than it",
    .operands = "save|check|update RESULT...",
    .operand_min = 2,
    .operand_max = COMMAND_MANY,
    .options = options,
    .detail =
        "Several RESULTs are shards of one run and are merged first: a baseline is by test and "
        "call site, never by shard.\n"
        "Counts are held exactly; bytes and peaks within a tolerance. New tests, gone tests and "
        "improvements are told apart and fail nothing, unless a new test fails or grows by "
        "itself. What failed or grew before, and does so still, is no difference. update only "
        "tightens, unless --accept is given.",
    .examples = examples,
    .words = verbs,
    .run = baseline_run,
};
