/* result_writer.c - the file of a result while it is written: one write a line, and a provisional
 * summary behind it, so that a kill leaves a whole file. result_write.c has the lines. Supervisor
 * only. */
#include "harness/result/result_writer.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/result/json_read.h"
#include "harness/result/json_write.h"
#include "harness/result/result_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct result_writer {
    int fd;
    bool regular; /* positions can be written again */
    int error;    /* errno of the first write that failed */
    bool ended;   /* by result_writer_run_end, and no other run has begun */
    bool begun;   /* a run */
    off_t end;    /* where the provisional summary begins */
    size_t summary_bytes;
    struct text line;
    /* For the provisional summary. A test may come twice: its figures as soon as it ran, its
     * verdict when there is one. `status` remembers the last of each. */
    size_t expected, count[4]; /* 0 passed, 1 failed, 2 skipped, 3 ran once and to be judged */
    struct result_index index; /* hash of id and variant -> number in `outcome` */
    unsigned char *outcome;
    size_t outcome_count, outcome_room;
};

struct result_writer *result_writer_new(const char *path)
{
    int fd = strcmp(path, "-") == 0 ? dup(STDOUT_FILENO)
                                    : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        return NULL;
    }
    struct stat stat;
    bool regular = strcmp(path, "-") != 0 && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
    struct result_writer *writer = memory_new(1, sizeof *writer);
    writer->fd = fd;
    writer->regular = regular;
    return writer;
}

/* All bytes, at the place where the last line ended. After a failure nothing more is written: a
 * file with a hole in the middle would be worse than a short one. */
static void bytes_write(struct result_writer *writer, const char *bytes, size_t length)
{
    off_t at = writer->end;
    while (length > 0 && writer->error == 0) {
        ssize_t done = writer->regular ? pwrite(writer->fd, bytes, length, at)
                                       : write(writer->fd, bytes, length);
        if (done < 0 && errno != EINTR) {
            writer->error = errno;
        } else if (done > 0) {
            bytes += done;
            at += done;
            length -= (size_t)done;
        }
    }
}

static void head_put(struct text *line, const char *type)
{
    json_open(line, NULL, '{');
    json_signed(line, "v", 1);
    json_text(line, "type", type);
}

static void summary_put(struct text *line, const struct result *result)
{
    head_put(line, "summary");
    json_unsigned(line, "passed", result->passed);
    json_unsigned(line, "failed", result->failed);
    json_unsigned(line, "skipped", result->skipped);
    json_unsigned(line, "incomplete", result->incomplete);
    if (result->cut_short > 0) {
        json_unsigned(line, "cut_short", result->cut_short);
    }
    if (result->way_in[0]) {
        json_text(line, "way_in", result->way_in);
    }
    if (result->reason[0]) {
        json_text(line, "reason", result->reason);
    }
    json_close(line, '}');
}

/* Writes the lines in the buffer, with a new provisional summary behind them. A run that was killed
 * is incomplete even when every expected test was written: the closing summary is missing. */
static void buffer_write(struct result_writer *writer)
{
    size_t length = writer->line.length;
    if (writer->regular) {
        size_t done = writer->count[0] + writer->count[1] + writer->count[2];
        bool missing = writer->expected > done;
        struct result so_far = {.passed = writer->count[0],
                                .failed = writer->count[1],
                                .skipped = writer->count[2] + writer->count[3],
                                .incomplete = missing ? writer->expected - done : 1,
                                .cut_short = !missing,
                                .way_in = "",
                                .reason = ""};
        summary_put(&writer->line, &so_far);
        text_put_char(&writer->line, '\n');
    }
    bytes_write(writer, writer->line.data, writer->line.length);
    writer->end += (off_t)length;
    writer->summary_bytes = writer->line.length - length;
    text_reset(&writer->line);
}

struct text *result_line_open(struct result_writer *writer, const char *type)
{
    head_put(&writer->line, type);
    return &writer->line;
}

void result_line_end(struct result_writer *writer)
{
    json_close(&writer->line, '}');
    text_put_char(&writer->line, '\n');
    buffer_write(writer);
}

