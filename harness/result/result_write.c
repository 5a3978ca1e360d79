/* result_write.c - see result_write.h: JSON Lines, one write a line. Supervisor only. */
#include "harness/result/result_write.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/base/version.h"
#include "harness/result/json_read.h"
#include "harness/result/json_write.h"
#include "harness/result/result_index.h"
#include "harness/result/result_memcheck.h"
#include "harness/result/result_release.h"

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
    size_t expected, count[3]; /* 0 passed, 1 failed, 2 skipped */
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
                                .skipped = writer->count[2],
                                .incomplete = missing ? writer->expected - done : 1,
                                .cut_short = !missing,
                                .way_in = ""};
        summary_put(&writer->line, &so_far);
        text_put_char(&writer->line, '\n');
    }
    bytes_write(writer, writer->line.data, writer->line.length);
    writer->end += (off_t)length;
    writer->summary_bytes = writer->line.length - length;
    text_reset(&writer->line);
}

static void line_write(struct result_writer *writer)
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

void result_write_run(struct result_writer *writer, const struct result *result)
{
    struct text *line = &writer->line;
    writer->begun = true;
    writer->ended = false;
    head_put(line, "run");
    json_text(line, "tool", "tidemark");
    json_text(line, "version", result->tool_version[0] ? result->tool_version : TIDEMARK_VERSION);
    json_text(line, "command", result->command);
    json_text(line, "argv", result->argv);
    json_text(line, "host", result->host);
    json_text(line, "allocator", result->allocator);
    json_signed(line, "cap", result->cap);
    json_text(line, "cap_kind", result->cap_kind);
    json_unsigned(line, "seed", result->seed);
    json_text(line, "started", result->started);
    json_text(line, "scenario", result->scenario);
    json_text(line, "suite", result->suite);
    json_text(line, "way_in", result->way_in);
    json_text(line, "shard", result->shard);
    if (result->partition[0]) {
        json_text(line, "partition", result->partition);
    }
    line_write(writer);
}

void result_write_expected(struct result_writer *writer, size_t expected)
{
    struct text *line = &writer->line;
    writer->expected = expected;
    head_put(line, "expected");
    json_unsigned(line, "tests", expected);
    line_write(writer);
}

void result_write_frames(struct text *line, const char *key, const struct result_frame *frames,
                         size_t count)
{
    json_open(line, key, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(line, NULL, '{');
        json_text(line, "function", frames[i].function);
        json_text(line, "file", frames[i].file);
        json_unsigned(line, "line", frames[i].line);
        json_text(line, "module", frames[i].module);
        json_unsigned(line, "offset", frames[i].offset);
        json_close(line, '}');
    }
    json_close(line, ']');
}

static bool outcome_same(const void *context, uint64_t value, const char *first, const char *second)
{
    (void)context; /* equal 64-bit hashes are taken for equal tests: a count is at stake, no data */
    (void)value;
    (void)first;
    (void)second;
    return true;
}

