/*
 * junit.c - JUnit XML in the dialect that GitLab and Jenkins share: one suite a variant, a case a
 * test, a case an expectation, names unique within the file, no control characters, messages cut at
 * 8,000 bytes (GitLab refuses very long ones). Supervisor only.
 */
#include "harness/base/text.h"
#include "harness/report/describe.h"
#include "harness/report/renderer.h"
#include "harness/report/xml.h"
#include "harness/result/result_index.h"

#include <inttypes.h>
#include <string.h>

void render_junit(const struct result *result, FILE *out);

#define MESSAGE_MAX 8000

struct names { /* of the cases written so far */
    struct result_index index;
    struct text all; /* one behind the other, NUL-terminated; the index has offsets */
};

static bool name_same(const void *context, uint64_t value, const char *class_, const char *name)
{
    const struct names *names = context;
    const char *at = names->all.data + value;
    return strcmp(at, class_) == 0 && strcmp(at + strlen(at) + 1, name) == 0;
}

/* classname and name attributes; a pair that was there gets a number behind it. */
static void case_open(struct names *names, const char *class_, const char *name, double seconds,
                      FILE *out)
{
    struct text unique = {0};
    bool fresh = false;
    for (unsigned n = 1; !fresh; n++) {
        text_reset(&unique);
        text_put(&unique, name);
        if (n > 1) {
            text_format(&unique, " (%u)", n);
        }
        result_index_add(&names->index, class_, text_peek(&unique), names->all.length, name_same,
                         names, &fresh);
    }
    text_put_bytes(&names->all, class_, strlen(class_) + 1);
    text_put_bytes(&names->all, text_peek(&unique), strlen(text_peek(&unique)) + 1);
    fputs("    <testcase classname=\"", out);
    xml_put(class_, SIZE_MAX, out);
    fputs("\" name=\"", out);
    xml_put(text_peek(&unique), SIZE_MAX, out);
    fprintf(out, "\" time=\"%.9f\"", seconds);
    text_fini(&unique);
}

/* The class is all but the last part of the id, with dots: that is how CI systems make folders. */
static void class_of(struct text *class_, const struct result_test *test, const char **name)
{
    const char *slash = strrchr(test->id, '/');
    *name = slash ? slash + 1 : test->id;
    text_reset(class_);
    for (const char *at = test->id; slash && at < slash; at++) {
        text_put_char(class_, *at == '/' ? '.' : *at);
    }
    if (!slash) {
        text_put(class_, "tests");
    }
    if (test->variant[0]) {
        text_format(class_, ".%s", test->variant);
    }
}

/* Everything that a person needs to know of a finding, as plain lines. */
static void detail_put(struct text *text, const struct result *result,
                       const struct result_test *test)
{
    for (size_t i = 0; i < describe_frames_own(test->frames, test->frame_count); i++) {
        text_put(text, i == 0 ? "\nstack:\n  " : "  ");
        describe_frame(text, &test->frames[i]);
        text_put_char(text, '\n');
    }
    const struct result_site *site;
    size_t next = 0;
    for (unsigned n = 0;
         n < 3 && (site = describe_site_next(result, test->id, test->variant, &next)); n++) {
        text_put(text, "\nkept: ");
        describe_site(text, site);
    }
    describe_error_lines(text, test, 3);
    if (test->horizon[0]) {
        text_format(text, "\n%s\n", test->horizon);
    }
    if (result->argv[0]) {
        text_format(text, "\nrepeat: %s\n", result->argv);
    }
}

static void test_put(struct names *names, const struct result *result,
                     const struct result_test *test, struct text *class_, FILE *out)
{
    const char *name;
    class_of(class_, test, &name);
    case_open(names, class_->data, name, test->wall_ns > 0 ? (double)test->wall_ns / 1e9 : 0, out);
    if (test->file[0]) {
        fputs(" file=\"", out);
        xml_put(test->file, SIZE_MAX, out);
        fprintf(out, "\" line=\"%u\"", test->line);
    }
    struct text message = {0}, detail = {0};
    describe_test(&message, result, test);
    if (test->status == RESULT_SKIP) {
        fputs("><skipped message=\"", out);
        xml_put(text_peek(&message), MESSAGE_MAX, out);
        fputs("\"/></testcase>\n", out);
    } else if (result_test_failed(result, test)) {
        fprintf(out, ">\n      <failure type=\"%s\" message=\"", describe_test_word(test));
        xml_put(text_peek(&message), MESSAGE_MAX, out);
        fputs("\">", out);
        text_put(&detail, text_peek(&message));
        text_put_char(&detail, '\n');
        detail_put(&detail, result, test);
        xml_put(text_peek(&detail), MESSAGE_MAX, out);
        fputs("</failure>\n    </testcase>\n", out);
    } else {
        fputs("/>\n", out);
    }
    text_fini(&message);
    text_fini(&detail);
}

