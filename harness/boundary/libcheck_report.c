/* libcheck_report.c - runners, results, and libcheck's own text, log, XML and TAP output; see
 * libcheck.h. Written by write(2), not stdio: a stdio buffer would be an allocation of the
 * program's. */
#include "harness/boundary/libcheck_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct paper {
    int fd;
    unsigned tests; /* TAP's number */
};

static void paper_write(const struct paper *paper, const char *text, size_t bytes)
{
    while (bytes > 0) {
        ssize_t wrote = write(paper->fd, text, bytes);
        if (wrote < 0 && errno != EINTR) {
            return;
        }
        if (wrote > 0) {
            text += wrote;
            bytes -= (size_t)wrote;
        }
    }
}

static void __attribute__((format(printf, 2, 3)))
paper_print(const struct paper *paper, const char *format, ...)
{
    static char line[12288];
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (bytes > 0) {
        paper_write(paper, line, (size_t)bytes < sizeof line ? (size_t)bytes : sizeof line - 1);
    }
}

/* Text. ------------------------------------------------------------------------------------------
 */

enum print_output libcheck_print_mode(enum print_output mode)
{
    static const struct {
        const char *word;
        enum print_output mode;
    } words[] = {{"silent", CK_SILENT}, {"minimal", CK_MINIMAL}, {"verbose", CK_VERBOSE}};
    const char *wish = mode == CK_ENV ? getenv("CK_VERBOSITY") : NULL;
    for (size_t i = 0; wish != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(wish, words[i].word) == 0) {
            return words[i].mode;
        }
    }
    return mode == CK_ENV ? CK_NORMAL : mode;
}

static const char *result_letter(const struct TestResult *result)
{
    if (result->ctx != CK_CTX_TEST) {
        return "S";
    }
    return result->rtype == CK_PASS ? "P" : result->rtype == CK_FAILURE ? "F" : "E";
}

static void text_result(const struct paper *paper, const struct TestResult *result)
{
    paper_print(paper, "%s:%d:%s:%s:%s:%d: %s%s\n", result->file == NULL ? "(null)" : result->file,
                result->line, result_letter(result), result->tcname, result->tname, result->iter,
                result->rtype == CK_ERROR ? "(after this point) " : "", result->msg);
}

static void text_bad_result(const struct TestResult *result, void *paper)
{
    if (result->rtype != CK_PASS) {
        text_result(paper, result);
    }
}

static void text_any_result(const struct TestResult *result, void *paper)
{
    text_result(paper, result);
}

static void text_summary(const struct paper *paper, const SRunner *runner)
{
    struct libcheck_tally tally = libcheck_tally_of(runner);
    int bad = tally.failures + tally.errors;
    int percent = bad == 0 ? 100
                  : tally.checked == 0
                      ? 0
                      : (int)((float)(tally.checked - bad) / (float)tally.checked * 100);
    paper_print(paper, "%d%%: Checks: %d, Failures: %d, Errors: %d\n", percent, tally.checked,
                tally.failures, tally.errors);
}

static void text_all(struct paper *paper, const SRunner *runner, enum print_output mode)
{
    mode = libcheck_print_mode(mode);
    if (mode == CK_SILENT || mode >= CK_ENV) {
        return;
    }
    text_summary(paper, runner);
    if (mode >= CK_NORMAL) {
        libcheck_results_each(runner, mode == CK_VERBOSE ? text_any_result : text_bad_result,
                              paper);
    }
}

void engine_srunner_print(SRunner *runner, enum print_output mode)
{
    struct paper paper = {.fd = STDOUT_FILENO};
    fflush(stdout);
    text_all(&paper, runner, mode);
}

void libcheck_report_start(const struct libcheck_run *run, enum print_output mode)
{
    struct paper paper = {.fd = STDOUT_FILENO};
    enum print_output print = libcheck_print_mode(mode);
    if (print != CK_SILENT && print < CK_ENV) {
        fflush(stdout);
        paper_print(&paper, "Running suite(s):");
        LIBCHECK_EACH(link, &run->suites)
        {
            paper_print(&paper, " %s\n", ((const Suite *)link->item)->name);
        }
    }
}

/* Files. -----------------------------------------------------------------------------------------
 */

static void log_write(struct paper *paper, const struct libcheck_run *run)
{
    uint32_t number = 0;
    LIBCHECK_EACH(link, &run->suites)
    {
        paper_print(paper, "Running suite %s\n", ((const Suite *)link->item)->name);
        for (uint32_t i = 0; i < run->count; i++) {
            if (run->tests[i].suite_number == number &&
                run->tests[i].result.rtype != CK_TEST_RESULT_INVALID) {
                text_result(paper, &run->tests[i].result);
            }
        }
        number++;
    }
    paper_print(paper, "Results for all suites run:\n");
    text_summary(paper, run->runner);
}