static void outcome_count(struct result_writer *writer, const struct result_test *test)
{
    unsigned char outcome = test->status == RESULT_PASS ? 0 : test->status == RESULT_SKIP ? 2 : 1;
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

static void curve_put(struct text *line, const char *key, const int64_t *values, size_t count)
{
    if (count > 0) {
        json_open(line, key, '[');
        for (size_t i = 0; i < count; i++) {
            json_signed(line, NULL, values[i]);
        }
        json_close(line, ']');
    }
}

void result_write_test(struct result_writer *writer, const struct result_test *test)
{
    struct text *line = &writer->line;
    head_put(line, "test");
    json_text(line, "id", test->id);
    json_text(line, "variant", test->variant);
    json_text(line, "status", result_status_name(test->status));
    json_signed(line, "signal", test->signal);
    json_text(line, "verdict", result_verdict_name(test->verdict));
    json_unsigned(line, "repetitions", test->repetitions);
    json_signed(line, "allocs", test->allocs);
    json_signed(line, "frees", test->frees);
    json_signed(line, "bytes", test->bytes);
    json_signed(line, "retained_bytes", test->retained_bytes);
    json_signed(line, "retained_blocks", test->retained_blocks);
    json_signed(line, "peak_live_bytes", test->peak_live_bytes);
    json_signed(line, "peak_rss_bytes", test->peak_rss_bytes);
    json_number(line, "growth_bytes_per_rep", test->growth_bytes_per_rep);
    json_signed(line, "fds", test->fds);
    json_signed(line, "threads", test->threads);
    json_signed(line, "wall_ns", test->wall_ns);
    json_text(line, "message", test->message);
    json_text(line, "file", test->file);
    json_unsigned(line, "line", test->line);
    json_signed(line, "live_bytes", test->live_bytes);
    if (test->horizon[0]) {
        json_text(line, "horizon", test->horizon);
    }
    if (test->order != ORDER_FREE) {
        json_text(line, "order", result_order_name(test->order));
        json_text(line, "order_by", test->order_by);
        json_text(line, "order_message", test->order_message);
    }
    json_signed(line, "left_bytes", test->left_bytes);
    curve_put(line, "live_by_rep", test->live_by_rep, test->live_by_rep_count);
    curve_put(line, "rss_by_rep", test->rss_by_rep, test->rss_by_rep_count);
    if (test->frame_count > 0) {
        result_write_frames(line, "frames", test->frames, test->frame_count);
    }
    if (test->memcheck) {
        result_memcheck_write(line, test->memcheck);
    }
    outcome_count(writer, test);
    line_write(writer);
}

void result_write_site(struct result_writer *writer, const struct result_site *site)
{
    static const char *const reach[] = {
        [REACH_UNKNOWN] = "unknown", [REACH_UNREACHABLE] = "unreachable", [REACH_HELD] = "held"};
    struct text *line = &writer->line;
    head_put(line, "site");
    json_text(line, "test", site->test);
    json_text(line, "variant", site->variant);
    json_unsigned(line, "rank", site->rank);
    json_signed(line, "bytes", site->bytes);
    json_signed(line, "blocks", site->blocks);
    json_number(line, "bytes_per_rep", site->bytes_per_rep);
    json_text(line, "reachability", reach[site->reach]);
    json_text(line, "kind", site->kind);
    json_number(line, "share", site->share);
    json_text(line, "verdict", result_verdict_name(site->verdict));
    if (site->suppressed) {
        json_bool(line, "suppressed", true);
    }
    result_write_frames(line, "frames", site->frames, site->frame_count);
    json_open(line, "held_by", '[');
    for (size_t i = 0; i < site->held_by_count; i++) {
        const struct result_link *link = &site->held_by[i];
        json_open(line, NULL, '{');
        json_text(line, "symbol", link->symbol);
        json_text(line, "field", link->field);
        json_text(line, "module", link->module);
        json_unsigned(line, "offset", link->offset);
        json_unsigned(line, "bytes", link->bytes);
        json_close(line, '}');
    }
    json_close(line, ']');
    result_releases_write(line, site);
    line_write(writer);
}

void result_write_birth(struct result_writer *writer, const struct result_site *birth)
{
    struct text *line = &writer->line;
    head_put(line, "births");
    json_text(line, "test", birth->test);
    json_text(line, "variant", birth->variant);
    json_signed(line, "bytes", birth->bytes);
    json_signed(line, "blocks", birth->blocks);
    result_write_frames(line, "frames", birth->frames, birth->frame_count);
    line_write(writer);
}

void result_write_variant(struct result_writer *writer, const struct result_variant *variant)
{
    struct text *line = &writer->line;
    head_put(line, "variant");
    json_text(line, "name", variant->name);
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        json_number(line, result_metrics[i].json, variant->metric[i]);
    }
    json_text(line, "verdict", result_verdict_name(variant->verdict));
    json_text(line, "stopped_by", variant->stopped_by);
    json_text(line, "culprit", variant->culprit);
    json_text(line, "projection", variant->projection);
    json_text(line, "horizon", variant->horizon);
    json_open(line, "counters", '{');
    for (size_t i = 0; i < variant->counter_count; i++) {
        json_number(line, variant->counters[i].name, variant->counters[i].value);
    }
    json_close(line, '}');
    json_open(line, "intervals", '{');
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        /* An interval with one end is none: both are there or neither. */
        if (variant->low[i] == variant->low[i] && variant->high[i] == variant->high[i]) {
            json_open(line, result_metrics[i].json, '[');
            json_number(line, NULL, variant->low[i]);
            json_number(line, NULL, variant->high[i]);
            json_close(line, ']');
        }
    }
    json_close(line, '}');
    line_write(writer);
}

void result_write_expect(struct result_writer *writer, const struct result_expect *expect)
{
    struct text *line = &writer->line;
    head_put(line, "expect");
    json_text(line, "variant", expect->variant);
    json_text(line, "metric", expect->metric);
    json_text(line, "limit", expect->limit);
    json_text(line, "actual", expect->actual);
    json_bool(line, "ok", expect->ok);
    json_text(line, "scenario", expect->file);
    json_unsigned(line, "line", expect->line);
    line_write(writer);
}

void result_write_elsewhere(struct result_writer *writer, const struct result_elsewhere *elsewhere)
{
    struct text *line = &writer->line;
    head_put(line, "elsewhere");
    json_text(line, "variant", elsewhere->variant);
    json_unsigned(line, "shard", elsewhere->shard);
    json_unsigned(line, "shards", elsewhere->shards);
    json_open(line, "tests", '[');
    for (size_t i = 0; i < elsewhere->count; i++) {
        json_text(line, NULL, elsewhere->tests[i]);
    }
    json_close(line, ']');
    line_write(writer);
}

void result_write_note(struct result_writer *writer, const char *text)
{
    head_put(&writer->line, "note");
    json_text(&writer->line, "text", text);
    line_write(writer);
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
            return strcmp(type, "test") == 0 || strcmp(type, "site") == 0 ||
                   strcmp(type, "births") == 0 || strcmp(type, "note") == 0;
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