static void summary_close(struct result_writer *writer, const struct result *result)
{
    summary_put(&writer->line, result);
    /* Blanks where the provisional one was longer: still one write, and never a torn tail. */
    while (writer->regular && writer->line.length + 1 < writer->summary_bytes) {
        text_put_char(&writer->line, ' ');
    }
    text_put_char(&writer->line, '\n');
    bytes_write(writer, writer->line.data, writer->line.length);
}

void result_writer_begin(struct result_writer *writer)
{
    writer->begun = true;
    writer->ended = false;
}

void result_writer_run_end(struct result_writer *writer, const struct result *result)
{
    if (!writer->begun) {
        return;
    }
    summary_close(writer, result);
    writer->end += (off_t)writer->line.length;
    text_reset(&writer->line);
    result_index_fini(&writer->index);
    writer->summary_bytes = writer->expected = writer->outcome_count = 0;
    memset(writer->count, 0, sizeof writer->count);
    writer->begun = false;
    writer->ended = true;
}

bool result_writer_close(struct result_writer **slot, const struct result *result)
{
    struct result_writer *writer = *slot;
    *slot = NULL;
    if (!writer->ended) {
        summary_close(writer, result);
    }
    int error = writer->error;
    if (close(writer->fd) != 0 && error == 0) {
        error = errno;
    }
    text_fini(&writer->line);
    result_index_fini(&writer->index);
    free(writer->outcome);
    free(writer);
    errno = error;
    return error == 0;
}

void result_write_expected(struct result_writer *writer, size_t expected)
{
    writer->expected = expected;
    json_unsigned(result_line_open(writer, "expected"), "tests", expected);
    result_line_end(writer);
}

static bool outcome_same(const void *context, uint64_t value, const char *first, const char *second)
{
    (void)context; /* equal 64-bit hashes are taken for equal tests: a count is at stake, no data */
    (void)value;
    (void)first;
    (void)second;
    return true;
}

void result_writer_count(struct result_writer *writer, const struct result_test *test, bool once)
{
    bool neither = test->status == RESULT_SKIP || test->status == RESULT_FLAKY;
    unsigned char outcome = once && test->status == RESULT_PASS ? 3
                            : test->status == RESULT_PASS       ? 0
                            : neither                           ? 2
                                                                : 1;
    bool fresh;
    uint64_t at = result_index_add(&writer->index, test->id, test->variant, writer->outcome_count,
                                   outcome_same, NULL, &fresh);
    if (fresh) {
        memory_grow(&writer->outcome, &writer->outcome_room, writer->outcome_count + 1, 1);
        writer->outcome_count++;
    } else {
        writer->count[writer->outcome[at]]--;
    }
    writer->outcome[at] = outcome;
    writer->count[outcome]++;
}

#define COPY_BYTES (64u << 10)

/* Is the line of a type that is copied? 0 no, 1 yes, -1 not JSON. */
static int line_wanted(struct json *json, const char *line, size_t length)
{
    const char *key, *type;
    json_begin(json, line, length);
    json_enter(json, '{');
    while (json_next_key(json, &key)) {
        if (strcmp(key, "type") != 0) {
            json_skip(json);
        } else if (json_take_text(json, &type)) {
            return strcmp(type, "test") == 0 || strcmp(type, "once") == 0 ||
                   strcmp(type, "site") == 0 || strcmp(type, "births") == 0;
        }
    }
    return json->error ? -1 : 0;
}

bool result_write_copy(struct result_writer *writer, const char *path)
{
    FILE *file = fopen(path, "re");
    struct json json = {0};
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    bool ok = file != NULL;
    while (ok && (length = getline(&line, &room, file)) > 0) {
        bool blank = strspn(line, " \t\r\n") == (size_t)length;
        int wanted = blank ? 0 : line_wanted(&json, line, (size_t)length);
        if (wanted < 0 && line[length - 1] == '\n') {
            ok = false;
        }
        /* A last line that was cut off is not copied: what is wanted ends with a newline. */
        if (wanted > 0 && line[length - 1] == '\n') {
            text_put_bytes(&writer->line, line, (size_t)length);
            if (writer->line.length > COPY_BYTES) {
                buffer_write(writer);
            }
        }
    }
    buffer_write(writer);
    ok = ok && !ferror(file);
    json_fini(&json);
    free(line);
    if (file) {
        fclose(file);
    }
    return ok;
}
