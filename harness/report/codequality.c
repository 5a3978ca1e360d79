/* codequality.c - GitLab's code quality report: an array of issues with a fingerprint that survives
 * moved lines (test, verdict and function make it, not the line). Supervisor only. */
#include "harness/report/case.h"
#include "harness/report/renderer.h"
#include "harness/result/json_write.h"

#include <inttypes.h>

void render_codequality(const struct result *result, FILE *out);

static const char *severity(const struct report_case *found)
{
    if (found->outcome != OUTCOME_FAILED) {
        return "info";
    }
    enum result_verdict verdict = found->test    ? found->test->verdict
                                  : found->suite ? found->suite->verdict
                                                 : VERDICT_NONE;
    bool died = found->test && found->test->status != RESULT_PASS;
    return died || found->kind == CASE_MISSING                    ? "blocker"
           : verdict == VERDICT_LEAK || verdict == VERDICT_GROWTH ? "critical"
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

static void case_put(struct text *text, const struct result *result,
                     const struct report_case *found)
{
    struct text description = {0};
    struct location location = case_location(result, found);
    if (found->kind == CASE_TEST || found->kind == CASE_SUITE) {
        text_format(&description, "%s ", found->name);
    }
    case_describe(&description, result, found);
    /* An issue needs a path; a finding without one belongs to the test's name, or to the suite. */
    const char *path = location.file[0]           ? location.file
                       : found->kind == CASE_TEST ? found->name
                       : result->suite[0]         ? location_relative(result->suite)
                                                  : "tidemark";
    issue_put(text, description.data, found->word, case_fingerprint(result, found), severity(found),
              path, location.line);
    text_fini(&description);
}

void render_codequality(const struct result *result, FILE *out)
{
    struct text text = {0};
    struct report_case found;
    json_open(&text, NULL, '[');
    for (size_t at = 0; case_next(result, &at, &found);) {
        bool warning = found.kind == CASE_EXPECT && found.outcome != OUTCOME_FAILED;
        if (found.finding && !warning) {
            case_put(&text, result, &found);
        }
    }
    json_close(&text, ']');
    fprintf(out, "%s\n", text.data);
    text_fini(&text);
}