struct tally {
    size_t tests, failures, skipped;
    double seconds;
};

static struct tally tests_count(const struct result *result, const char *variant)
{
    struct tally tally = {0};
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (strcmp(test->variant, variant) == 0) {
            tally.tests++;
            tally.failures += result_test_failed(result, test);
            tally.skipped += test->status == RESULT_SKIP;
            tally.seconds += test->wall_ns > 0 ? (double)test->wall_ns / 1e9 : 0;
        }
    }
    return tally;
}

static void suite_open(const struct result *result, const char *name, struct tally tally, FILE *out)
{
    fputs("  <testsuite name=\"", out);
    xml_put(name, SIZE_MAX, out);
    fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.9f\"",
            tally.tests, tally.failures, tally.skipped, tally.seconds);
    if (result->started[0]) {
        fputs(" timestamp=\"", out);
        /* JUnit wants no time zone: 2026-01-02T03:04:05 */
        xml_put(result->started, strcspn(result->started, "Z+"), out);
        fputc('"', out);
    }
    if (result->host[0]) {
        fputs(" hostname=\"", out);
        xml_put(result->host, SIZE_MAX, out);
        fputc('"', out);
    }
    fputs(">\n", out);
}

static void expects_put(struct names *names, const struct result *result, FILE *out)
{
    struct tally tally = {.tests = result->expect_count};
    for (size_t i = 0; i < result->expect_count; i++) {
        tally.failures += result_expect_broken(&result->expects[i]);
    }
    suite_open(result, "expectations", tally, out);
    for (size_t i = 0; i < result->expect_count; i++) {
        const struct result_expect *expect = &result->expects[i];
        struct text class_ = {0}, message = {0};
        text_format(&class_, "expect.%s", expect->variant[0] ? expect->variant : "all");
        case_open(names, class_.data, expect->metric, 0, out);
        if (expect->file[0]) {
            fputs(" file=\"", out);
            xml_put(expect->file, SIZE_MAX, out);
            fprintf(out, "\" line=\"%u\"", expect->line);
        }
        if (!result_expect_broken(expect)) {
            fputs("/>\n", out);
        } else {
            describe_expect(&message, expect);
            text_format(&message, " (%s:%u)", expect->file, expect->line);
            fputs(">\n      <failure type=\"expect\" message=\"", out);
            xml_put(message.data, MESSAGE_MAX, out);
            fputs("\"/>\n    </testcase>\n", out);
        }
        text_fini(&class_);
        text_fini(&message);
    }
    fputs("  </testsuite>\n", out);
}

/* What has no result must not look like a pass. */
static void incomplete_put(struct names *names, const struct result *result, FILE *out)
{
    suite_open(result, "incomplete", (struct tally){.tests = 1, .failures = 1}, out);
    struct text message = {0};
    case_open(names, "tidemark", "incomplete", 0, out);
    describe_incomplete(&message, result);
    fprintf(out,
            ">\n      <failure type=\"incomplete\" message=\"%s\"/>\n"
            "    </testcase>\n  </testsuite>\n",
            message.data);
    text_fini(&message);
}

void render_junit(const struct result *result, FILE *out)
{
    struct names names = {0};
    struct text class_ = {0};
    struct result counted = *result; /* borrowed; only the counts are set anew */
    result_count(&counted);
    size_t more = result->incomplete > 0;
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tidemark\" "
            "tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n",
            counted.passed + counted.failed + counted.skipped + more, counted.failed + more,
            counted.skipped);
    /* Tests of a variant need not stand together: a supervisor takes turns. */
    size_t groups = result->variant_count ? result->variant_count : 1;
    for (size_t v = 0; v < groups; v++) {
        const char *variant = result->variant_count    ? result->variants[v].name
                              : result->test_count > 0 ? result->tests[0].variant
                                                       : "";
        struct text name = {0};
        text_put(&name, result->suite[0] ? result->suite : "tests");
        if (variant[0]) {
            text_format(&name, " [%s]", variant);
        }
        suite_open(result, name.data, tests_count(result, variant), out);
        text_fini(&name);
        for (size_t i = 0; i < result->test_count; i++) {
            if (strcmp(result->tests[i].variant, variant) == 0) {
                test_put(&names, result, &result->tests[i], &class_, out);
            }
        }
        fputs("  </testsuite>\n", out);
    }
    if (result->expect_count > 0) {
        expects_put(&names, result, out);
    }
    if (more) {
        incomplete_put(&names, result, out);
    }
    fputs("</testsuites>\n", out);
    text_fini(&class_);
    text_fini(&names.all);
    result_index_fini(&names.index);
}
