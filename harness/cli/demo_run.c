/*
 * demo_run.c - see demo.h: a scenario run by `tidemark run`, and its rows on the screen. Supervisor
 * only.
 */
#include "harness/base/diag.h"
#include "harness/base/interrupt.h"
#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/base/table.h"
#include "harness/base/text.h"
#include "harness/cli/demo.h"
#include "harness/report/describe.h"
#include "harness/result/result_printable.h"
#include "harness/result/result_read.h"

#include <ctype.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static bool file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        return false;
    }
    bool ok = fputs(text, file) >= 0;
    return fclose(file) == 0 && ok;
}

#define TIME_PROGRAM "/usr/bin/time"

/* What a run is asked for besides its result. */
struct measured {
    const char *time_file; /* NULL, or where `/usr/bin/time -v` writes */
    struct rusage usage;
};

/* `tidemark run -q --json RESULT SCENARIO`, its output kept for the case that it fails. The status
 * is not asked: the demo judges by the result. */
static bool tidemark_run(const char *scenario, const char *result, const char *log,
                         struct measured *measured)
{
    char self[32]; /* this program, also where another stands in its place by now */
    int status = 0;
    snprintf(self, sizeof self, "/proc/%d/exe", getpid());
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (fd >= 0) {
            dup2(fd, 1);
            dup2(fd, 2);
        }
        /* What a suite that is killed leaves in the temporary folder goes with the demo's own. */
        char *folder = memory_copy_bytes(result, (size_t)(strrchr(result, '/') - result));
        setenv("TMPDIR", folder, 1);
        free(folder);
        if (measured->time_file) {
            execl(TIME_PROGRAM, "time", "-v", "-o", measured->time_file, self, "run", "-q",
                  "--json", result, scenario, (char *)NULL);
        } else {
            execl(self, "tidemark", "run", "-q", "--json", result, scenario, (char *)NULL);
        }
        _exit(99);
    }
    bool ended = pid > 0 && interrupt_wait(pid, &status, &measured->usage);
    if (interrupt_pending()) {
        interrupt_die();
    }
    return ended && WIFEXITED(status) && WEXITSTATUS(status) <= 1;
}

/* "Maximum resident set size (kbytes): 286720" of GNU time, in bytes. */
static double time_v_read(const char *path)
{
    char line[256];
    double peak = NAN;
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        static const char words[] = "Maximum resident set size (kbytes): ";
        const char *at = strstr(line, words);
        if (at) {
            peak = strtod(at + strlen(words), NULL) * 1024;
        }
    }
    if (file) {
        fclose(file);
    }
    return peak;
}

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

/* Seconds of processor time that all processes of the machine have taken, those of other guests of
 * its host too; NAN where the kernel does not say. */
static double machine_seconds(void)
{
    unsigned long long user, nice, system, idle, wait, interrupts, soft, stolen;
    double seconds = NAN;
    FILE *file = fopen("/proc/stat", "r");
    if (file &&
        fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle,
               &wait, &interrupts, &soft, &stolen) == 8) { /* NOLINT(cert-err34-c): the kernel's */
        seconds = (double)(user + nice + system + interrupts + soft + stolen) /
                  (double)sysconf(_SC_CLK_TCK);
    }
    if (file) {
        fclose(file);
    }
    return seconds;
}

static void log_show(const char *path)
{
    char line[512];
    FILE *log = fopen(path, "r");
    while (log && fgets(line, sizeof line, log)) {
        fprintf(stderr, "  %s", line);
    }
    if (log) {
        fclose(log);
    }
}

/* "s/c/name ran into the time limit": why a figure may be missing. NULL: all tests came through. */
static char *broke_text(const struct result *result)
{
    struct text text = {0};
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (test->status != RESULT_PASS && test->status != RESULT_SKIP) {
            printable_put(&text, test->id);
            text_put_char(&text, ' ');
            describe_test(&text, result, test);
            return text_take(&text);
        }
    }
    return NULL;
}

