/* tap.c - TAP 13: a plan first, a point a test and an expectation, a YAML block behind each that is
 * not ok. Names carry no '#', which would begin a directive. Supervisor only. */
#include "harness/base/text.h"
#include "harness/report/describe.h"
#include "harness/report/renderer.h"

#include <string.h>

void render_tap(const struct result *result, FILE *out);

/* One line, '#' and backslash escaped as TAP 14 does; TAP 13 readers show the backslash. */
static void name_put(const char *text, FILE *out)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '#' || c == '\\') {
            fputc('\\', out);
        }
        fputc(c < 0x20 || c == 0x7f ? ' ' : c, out);
    }
}

/* A double-quoted YAML scalar. */
static void scalar_put(const char *key, const char *text, FILE *out)
{
    fprintf(out, "  %s: \"", key);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            fprintf(out, "\\x%02x", c);
        } else {
            fputc(c, out);
        }
    }
    fputs("\"\n", out);
}

static void test_put(const struct result *result, const struct result_test *test, size_t number,
                     FILE *out)
{
    bool failed = result_test_failed(result, test);
    fprintf(out, "%sok %zu - ", failed ? "not " : "", number);
    name_put(test->id, out);
    if (test->variant[0]) {
        fputs(" [", out);
        name_put(test->variant, out);
        fputc(']', out);
    }
    if (test->status == RESULT_SKIP) {
        fputs(" # SKIP ", out);
        name_put(test->message, out);
    }
    fputc('\n', out);
    if (!failed) {
        return;
    }
    struct text text = {0};
    fputs("  ---\n", out);
    describe_test(&text, result, test);
    scalar_put("message", text_peek(&text), out);
    fprintf(out, "  severity: fail\n  status: %s\n  verdict: %s\n",
            result_status_name(test->status), result_verdict_name(test->verdict));
    size_t next = 0;
    const struct result_site *site = describe_site_next(result, test->id, test->variant, &next);
    const struct result_frame *place =
        site ? describe_place(site->frames, site->frame_count) : NULL;
    if (place) {
        text_reset(&text);
        describe_frame(&text, place);
        scalar_put("allocated_by", text_peek(&text), out);
    }
    if (site && site->held_by_count > 0) {
        text_reset(&text);
        describe_held(&text, site);
        scalar_put("held_by", text_peek(&text), out);
    }
    if (site && site->released_by_count > 0) {
        text_reset(&text);
        describe_release(&text, site, &site->released_by[0]);
        scalar_put("release_site", text_peek(&text), out);
    }
    fputs("  ...\n", out);
    text_fini(&text);
}

static void expect_put(const struct result_expect *expect, size_t number, FILE *out)
{
    struct text name = {0};
    text_format(&name, "expect %s %s %s", expect->variant, expect->metric, expect->limit);
    fprintf(out, "%sok %zu - ", result_expect_broken(expect) ? "not " : "", number);
    name_put(name.data, out);
    fputc('\n', out);
    text_fini(&name);
    if (result_expect_broken(expect)) {
        fputs("  ---\n", out);
        scalar_put("actual", expect->actual, out);
        scalar_put("file", expect->file, out);
        fprintf(out, "  line: %u\n  ...\n", expect->line);
    }
}

void render_tap(const struct result *result, FILE *out)
{
    size_t number = 0;
    fprintf(out, "TAP version 13\n1..%zu\n",
            result->test_count + result->expect_count + result->incomplete);
    for (size_t i = 0; i < result->test_count; i++) {
        test_put(result, &result->tests[i], ++number, out);
    }
    for (size_t i = 0; i < result->expect_count; i++) {
        expect_put(&result->expects[i], ++number, out);
    }
    if (result->incomplete > 0) {
        /* Points that are missing from the plan make every TAP reader fail the run. */
        struct text reason = {0};
        describe_incomplete(&reason, result);
        fprintf(out, "Bail out! %s\n", reason.data);
        text_fini(&reason);
    }
}
