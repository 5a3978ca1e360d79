/* sarif.c - SARIF 2.1.0: a rule for each verdict and way to die, a result for each finding with the
 * line it belongs to and its stack. At most 5,000 results, as many as code scanning shows; the
 * worst come first. Supervisor only. */
#include "harness/base/version.h"
#include "harness/report/case.h"
#include "harness/report/describe.h"
#include "harness/report/renderer.h"
#include "harness/result/json_write.h"
#include "harness/result/result_index.h"

#include <inttypes.h>
#include <string.h>

void render_sarif(const struct result *result, FILE *out);

#define SARIF_RESULTS 5000

static const struct rule {
    const char *id, *text;
} rules[] = {
    {"leak", "Memory that nothing points to any more stays after the test, more with every run."},
    {"growth", "What the test keeps grows with every run, though something still points to it."},
    {"accumulates", "Memory grows with every new input and is never given back."},
    {"inconclusive", "Memory did not settle, and no rule decides whether it will."},
    {"memcheck", "Valgrind's memcheck found an error, or memory that is lost."},
    {"fail", "The test failed."},
    {"crash", "The test died of a signal."},
    {"timeout", "The test ran into its time limit."},
    {"oom", "The test ran out of memory."},
    {"exit", "The test called exit()."},
    {"flaky", "The test passes in one order of the tests and fails in another."},
    {"expect", "An expectation of the scenario is broken."},
    {"incomplete", "Results are missing: the run broke off, or measured nothing."},
    {"unjudged", "It was not judged: a test, the suite, or all of them have no verdict."},
};

static void message_put(struct text *text, const char *key, const char *message)
{
    json_open(text, key, '{');
    json_text(text, "text", message);
    json_close(text, '}');
}

/* A relative path as a URI reference: what RFC 3986 does not allow is escaped. */
static void uri_put(struct text *text, const char *path)
{
    struct text uri = {0};
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        if (c > 0x20 && c < 0x7f && !strchr("\"%<>\\^`{|}?#:[]", c)) {
            text_put_char(&uri, (char)c);
        } else {
            text_format(&uri, "%%%02X", c);
        }
    }
    json_text(text, "uri", text_peek(&uri));
    text_fini(&uri);
}

static void place_put(struct text *text, const char *file, unsigned line)
{
    json_open(text, "physicalLocation", '{');
    json_open(text, "artifactLocation", '{');
    uri_put(text, file);
    json_close(text, '}');
    json_open(text, "region", '{');
    json_unsigned(text, "startLine", line ? line : 1);
    json_close(text, '}');
    json_close(text, '}');
}

static void stack_put(struct text *text, const char *about, const struct result_frame *frames,
                      size_t count)
{
    json_open(text, "stacks", '[');
    json_open(text, NULL, '{');
    message_put(text, "message", about);
    json_open(text, "frames", '[');
    for (size_t i = 0; i < count; i++) {
        struct text name = {0};
        describe_frame(&name, &frames[i]);
        json_open(text, NULL, '{');
        json_open(text, "location", '{');
        if (frames[i].file[0]) {
            place_put(text, location_relative(frames[i].file), frames[i].line);
        }
        message_put(text, "message", text_peek(&name));
        json_close(text, '}');
        json_close(text, '}');
        text_fini(&name);
    }
    json_close(text, ']');
    json_close(text, '}');
    json_close(text, ']');
}

static void result_open(struct text *text, const char *rule, const char *level, const char *message,
                        const char *file, unsigned line, uint64_t fingerprint)
{
    char print[24];
    snprintf(print, sizeof print, "%016" PRIx64, fingerprint);
    json_open(text, NULL, '{');
    json_text(text, "ruleId", rule);
    json_text(text, "level", level);
    message_put(text, "message", message);
    json_open(text, "locations", '[');
    if (file[0]) {
        json_open(text, NULL, '{');
        place_put(text, file, line);
        json_close(text, '}');
    }
    json_close(text, ']');
    json_open(text, "partialFingerprints", '{');
    json_text(text, "tidemark/v1", print);
    json_close(text, '}');
}

