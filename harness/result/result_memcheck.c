/* result_memcheck.c - see result_memcheck.h. Supervisor only. */
#include "harness/result/result_memcheck.h"

#include "harness/base/memory.h"
#include "harness/result/json_write.h"
#include "harness/result/result_line.h"
#include "harness/result/result_write.h"

#include <stdlib.h>
#include <string.h>

#define ERRORS_MAX 4096 /* of one test; more is a damaged file */

struct result_memcheck *result_memcheck_get(struct result_test *test)
{
    if (!test->memcheck) {
        test->memcheck = memory_new(1, sizeof *test->memcheck);
        test->memcheck->message = memory_copy("");
    }
    return test->memcheck;
}

void result_error_fini(struct result_error *error)
{
    free(error->kind);
    free(error->what);
    free(error->detail);
    result_frames_free(error->frames, error->frame_count);
    *error = (struct result_error){0};
}

void result_memcheck_free(struct result_memcheck **slot)
{
    struct result_memcheck *memcheck = *slot;
    *slot = NULL;
    if (memcheck) {
        for (size_t i = 0; i < memcheck->list_count; i++) {
            result_error_fini(&memcheck->list[i]);
        }
        free(memcheck->list);
        free(memcheck->message);
        free(memcheck);
    }
}

struct result_error *result_error_add(struct result_memcheck *memcheck)
{
    memory_grow(&memcheck->list, &memcheck->list_room, memcheck->list_count + 1,
                sizeof memcheck->list[0]);
    struct result_error *error = &memcheck->list[memcheck->list_count++];
    *error = (struct result_error){.kind = memory_copy(""),
                                   .what = memory_copy(""),
                                   .detail = memory_copy(""),
                                   .bytes = RESULT_UNMEASURED,
                                   .blocks = RESULT_UNMEASURED};
    return error;
}

bool result_memcheck_bad(const struct result_memcheck *memcheck)
{
    bool died = memcheck && (memcheck->status == RESULT_CRASH || memcheck->status == RESULT_OOM ||
                             memcheck->status == RESULT_EXIT);
    return memcheck && (died || memcheck->errors > 0 || memcheck->definite_blocks > 0);
}

bool result_memcheck_stopped(const struct result_memcheck *memcheck)
{
    return memcheck && memcheck->status != RESULT_PASS && memcheck->status != RESULT_SKIP;
}

bool result_error_is_leak(const struct result_error *error)
{
    return error->bytes != RESULT_UNMEASURED;
}

static const struct figure {
    const char *key;
    size_t offset;
} figures[] = {
    {"errors", offsetof(struct result_memcheck, errors)},
    {"definite_bytes", offsetof(struct result_memcheck, definite_bytes)},
    {"definite_blocks", offsetof(struct result_memcheck, definite_blocks)},
    {"indirect_bytes", offsetof(struct result_memcheck, indirect_bytes)},
    {"indirect_blocks", offsetof(struct result_memcheck, indirect_blocks)},
    {"possible_bytes", offsetof(struct result_memcheck, possible_bytes)},
    {"possible_blocks", offsetof(struct result_memcheck, possible_blocks)},
};
#define FIGURES (sizeof figures / sizeof figures[0])

void result_memcheck_write(struct text *line, const struct result_memcheck *memcheck)
{
    json_open(line, "memcheck", '{');
    json_text(line, "status", result_status_name(memcheck->status));
    if (memcheck->message[0]) {
        json_text(line, "message", memcheck->message);
    }
    for (size_t i = 0; i < FIGURES; i++) {
        json_signed(line, figures[i].key,
                    *(const int64_t *)((const char *)memcheck + figures[i].offset));
    }
    json_open(line, "findings", '[');
    for (size_t i = 0; i < memcheck->list_count; i++) {
        const struct result_error *error = &memcheck->list[i];
        json_open(line, NULL, '{');
        json_text(line, "kind", error->kind);
        json_text(line, "what", error->what);
        if (error->detail[0]) {
            json_text(line, "detail", error->detail);
        }
        json_signed(line, "bytes", error->bytes);
        json_signed(line, "blocks", error->blocks);
        result_write_frames(line, "frames", error->frames, error->frame_count);
        json_close(line, '}');
    }
    json_close(line, ']');
    json_close(line, '}');
}

static void error_read(struct json *json, struct result_error *error)
{
    const char *key, *text;
    if (!json_enter(json, '{')) {
        return;
    }
    while (json_next_key(json, &key)) {
        char **slot = strcmp(key, "kind") == 0     ? &error->kind
                      : strcmp(key, "what") == 0   ? &error->what
                      : strcmp(key, "detail") == 0 ? &error->detail
                                                   : NULL;
        if (slot) {
            if (json_take_text(json, &text)) {
                result_set(slot, text);
            }
        } else if (strcmp(key, "bytes") == 0) {
            json_take_integer(json, &error->bytes);
        } else if (strcmp(key, "blocks") == 0) {
            json_take_integer(json, &error->blocks);
        } else if (strcmp(key, "frames") == 0 && !error->frames) {
            result_line_frames(json, &error->frames, &error->frame_count);
        } else {
            json_skip(json);
        }
    }
}

static void status_read(struct json *json, enum result_status *status)
{
    const char *text;
    json_peek(json);
    const char *from = json->at;
    if (json_take_text(json, &text) && !result_status_parse(text, status)) {
        json->at = from;
        json_fail(json, "unknown status");
    }
}

static void list_read(struct json *json, struct result_memcheck *memcheck)
{
    if (!json_enter(json, '[')) {
        return;
    }
    while (json_next(json)) {
        if (memcheck->list_count == ERRORS_MAX) {
            json_fail(json, "too many findings");
            return;
        }
        error_read(json, result_error_add(memcheck));
    }
}

void result_memcheck_read(struct json *json, struct result_test *test)
{
    const char *key, *text;
    struct result_memcheck *memcheck = result_memcheck_get(test);
    if (!json_enter(json, '{')) {
        return;
    }
    while (json_next_key(json, &key)) {
        size_t figure = 0;
        while (figure < FIGURES && strcmp(figures[figure].key, key) != 0) {
            figure++;
        }
        if (figure < FIGURES) {
            json_take_integer(json, (int64_t *)((char *)memcheck + figures[figure].offset));
        } else if (strcmp(key, "status") == 0) {
            status_read(json, &memcheck->status);
        } else if (strcmp(key, "message") == 0) {
            if (json_take_text(json, &text)) {
                result_set(&memcheck->message, text);
            }
        } else if (strcmp(key, "findings") == 0) {
            list_read(json, memcheck);
        } else {
            json_skip(json);
        }
    }
}
