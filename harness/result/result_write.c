/* result_write.c - see result_write.h: the lines, field by field. result_writer.c has the file.
 * Supervisor only. */
#include "harness/result/result_write.h"
#include "harness/base/version.h"
#include "harness/result/json_write.h"
#include "harness/result/result_memcheck.h"
#include "harness/result/result_release.h"
#include "harness/result/result_writer.h"

static void fail_on_put(struct text *line, unsigned bits)
{
    struct text words = {0};
    for (unsigned i = 0; i < FAIL_ON_COUNT; i++) {
        if (bits >> i & 1) {
            text_format(&words, "%s%s", words.length ? "," : "", result_fail_on_words[i]);
        }
    }
    if (words.length > 0) {
        json_text(line, "fail_on", words.data);
    }
    text_fini(&words);
}

void result_write_run(struct result_writer *writer, const struct result *result)
{
    struct text *line = result_line_open(writer, "run");
    result_writer_begin(writer);
    json_text(line, "tool", "tidemark");
    json_text(line, "version", result->tool_version[0] ? result->tool_version : TIDEMARK_VERSION);
    json_text(line, "command", result->command);
    json_text(line, "argv", result->argv);
    json_text(line, "host", result->host);
    json_text(line, "allocator", result->allocator);
    json_signed(line, "cap", result->cap);
    json_text(line, "cap_kind", result->cap_kind);
    if (result->guard > 0) {
        json_signed(line, "guard", result->guard);
    }
    json_unsigned(line, "seed", result->seed);
    json_text(line, "started", result->started);
    json_text(line, "scenario", result->scenario);
    json_text(line, "suite", result->suite);
    if (result->program[0]) {
        json_text(line, "program", result->program);
    }
    json_text(line, "way_in", result->way_in);
    json_text(line, "shard", result->shard);
    if (result->partition[0]) {
        json_text(line, "partition", result->partition);
    }
    if (result->filter[0]) {
        json_text(line, "filter", result->filter);
    }
    fail_on_put(line, result->fail_on);
    result_line_end(writer);
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

static void test_write(struct result_writer *writer, const struct result_test *test, bool once)
{
    struct text *line = result_line_open(writer, once ? "once" : "test");
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
    if (test->children_left != 0) {
        json_signed(line, "children_left", test->children_left);
    }
    if (test->children > 0) {
        json_signed(line, "children", test->children);
    }
    if (test->children_followed > 0) {
        json_signed(line, "children_followed", test->children_followed);
    }
    if (test->programs > 0) {
        json_signed(line, "programs", test->programs);
        json_text(line, "program", test->program);
    }
    json_signed(line, "left_bytes", test->left_bytes);
    curve_put(line, "live_by_rep", test->live_by_rep, test->live_by_rep_count);
    curve_put(line, "live_at_rep", test->live_at_rep, test->live_at_rep_count);
    curve_put(line, "rss_by_rep", test->rss_by_rep, test->rss_by_rep_count);
    if (test->frame_count > 0) {
        result_write_frames(line, "frames", test->frames, test->frame_count);
    }
    if (test->memcheck) {
        result_memcheck_write(line, test->memcheck);
    }
    result_writer_count(writer, test, once);
    result_line_end(writer);
}

void result_write_test(struct result_writer *writer, const struct result_test *test)
{
    test_write(writer, test, false);
}

void result_write_once(struct result_writer *writer, const struct result_test *test)
{
    test_write(writer, test, true);
}

void result_write_site(struct result_writer *writer, const struct result_site *site)
{
    static const char *const reach[] = {
        [REACH_UNKNOWN] = "unknown", [REACH_UNREACHABLE] = "unreachable", [REACH_HELD] = "held"};
    struct text *line = result_line_open(writer, "site");
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
    result_line_end(writer);
}

void result_write_birth(struct result_writer *writer, const struct result_site *birth)
{
    struct text *line = result_line_open(writer, "births");
    json_text(line, "test", birth->test);
    json_text(line, "variant", birth->variant);
    json_signed(line, "bytes", birth->bytes);
    json_signed(line, "blocks", birth->blocks);
    result_write_frames(line, "frames", birth->frames, birth->frame_count);
    result_line_end(writer);
}

void result_write_variant(struct result_writer *writer, const struct result_variant *variant)
{
    struct text *line = result_line_open(writer, "variant");
    json_text(line, "name", variant->name);
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        json_number(line, result_metrics[i].json, variant->metric[i]);
    }
    json_text(line, "verdict", result_verdict_name(variant->verdict));
    json_text(line, "stopped_by", variant->stopped_by);
    json_text(line, "culprit", variant->culprit);
    json_number(line, "kept_bytes", variant->kept_bytes);
    if (variant->kept_tests > 0) {
        json_unsigned(line, "kept_tests", variant->kept_tests);
    }
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
    result_line_end(writer);
}

void result_write_expect(struct result_writer *writer, const struct result_expect *expect)
{
    struct text *line = result_line_open(writer, "expect");
    json_text(line, "variant", expect->variant);
    json_text(line, "metric", expect->metric);
    json_text(line, "limit", expect->limit);
    json_text(line, "actual", expect->actual);
    json_bool(line, "ok", expect->ok);
    json_text(line, "scenario", expect->file);
    json_unsigned(line, "line", expect->line);
    result_line_end(writer);
}

void result_write_elsewhere(struct result_writer *writer, const struct result_elsewhere *elsewhere)
{
    struct text *line = result_line_open(writer, "elsewhere");
    json_text(line, "variant", elsewhere->variant);
    json_unsigned(line, "shard", elsewhere->shard);
    json_unsigned(line, "shards", elsewhere->shards);
    json_open(line, "tests", '[');
    for (size_t i = 0; i < elsewhere->count; i++) {
        json_text(line, NULL, elsewhere->tests[i]);
    }
    json_close(line, ']');
    result_line_end(writer);
}

void result_write_note(struct result_writer *writer, const char *text)
{
    json_text(result_line_open(writer, "note"), "text", text);
    result_line_end(writer);
}