static void stack_of_case(struct text *text, const struct result *result,
                          const struct report_case *found)
{
    const struct result_test *test = found->test;
    const struct result_site *site = case_site(result, found);
    if (test && test->frame_count > 0) {
        stack_put(text, "where it ended", test->frames, test->frame_count);
    } else if (site && site->frame_count > 0) {
        stack_put(text, describe_origin(site), site->frames, site->frame_count);
    } else if (test && test->memcheck && test->memcheck->list_count > 0) {
        const struct result_error *error = &test->memcheck->list[0];
        stack_put(text, error->what, error->frames, error->frame_count);
    }
}

static void case_put(struct text *text, const struct result *result,
                     const struct report_case *found)
{
    struct text message = {0}, key = {0};
    struct location location = case_location(result, found);
    const struct result_site *site = found->test ? case_site(result, found) : NULL;
    if (found->kind == CASE_TEST || found->kind == CASE_SUITE) {
        text_format(&message, "%s ", found->name);
    }
    case_describe(&message, result, found);
    if (site && site->held_by_count > 0) {
        text_put(&message, "; held by ");
        describe_held(&message, site);
    }
    if (site && site->released_by_count > 0) {
        text_put(&message, "; ");
        describe_release(&message, site, &site->released_by[0]);
    }
    text_format(&key, "%s %s", found->expect ? found->variant : found->word,
                found->expect ? found->name : found->variant);
    result_open(text, found->word, found->outcome == OUTCOME_FAILED ? "error" : "warning",
                message.data, location.file, location.line,
                result_hash(found->expect ? found->expect->file : found->name, key.data));
    stack_of_case(text, result, found);
    json_close(text, '}');
    text_fini(&message);
    text_fini(&key);
}

static bool rule_known(const char *id)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strcmp(rules[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static void rule_put(struct text *text, const char *id, const char *about)
{
    json_open(text, NULL, '{');
    json_text(text, "id", id);
    message_put(text, "shortDescription", about);
    json_close(text, '}');
}

static void head_put(struct text *text, const struct result *result)
{
    json_open(text, NULL, '{');
    json_text(text, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_text(text, "version", "2.1.0");
    json_open(text, "runs", '[');
    json_open(text, NULL, '{');
    json_open(text, "tool", '{');
    json_open(text, "driver", '{');
    json_text(text, "name", "tidemark");
    json_text(text, "version", result->tool_version[0] ? result->tool_version : TIDEMARK_VERSION);
    json_open(text, "rules", '[');
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        rule_put(text, rules[i].id, rules[i].text);
    }
    /* A finding's rule is a status or a verdict: each that there is is declared. */
    for (unsigned i = 0; i < RESULT_STATUS_COUNT; i++) {
        const char *name = result_status_name((enum result_status)i);
        if (!rule_known(name)) {
            rule_put(text, name, "How a test ended.");
        }
    }
    for (unsigned i = 0; i < VERDICT_COUNT; i++) {
        const char *name = result_verdict_name((enum result_verdict)i);
        if (!rule_known(name)) {
            rule_put(text, name, "What the judge says of a test's or a suite's memory.");
        }
    }
    json_close(text, ']');
    json_close(text, '}');
    json_close(text, '}');
}

void render_sarif(const struct result *result, FILE *out)
{
    struct text text = {0};
    size_t written = 0, found = 0;
    head_put(&text, result);
    json_open(&text, "results", '[');
    for (int failed = 1; failed >= 0; failed--) { /* errors before warnings */
        struct report_case found_case;
        for (size_t at = 0; case_next(result, &at, &found_case);) {
            bool warning = found_case.outcome != OUTCOME_FAILED;
            if (!found_case.finding || warning == (failed == 1) ||
                (warning && found_case.kind == CASE_EXPECT) || found++ >= SARIF_RESULTS) {
                continue;
            }
            case_put(&text, result, &found_case);
            written++;
        }
    }
    json_close(&text, ']');
    json_open(&text, "properties", '{');
    json_unsigned(&text, "findings", found);
    json_unsigned(&text, "written", written);
    json_unsigned(&text, "incomplete", result->incomplete);
    json_close(&text, '}');
    json_close(&text, '}');
    json_close(&text, ']');
    json_close(&text, '}');
    fprintf(out, "%s\n", text.data);
    text_fini(&text);
}
