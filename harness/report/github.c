/*
 * github.c - GitHub Actions: the step summary into the file (appended: several steps share it), and
 * workflow commands for annotations on standard output, where the runner looks for them. Limits
 * kept: 1 MiB a summary, 10 errors and 10 warnings a step; what is beyond them is counted in a
 * notice. Supervisor only.
 */
#include "harness/report/case.h"
#include "harness/report/markdown.h"
#include "harness/report/renderer.h"

#include <string.h>
#include <sys/stat.h>

void render_github(const struct result *result, FILE *out);

#define SUMMARY_BYTES   1000000
#define SUMMARY_LEAST   10000 /* room for the head of one, and some findings */
#define ANNOTATIONS_MAX 10

/* A message; in a property ':' and ',' end the value, so they are escaped there too. */
static void command_text(const char *text, bool property, FILE *out)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '%' || c == '\n' || c == '\r' || (property && (c == ':' || c == ','))) {
            fprintf(out, "%%%02X", c);
        } else {
            fputc(c, out);
        }
    }
}

static void annotation_put(const char *level, const char *file, unsigned line, const char *title,
                           const char *message, FILE *out)
{
    fprintf(out, "::%s ", level);
    if (file[0]) {
        fputs("file=", out);
        command_text(file, true, out);
        fprintf(out, ",line=%u,", line);
    }
    fputs("title=", out);
    command_text(title, true, out);
    fputs("::", out);
    command_text(message, false, out);
    fputc('\n', out);
}

/* Who dies, and what the suite as a whole does, comes before who grows, and what fails before what
 * warns: only so many are shown. */
static unsigned rank(const struct report_case *found)
{
    bool first = found->kind == CASE_SUITE || (found->test && found->test->status != RESULT_PASS);
    return found->outcome != OUTCOME_FAILED ? 3 : found->kind == CASE_MISSING ? 0 : first ? 1 : 2;
}

static void case_annotate(const struct result *result, const struct report_case *found,
                          size_t count[2], FILE *out)
{
    bool failed = found->outcome == OUTCOME_FAILED;
    if (count[failed]++ >= ANNOTATIONS_MAX) {
        return;
    }
    struct location location = case_location(result, found);
    struct text message = {0}, title = {0};
    case_describe(&message, result, found);
    if (found->kind == CASE_EXPECT) {
        text_put(&title, failed ? "tidemark: expectation broken" : "tidemark: budget reached");
    } else if (found->kind == CASE_MISSING) {
        text_format(&title, "tidemark: %s", found->word);
    } else {
        text_format(&title, "tidemark: %s %s", found->name, found->word);
    }
    annotation_put(failed ? "error" : "warning", location.file, location.line, title.data,
                   text_peek(&message), out);
    text_fini(&message);
    text_fini(&title);
}

/* GitHub drops a summary of more than 1 MiB as a whole, and other steps or programs may have
 * written to it before. */
static void summary_put(const struct result *result, FILE *out)
{
    struct text text = {0};
    struct stat stat;
    size_t taken =
        fstat(fileno(out), &stat) == 0 && S_ISREG(stat.st_mode) ? (size_t)stat.st_size : 0;
    if (taken + SUMMARY_LEAST > SUMMARY_BYTES) {
        printf("::notice title=tidemark::the step summary is full; this result is not in it\n");
        return;
    }
    markdown_put(&text, result, SUMMARY_BYTES - taken);
    fputs(text_peek(&text), out);
    text_fini(&text);
}

void render_github(const struct result *result, FILE *out)
{
    size_t count[2] = {0}; /* warnings, errors */
    summary_put(result, out);
    for (unsigned now = 0; now <= 3; now++) {
        struct report_case found;
        for (size_t at = 0; case_next(result, &at, &found);) {
            if (found.finding && rank(&found) == now) {
                case_annotate(result, &found, count, stdout);
            }
        }
    }
    size_t hidden = (count[0] > ANNOTATIONS_MAX ? count[0] - ANNOTATIONS_MAX : 0) +
                    (count[1] > ANNOTATIONS_MAX ? count[1] - ANNOTATIONS_MAX : 0);
    if (hidden > 0) {
        printf("::notice title=tidemark::%zu more findings are in the step summary\n", hidden);
    }
}
