/* codequality.c - GitLab's code quality report: an array of issues with a fingerprint that survives
 * moved lines (test, verdict and function make it, not the line). Supervisor only. */
#include "harness/report/describe.h"
#include "harness/report/location.h"
#include "harness/report/renderer.h"
#include "harness/result/json_write.h"
#include "harness/result/result_index.h"

#include <inttypes.h>
#include <string.h>

void render_codequality(const struct result *result, FILE *out);

static const char *severity(const struct result *result, const struct result_test *test)
{
    if (!result_test_failed(result, test)) {
        return "info";
    }
    return test->status != RESULT_PASS       ? "blocker"
           : test->verdict == VERDICT_LEAK   ? "critical"
           : test->verdict == VERDICT_GROWTH ? "critical"
                                             : "major";
}

static void issue_put(struct text *text, const char *description, const char *check,
                      uint64_t fingerprint, const char *level, const char *path, unsigned line)
{
    char print[24];
    snprintf(print, sizeof print, "%016" PRIx64, fingerprint);
    json_open(text, NULL, '{');
    json_text(text, "description", description);
    json_text(text, "check_name", check);
    json_text(text, "fingerprint", print);
    json_text(text, "severity", level);
    json_open(text, "location", '{');
    json_text(text, "path", path);
    json_open(text, "lines", '{');
    json_unsigned(text, "begin", line);
    json_close(text, '}');
    json_close(text, '}');
    json_close(text, '}');
}

static void test_put(struct text *text, const struct result *result, const struct result_test *test)
{
    struct text description = {0}, key = {0};
    struct location location = location_of_test(result, test);
    const char *name = describe_test_word(test);
    size_t next = 0;
    const struct result_site *site = describe_site_next(result, test->id, test->variant, &next);
    const struct result_frame *place =
        site ? describe_place(site->frames, site->frame_count) : NULL;
    text_format(&description, "%s ", test->id);
    describe_test(&description, result, test);
    text_format(&key, "%s %s %s", name, test->variant, place ? place->function : "");
    /* An issue needs a path; a finding without one belongs to the test's name. */
    issue_put(text, description.data, name, result_hash(test->id, key.data), severity(result, test),
              location.file[0] ? location.file : test->id, location.line);
    text_fini(&description);
    text_fini(&key);
}

void render_codequality(const struct result *result, FILE *out)
{
    struct text text = {0};
    json_open(&text, NULL, '[');
    for (size_t i = 0; i < result->test_count; i++) {
        if (describe_test_finding(result, &result->tests[i])) {
            test_put(&text, result, &result->tests[i]);
        }
    }
    for (size_t i = 0; i < result->expect_count; i++) {
        const struct result_expect *expect = &result->expects[i];
        if (!result_expect_broken(expect)) {
            continue;
        }
        struct text description = {0}, key = {0};
        describe_expect(&description, expect);
        text_format(&key, "%s %s", expect->variant, expect->metric);
        issue_put(&text, description.data, "expect", result_hash(expect->file, key.data), "major",
                  location_relative(expect->file), expect->line ? expect->line : 1);
        text_fini(&description);
        text_fini(&key);
    }
    json_close(&text, ']');
    fprintf(out, "%s\n", text.data);
    text_fini(&text);
}