static void run_with(struct demo *demo, const char *scenario, struct demo_run *run, bool time_v)
{
    struct diag diag;
    char *path = memory_format("%s/scenario.yaml", demo->folder);
    char *result = memory_format("%s/result.jsonl", demo->folder);
    char *log = memory_format("%s/log", demo->folder);
    char *times = memory_format("%s/time", demo->folder);
    struct measured measured = {.time_file = time_v ? times : NULL};
    *run = (struct demo_run){.peak_rss = NAN, .time_v_peak = NAN};
    result_init(&run->result);
    diag_init(&diag);
    if (!demo->quiet) {
        int length = (int)strcspn(scenario, "\n");
        fprintf(stderr, "tidemark demo: running %.*s\n", length, scenario);
    }
    unlink(result);
    double begun = (double)monotonic_ns(), machine = machine_seconds();
    bool ok = !demo->failed && file_write(path, scenario) &&
              tidemark_run(path, result, log, &measured) &&
              result_read(result, &run->result, &diag);
    run->seconds = ((double)monotonic_ns() - begun) / 1e9;
    run->peak_rss = (double)measured.usage.ru_maxrss * 1024;
    run->cpu_seconds = seconds_of(&measured.usage.ru_utime) + seconds_of(&measured.usage.ru_stime);
    double others = machine_seconds() - machine - run->cpu_seconds;
    run->others = fmax(others, 0) / run->seconds / (double)sysconf(_SC_NPROCESSORS_ONLN);
    if (time_v) {
        run->time_v_peak = time_v_read(times);
    }
    if (!ok && !demo->failed) {
        fprintf(stderr, "tidemark demo: this scenario gave no result:\n%s", scenario);
        log_show(log);
        diag_print(&diag, stderr);
        demo->failed = true;
    }
    free(demo->broke);
    demo->broke = broke_text(&run->result);
    diag_fini(&diag);
    unlink(path);
    unlink(result);
    unlink(log);
    unlink(times);
    free(path);
    free(result);
    free(log);
    free(times);
}

void demo_run(struct demo *demo, const char *scenario, struct demo_run *run)
{
    run_with(demo, scenario, run, false);
}

void demo_run_time_v(struct demo *demo, const char *scenario, struct demo_run *run,
                     const char **why)
{
    bool there = access(TIME_PROGRAM, X_OK) == 0;
    *why = there ? NULL : TIME_PROGRAM " is not installed (package time)";
    run_with(demo, scenario, run, there);
}

void demo_run_fini(struct demo_run *run)
{
    result_fini(&run->result);
}

const struct result_variant *demo_variant(const struct demo_run *run, const char *variant)
{
    for (size_t i = 0; i < run->result.variant_count; i++) {
        if (strcmp(run->result.variants[i].name, variant) == 0) {
            return &run->result.variants[i];
        }
    }
    return NULL;
}

double demo_metric(const struct demo_run *run, const char *variant, enum result_metric metric)
{
    const struct result_variant *found = demo_variant(run, variant);
    return found ? found->metric[metric] : NAN;
}

double demo_counter(const struct demo_run *run, const char *variant, const char *name)
{
    const struct result_variant *found = demo_variant(run, variant);
    for (size_t i = 0; found && i < found->counter_count; i++) {
        if (strcmp(found->counters[i].name, name) == 0) {
            return found->counters[i].value;
        }
    }
    return NAN;
}

const char *demo_stopped(const struct demo_run *run, const char *variant)
{
    const struct result_variant *found = demo_variant(run, variant);
    return found ? found->stopped_by : "no result";
}

const struct result_test *demo_test(const struct demo_run *run, const char *variant, size_t n)
{
    for (size_t i = 0; i < run->result.test_count; i++) {
        if (strcmp(run->result.tests[i].variant, variant) == 0 && n-- == 0) {
            return &run->result.tests[i];
        }
    }
    return NULL;
}

