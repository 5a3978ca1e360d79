/*
 * junit.c - JUnit XML in the dialect that GitLab and Jenkins share: one suite a variant, a case a
 * test, the suite's verdict, an expectation, and what is missing; names unique within the file, no
 * control characters, messages cut at 8,000 bytes (GitLab refuses very long ones). Supervisor only.
 */
#include "harness/base/text.h"
#include "harness/report/case.h"
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
    const char *variant = describe_variant_beside(test->id, test->variant);
    if (variant[0]) {
        text_format(class_, ".%s", variant);
    }
}

/* Classname and name of a case that is no test. */
static void class_of_case(struct text *class_, const struct report_case *found, const char **name)
{
    text_reset(class_);
    *name = found->name;
    if (found->kind == CASE_EXPECT) {
        text_format(class_, "expect.%s", found->variant[0] ? found->variant : "all");
    } else if (found->kind == CASE_SUITE && found->variant[0]) {
        text_format(class_, "tidemark.%s", found->variant);
    } else {
        text_put(class_, "tidemark");
    }
}

static void place_put(const struct result *result, const struct report_case *found, FILE *out)
{
    struct location location = found->test ? (struct location){found->test->file, found->test->line}
                                           : case_location(result, found);
    if (location.file[0]) {
        fputs(" file=\"", out);
        xml_put(location.file, SIZE_MAX, out);
        fprintf(out, "\" line=\"%u\"", location.line);
    }
}

static void failure_put(const struct result *result, const struct report_case *found,
                        const char *message, FILE *out)
{
    struct text detail = {0};
    fprintf(out, ">\n      <failure type=\"%s\" message=\"", found->word);
    xml_put(message, MESSAGE_MAX, out);
    fputs("\">", out);
    text_format(&detail, "%s\n", message);
    case_detail(&detail, result, found);
    xml_put(text_peek(&detail), MESSAGE_MAX, out);
    fputs("</failure>\n    </testcase>\n", out);
    text_fini(&detail);
}

static void case_put(struct names *names, const struct result *result,
                     const struct report_case *found, struct text *class_, FILE *out)
{
    const char *name;
    double seconds = 0;
    if (found->test) {
        class_of(class_, found->test, &name);
        seconds = found->test->wall_ns > 0 ? (double)found->test->wall_ns / 1e9 : 0;
    } else {
        class_of_case(class_, found, &name);
    }
    case_open(names, class_->data, name, seconds, out);
    place_put(result, found, out);
    struct text message = {0};
    case_describe(&message, result, found);
    if (found->expect && found->outcome == OUTCOME_FAILED) {
        text_format(&message, " (%s:%u)", found->expect->file, found->expect->line);
    }
    if (found->outcome == OUTCOME_SKIPPED) {
        fputs("><skipped message=\"", out);
        xml_put(text_peek(&message), MESSAGE_MAX, out);
        fputs("\"/></testcase>\n", out);
    } else if (found->outcome == OUTCOME_FAILED) {
        failure_put(result, found, text_peek(&message), out);
    } else {
        fputs("/>\n", out);
    }
    text_fini(&message);
}

struct tally {
    size_t tests, failures, skipped;
    double seconds;
};

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

/* Which <testsuite> a case stands in: that of its variant, one for programs that were not run, or
 * one for all that is no test. */
struct group {
    const char *name;
    const char *variant;         /* NULL: any */
    bool tests;                  /* those of a program and its suite's verdict */
    const struct result *result; /* of tests: those whose variant is not in it */
};

static bool variant_there(const struct result *result, const char *name)
{
    size_t i = 0;
    while (i < result->variant_count && strcmp(result->variants[i].name, name) != 0) {
        i++;
    }
    return i < result->variant_count;
}

static bool group_has(const struct group *group, const struct report_case *found)
{
    bool test = found->kind == CASE_TEST || found->kind == CASE_SUITE;
    return group->result  ? test && !variant_there(group->result, found->variant)
           : group->tests ? test && strcmp(found->variant, group->variant) == 0
                          : found->kind == (group->variant ? CASE_EXPECT : CASE_MISSING);
}

static struct tally group_count(const struct result *result, const struct group *group)
{
    struct tally tally = {0};
    struct report_case found;
    for (size_t at = 0; case_next(result, &at, &found);) {
        if (!group_has(group, &found)) {
            continue;
        }
        tally.tests++;
        tally.failures += found.outcome == OUTCOME_FAILED;
        tally.skipped += found.outcome == OUTCOME_SKIPPED;
        tally.seconds +=
            found.test && found.test->wall_ns > 0 ? (double)found.test->wall_ns / 1e9 : 0;
    }
    return tally;
}

static void group_put(struct names *names, const struct result *result, const struct group *group,
                      FILE *out)
{
    struct report_case found;
    struct text class_ = {0};
    struct tally tally = group_count(result, group);
    if (tally.tests == 0 && !group->tests) {
        return;
    }
    suite_open(result, group->name, tally, out);
    for (size_t at = 0; case_next(result, &at, &found);) {
        if (group_has(group, &found)) {
            case_put(names, result, &found, &class_, out);
        }
    }
    fputs("  </testsuite>\n", out);
    text_fini(&class_);
}

void render_junit(const struct result *result, FILE *out)
{
    struct names names = {0};
    struct result counted = *result; /* borrowed; only the counts are set anew */
    result_count(&counted);
    size_t more = case_missing(result);
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tidemark\" "
            "tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n",
            case_count(result), counted.failed + more, counted.skipped);
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
        group_put(&names, result, &(struct group){name.data, variant, true, NULL}, out);
        text_fini(&name);
    }
    if (result->variant_count > 0) {
        group_put(&names, result, &(struct group){.name = "not hunted", .result = result}, out);
    }
    group_put(&names, result, &(struct group){.name = "expectations", .variant = ""}, out);
    group_put(&names, result, &(struct group){.name = "tidemark"}, out);
    fputs("</testsuites>\n", out);
    text_fini(&names.all);
    result_index_fini(&names.index);
}