static void xml_escape(const struct paper *paper, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        const char *entity = c == '"'    ? "&quot;"
                             : c == '\'' ? "&apos;"
                             : c == '<'  ? "&lt;"
                             : c == '>'  ? "&gt;"
                             : c == '&'  ? "&amp;"
                                         : NULL;
        if (entity != NULL) {
            paper_print(paper, "%s", entity);
        } else if (c >= ' ' && c <= '~') {
            paper_write(paper, text, 1);
        } else if (c >= ' ' || c == '\t' || c == '\n' || c == '\r') {
            paper_print(paper, "&#x%X;", c);
        }
    }
}

static void xml_result(const struct paper *paper, const struct TestResult *result)
{
    const char *file = result->file == NULL ? "" : result->file;
    const char *slash = strrchr(file, '/');
    const char *word = result->rtype == CK_PASS      ? "success"
                       : result->rtype == CK_FAILURE ? "failure"
                                                     : "error";
    paper_print(paper, "    <test result=\"%s\">\n      <path>%.*s</path>\n", word,
                slash != NULL   ? (int)(slash - file)
                : *file != '\0' ? 1
                                : 0,
                slash != NULL ? file : ".");
    paper_print(paper, "      <fn>%s:%d</fn>\n      <id>%s</id>\n",
                slash != NULL ? slash + 1 : file, result->line, result->tname);
    paper_print(paper, "      <iteration>%d</iteration>\n      <duration>%d.%06d</duration>\n",
                result->iter, result->duration < 0 ? -1 : result->duration / 1000000,
                result->duration < 0 ? 0 : result->duration % 1000000);
    paper_print(paper, "      <description>");
    xml_escape(paper, result->tcname);
    paper_print(paper, "</description>\n      <message>");
    xml_escape(paper, result->msg);
    paper_print(paper, "</message>\n    </test>\n");
}

static void xml_write(struct paper *paper, const struct libcheck_run *run)
{
    char when[32] = "";
    time_t now = time(NULL);
    struct tm parts;
    uint32_t number = 0;
    uint64_t spent_us = 0;
    if (gmtime_r(&now, &parts) != NULL) { /* localtime_r would load a time zone for the program */
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &parts);
    }
    paper_print(paper,
                "<?xml version=\"1.0\"?>\n"
                "<?xml-stylesheet type=\"text/xsl\" "
                "href=\"http://check.sourceforge.net/xml/check_unittest.xslt\"?>\n"
                "<testsuites xmlns=\"http://check.sourceforge.net/ns\">\n"
                "  <datetime>%s</datetime>\n",
                when);
    LIBCHECK_EACH(link, &run->suites)
    {
        paper_print(paper, "  <suite>\n    <title>");
        xml_escape(paper, ((const Suite *)link->item)->name);
        paper_print(paper, "</title>\n");
        for (uint32_t i = 0; i < run->count; i++) {
            const struct TestResult *result = &run->tests[i].result;
            if (run->tests[i].suite_number == number && result->rtype != CK_TEST_RESULT_INVALID) {
                xml_result(paper, result);
                spent_us += result->duration > 0 ? (uint64_t)result->duration : 0;
            }
        }
        paper_print(paper, "  </suite>\n");
        number++;
    }
    paper_print(paper, "  <duration>%llu.%06llu</duration>\n</testsuites>\n",
                (unsigned long long)(spent_us / 1000000), (unsigned long long)(spent_us % 1000000));
}

static void tap_write(struct paper *paper, const struct libcheck_run *run)
{
    for (uint32_t i = 0; i < run->count; i++) {
        const struct TestResult *result = &run->tests[i].result;
        if (result->rtype != CK_TEST_RESULT_INVALID) {
            paper_print(paper, "%s %u - %s:%s:%s: %s\n", result->rtype == CK_PASS ? "ok" : "not ok",
                        ++paper->tests, result->file == NULL ? "(null)" : result->file,
                        result->tcname, result->tname, result->msg);
        }
    }
    paper_print(paper, "1..%u\n", paper->tests);
}

static void file_write(const char *name,
                       void (*content)(struct paper *, const struct libcheck_run *),
                       const struct libcheck_run *run)
{
    struct paper paper = {.fd = STDOUT_FILENO};
    if (name == NULL) {
        return;
    }
    bool opened = strcmp(name, "-") != 0;
    if (opened) {
        paper.fd = (int)syscall(SYS_openat, AT_FDCWD, name,
                                O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    if (paper.fd < 0) {
        struct paper errors = {.fd = STDERR_FILENO};
        paper_print(&errors, "Error in call to fopen while opening file %s: %s\n", name,
                    strerror(errno));
        return;
    }
    content(&paper, run);
    if (opened) {
        syscall(SYS_close, paper.fd);
    }
}

void libcheck_report_end(const struct libcheck_run *run, enum print_output mode)
{
    engine_srunner_print(run->runner, mode);
    file_write(engine_srunner_log_fname(run->runner), log_write, run);
    file_write(engine_srunner_xml_fname(run->runner), xml_write, run);
    file_write(engine_srunner_tap_fname(run->runner), tap_write, run);
}
