/* tap.c - TAP 13: a plan first, a point a test and an expectation, a YAML block behind each that is
 * not ok. Names carry no '#', which would begin a directive. Supervisor only. */
#include "harness/base/text.h"
#include "harness/report/case.h"
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

static void site_put(const struct result_site *site, FILE *out)
{
    struct text text = {0};
    const struct result_frame *place = describe_place(site->frames, site->frame_count);
    if (place) {
        describe_frame(&text, place);
        scalar_put("allocated_by", text_peek(&text), out);
    }
    if (site->held_by_count > 0) {
        text_reset(&text);
        describe_held(&text, site);
        scalar_put("held_by", text_peek(&text), out);
    }
    if (site->released_by_count > 0) {
        text_reset(&text);
        describe_release(&text, site, &site->released_by[0]);
        scalar_put("release_site", text_peek(&text), out);
    }
    text_fini(&text);
}

static void point_name_put(const struct report_case *found, FILE *out)
{
    struct text name = {0};
    if (found->kind == CASE_EXPECT) {
        text_format(&name, "expect %s %s %s", found->variant, found->name, found->expect->limit);
    } else if (found->kind == CASE_MISSING) {
        text_format(&name, "tidemark: %s", found->name);
    } else {
        const char *variant = describe_variant_beside(found->name, found->variant);
        text_format(&name, variant[0] ? "%s [%s]" : "%s", found->name, variant);
    }
    name_put(name.data, out);
    text_fini(&name);
}

/* What a reader of the log needs behind a point that is not ok. */
static void block_put(const struct result *result, const struct report_case *found,
                      const char *message, FILE *out)
{
    const struct result_site *site = case_site(result, found);
    fputs("  ---\n", out);
    scalar_put("message", message, out);
    fputs("  severity: fail\n", out);
    if (found->test) {
        fprintf(out, "  status: %s\n", result_status_name(found->test->status));
    }
    if (found->verdict[0]) {
        fprintf(out, "  verdict: %s\n", found->verdict);
    }
    if (found->expect) {
        scalar_put("actual", found->expect->actual, out);
        scalar_put("file", found->expect->file, out);
        fprintf(out, "  line: %u\n", found->expect->line);
    }
    if (site) {
        site_put(site, out);
    }
    fputs("  ...\n", out);
}

void render_tap(const struct result *result, FILE *out)
{
    struct report_case found;
    size_t number = 0;
    fprintf(out, "TAP version 13\n1..%zu\n", case_count(result));
    for (size_t at = 0; case_next(result, &at, &found);) {
        struct text text = {0};
        bool failed = found.outcome == OUTCOME_FAILED;
        case_describe(&text, result, &found);
        fprintf(out, "%sok %zu - ", failed ? "not " : "", ++number);
        point_name_put(&found, out);
        if (found.outcome == OUTCOME_SKIPPED) {
            fputs(" # SKIP ", out);
            name_put(text_peek(&text), out);
        }
        fputc('\n', out);
        if (failed) {
            block_put(result, &found, text_peek(&text), out);
        }
        text_fini(&text);
    }
    if (result->incomplete > 0) {
        struct text reason = {0};
        describe_incomplete(&reason, result);
        fputs("Bail out! ", out);
        name_put(text_peek(&reason), out);
        fputc('\n', out);
        text_fini(&reason);
    }
}
