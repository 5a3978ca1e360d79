/* baseline.c - `tidemark baseline save|check|update`: a result kept in the repository, and what is
 * held against it. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/cli/command.h"
#include "harness/report/difference.h"
#include "harness/result/result_merge.h"
#include "harness/result/result_write.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BASELINE_FILE "tidemark-baseline.jsonl"
#define SITES_MAX     100000
#define SHOWN         20

static int merged_load(const char *const *paths, size_t count, struct result *result)
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
        fprintf(stderr, "tidemark baseline: %zu tests are without a result\n", result->incomplete);
    }
    return merge != RESULT_MERGE_DONE || result->incomplete > 0 ? COMMAND_OURS : COMMAND_MET;
}

static int test_compare(const void *left, const void *right)
{
    const struct result_test *a = left, *b = right;
    int order = strcmp(a->id, b->id);
    return order ? order : strcmp(a->variant, b->variant);
}

/* Takes a measure out of the baseline when two runs disagree on it: what is not there is not
 * compared, so it never makes a build red. */
static size_t field_settle(int64_t *kept, int64_t other)
{
    if (*kept == other || *kept == RESULT_UNMEASURED) {
        return 0;
    }
    *kept = RESULT_UNMEASURED;
    return 1;
}

/* Leaves what a baseline holds: counts, bytes, verdicts, no times, no paths of this machine. */
static size_t test_settle(struct result_test *test, const struct result_test *again)
{
    size_t dropped = 0;
    if (again) {
        dropped += field_settle(&test->allocs, again->allocs);
        dropped += field_settle(&test->frees, again->frees);
        dropped += field_settle(&test->bytes, again->bytes);
        dropped += field_settle(&test->retained_bytes, again->retained_bytes);
        dropped += field_settle(&test->retained_blocks, again->retained_blocks);
        dropped += field_settle(&test->peak_live_bytes, again->peak_live_bytes);
        if (test->verdict != again->verdict) {
            test->verdict = VERDICT_NONE;
            dropped++;
        }
    }
    test->wall_ns = test->peak_rss_bytes = test->live_bytes = RESULT_UNMEASURED;
    test->live_by_rep_count = 0;
    result_set(&test->horizon, "");
    return dropped;
}

/* The baseline is written beside its place and renamed, so that a full disk leaves the old one. */
static bool baseline_write(const char *path, struct result *result, struct result *again)
{
    char *part = memory_format("%s.part", path);
    struct result_writer *writer = result_writer_new(part);
    bool ok = writer != NULL;
    size_t dropped = 0;
    if (ok) {
        struct result_reader *lookup = again ? result_reader_new(again, 0) : NULL;
        result_set(&result->argv, "");
        result_set(&result->host, "");
        result_set(&result->started, "");
        result_write_run(writer, result);
        qsort(result->tests, result->test_count, sizeof result->tests[0], test_compare);
        for (size_t i = 0; i < result->test_count; i++) {
            struct result_test *test = &result->tests[i];
            size_t at;
            bool twice = lookup && result_reader_find(lookup, test->id, test->variant, &at);
            dropped += test_settle(test, twice ? &again->tests[at] : NULL);
            result_write_test(writer, test);
        }
        for (size_t i = 0; i < result->site_count; i++) {
            result_write_site(writer, &result->sites[i]);
        }
        result_reader_free(&lookup);
        ok = result_writer_close(&writer, result);
    }
    ok = ok && rename(part, path) == 0;
    if (!ok) {
        fprintf(stderr, "tidemark baseline: %s: %s\n", path, strerror(errno));
        unlink(part);
    } else if (dropped > 0) {
        fprintf(stderr, "%zu figures differ between the two runs and are not in the baseline\n",
                dropped);
    }
    free(part);
    return ok;
}

static int baseline_save(const char *path, struct result *result, struct result *again)
{
    if (!baseline_write(path, result, again)) {
        return COMMAND_OURS;
    }
    fprintf(stderr, "wrote %s\n", path);
    printf("%zu passed, 0 failed, 0 skipped\n", result->test_count);
    return COMMAND_MET;
}

static int baseline_hold(const struct command_line *line, const char *path, struct result *result,
                         struct result *again, bool update)
{
    struct result base;
    struct differences differences = {0};
    result_init(&base);
    int status = merged_load(&path, 1, &base);
    if (status != COMMAND_MET) {
        result_fini(&base);
        return status;
    }
    double tolerance = command_number(line, "tolerance", 0.01);
    double fail = command_number(line, "fail-beyond", tolerance);
    struct difference_limits limits = {tolerance, fail > tolerance ? fail : tolerance};
    differences_find(&differences, &base, result, again, limits, false);
    differences_print(&differences, SHOWN, stdout, table_terminal_width(stdout), line->color);
    const size_t *kinds = differences.kinds;
    bool broken = differences_broken(&differences);
    size_t failed = kinds[DIFFERENCE_WORSE] + kinds[DIFFERENCE_NEW_BAD];
    size_t passed = result->test_count - failed - kinds[DIFFERENCE_UNSTABLE];
    size_t unstable = kinds[DIFFERENCE_UNSTABLE];
    bool worth = kinds[DIFFERENCE_BETTER] + kinds[DIFFERENCE_NEW] + kinds[DIFFERENCE_GONE] > 0;
    status = broken ? COMMAND_BROKEN : COMMAND_MET;
    if (update && broken && !command_flag(line, "accept")) {
        printf("not updated: something is worse; --accept takes it over\n");
    } else if (update) {
        /* The differences borrow from the result that is sorted and stripped now. */
        status = baseline_write(path, result, again) ? COMMAND_MET : COMMAND_OURS;
        failed = 0;
        passed = result->test_count - unstable;
    } else if (worth && !broken) {
        printf("the baseline can be tightened: tidemark baseline update\n");
    }
    printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, unstable);
    differences_fini(&differences);
    result_fini(&base);
    return status;
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
        return command_usage_error(line, "'%s' is none of save, check, update", verb);
    }
    path = path ? path : BASELINE_FILE;
    result_init(&result);
    result_init(&again);
    int status =
        merged_load((const char *const *)line->operands + 1, line->operand_count - 1, &result);
    if (status == COMMAND_MET && again_path) {
        status = merged_load(&again_path, 1, &again);
    }
    if (status == COMMAND_MET) {
        struct result *second = again_path ? &again : NULL;
        status = v == 0 ? baseline_save(path, &result, second)
                        : baseline_hold(line, path, &result, second, v == 2);
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
    {"accept", 0, OPTION_FLAG, NULL, "update: take over what is worse, too", NULL, false},
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
        "itself. update only tightens, unless --accept is given.",
    .examples = examples,
    .words = verbs,
    .run = baseline_run,
};