bool demo_passed(const struct demo_run *run, const char *variant, const char *name)
{
    for (size_t i = 0; i < run->result.test_count; i++) {
        const struct result_test *test = &run->result.tests[i];
        const char *slash = strrchr(test->id, '/');
        if (strcmp(test->variant, variant) == 0 && slash && strcmp(slash + 1, name) == 0) {
            return test->status == RESULT_PASS;
        }
    }
    return false;
}

/* The screen. ------------------------------------------------------------------------------------
 */

void demo_paragraph(struct demo *demo, const char *heading, const char *text)
{
    struct text lines = {0};
    struct text whole = {0};
    text_format(&whole, "%s %s", heading, text);
    text_wrap(&lines, text_peek(&whole), 0, demo->columns);
    size_t length = strlen(heading);
    fprintf(demo->out, "%s%s%s%s", table_color_begin(TABLE_BOLD, demo->color), heading,
            table_color_end(TABLE_BOLD, demo->color), text_peek(&lines) + length);
    text_fini(&whole);
    text_fini(&lines);
}

/* Bytes of `text` that go on a line of `width` columns, as text_wrap would; a word that is wider is
 * cut. */
static size_t line_fit(const char *text, unsigned width)
{
    struct text lines = {0};
    text_wrap(&lines, text, 0, width);
    size_t length = strcspn(lines.data, "\n"), most = text_fit(text, width);
    text_fini(&lines);
    return length < most ? length : most;
}

static char *line_take(const char **text, unsigned width)
{
    size_t length = line_fit(*text, width);
    char *line = memory_copy_bytes(*text, length);
    *text += length;
    *text += strspn(*text, " ");
    return line;
}

static void row_print(struct demo *demo, const char *row, const char *report, const char *mark,
                      enum table_color color, const char *seen)
{
    unsigned left = (demo->columns - 11) * 2 / 5, right = demo->columns - 11 - left;
    do {
        char *said = line_take(&report, left), *saw = line_take(&seen, right);
        fprintf(demo->out, "%-5s%s", row, said);
        if (*mark || *saw) {
            fprintf(demo->out, "%*s  %s%-3s%s %s", (int)(left - text_width(said)), "",
                    table_color_begin(color, demo->color), mark,
                    table_color_end(color, demo->color), saw);
        }
        fputc('\n', demo->out);
        free(said);
        free(saw);
        row = mark = "";
    } while (*report || *seen);
}

void demo_head(struct demo *demo)
{
    fputc('\n', demo->out);
    row_print(demo, "row", "the report says", "", TABLE_BOLD, "seen here, just now");
}

/* Is a figure in it that was not measured? */
static bool figure_missing(const char *seen)
{
    for (const char *at = seen; (at = strstr(at, "nan")); at += 3) {
        bool begins = at == seen || !isalpha((unsigned char)at[-1]);
        if (begins && !isalpha((unsigned char)at[3])) {
            return true;
        }
    }
    return false;
}

static void row_show(struct demo *demo, const char *row, const char *report, bool ok, bool part,
                     char *seen)
{
    bool missing = figure_missing(seen);
    char *instead = missing ? memory_format("not measured: %s",
                                            demo->broke ? demo->broke : "its test gave no figure")
                            : NULL;
    ok = ok && !missing;
    demo->rows += !(part && ok);
    demo->broken += !ok;
    demo->skipped += part && ok;
    row_print(demo, row, report,
              !ok    ? "NOT"
              : part ? "-"
                     : "ok",
              !ok    ? TABLE_RED
              : part ? TABLE_YELLOW
                     : TABLE_GREEN,
              instead ? instead : seen);
    free(instead);
}

void demo_row(struct demo *demo, const char *row, const char *report, bool ok, const char *format,
              ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *seen = memory_format_list(format, arguments);
    va_end(arguments);
    if (!demo->failed) {
        row_show(demo, row, report, ok, false, seen);
    }
    free(seen);
}

void demo_row_part(struct demo *demo, const char *row, const char *report, bool ok,
                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *seen = memory_format_list(format, arguments);
    va_end(arguments);
    if (!demo->failed) {
        row_show(demo, row, report, ok, true, seen);
    }
    free(seen);
}
