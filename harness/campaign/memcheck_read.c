/* memcheck_read.c - see memcheck_read.h. Supervisor only. */
#include "harness/campaign/memcheck_read.h"

#include "harness/base/memory.h"
#include "harness/base/text.h"

#include <errno.h>
#include <expat.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES_MAX 64
#define TEXT_MAX   4096 /* of one element; the rest is cut */

struct reader {
    const struct memcheck_events *events;
    const char *own;       /* path of libtidemark.so */
    char folder[PATH_MAX]; /* working directory, or "" */
    struct text text;      /* of the innermost element */
    bool in_error, in_message;
    bool ended;     /* what follows is memcheck's own look for leaks at the very end */
    unsigned stack; /* of the error: the first is its own, the others explain it */
    struct text kind, what, detail, dir, file;
    struct result_frame frames[FRAMES_MAX];
    size_t frame_count;
    bool placed; /* the explanation has its place */
    struct result_frame frame;
};

/* A number with commas between its thousands. False: there is none. */
static bool number_take(const char **at, int64_t *number)
{
    const char *from = *at;
    *number = 0;
    for (; (**at >= '0' && **at <= '9') || **at == ','; (*at)++) {
        if (**at != ',' && *number < INT64_MAX / 16) {
            *number = *number * 10 + (**at - '0');
        }
    }
    return *at > from;
}

/* "64 (+32)" is 32, "64" is 64. */
static bool change_take(const char **at, int64_t *change)
{
    if (!number_take(at, change)) {
        return false;
    }
    if (strncmp(*at, " (+", 3) == 0 || strncmp(*at, " (-", 3) == 0) {
        bool less = (*at)[2] == '-';
        *at += 3;
        if (!number_take(at, change) || **at != ')') {
            return false;
        }
        (*at)++;
        *change = less ? -*change : *change;
    }
    return true;
}

bool memcheck_lost(const char *text, int64_t *bytes, int64_t *blocks)
{
    static const char in[] = " bytes in ";
    if (!change_take(&text, bytes)) {
        return false;
    }
    if (strncmp(text, " (", 2) == 0) {
        text += 2;
        if (!change_take(&text, bytes) || strncmp(text, " direct", 7) != 0) {
            return false;
        }
        text = strchr(text, ')');
        while (text && text[1] != ' ') { /* the ')' of a "(+32)" before the one that closes */
            text = strchr(text + 1, ')');
        }
        text = text ? strstr(text, in) : NULL;
    }
    if (!text || strncmp(text, in, sizeof in - 1) != 0) {
        return false;
    }
    text += sizeof in - 1;
    return change_take(&text, blocks) && strncmp(text, " block", 6) == 0;
}

static void frame_clear(struct result_frame *frame)
{
    result_set(&frame->function, "");
    result_set(&frame->file, "");
    result_set(&frame->module, "");
    frame->line = 0;
    frame->offset = 0;
}

static void frame_free(struct result_frame *frame)
{
    free(frame->function);
    free(frame->file);
    free(frame->module);
    *frame = (struct result_frame){0};
}

static void error_begin(struct reader *reader)
{
    reader->in_error = true;
    reader->stack = 0;
    text_reset(&reader->kind);
    text_reset(&reader->what);
    text_reset(&reader->detail);
}

/* The frame that valgrind put in malloc's place says nothing, and ours are not the program's. */
static bool frame_is_foreign(const struct reader *reader, const struct result_frame *frame)
{
    return strstr(frame->module, "/vgpreload_") != NULL || strcmp(frame->module, reader->own) == 0;
}

/* Below the working directory as a person writes it there. */
static const char *relative(const struct reader *reader, const char *path)
{
    size_t length = strlen(reader->folder);
    bool below = length > 0 && strncmp(path, reader->folder, length) == 0 && path[length] == '/';
    return below ? path + length + 1 : path;
}

static void frame_end(struct reader *reader)
{
    struct text path = {0};
    if (reader->file.length > 0) {
        if (reader->dir.length > 0) {
            text_format(&path, "%s/", reader->dir.data);
        }
        text_put(&path, reader->file.data);
        result_set(&reader->frame.file, relative(reader, path.data));
    }
    text_fini(&path);
    if (frame_is_foreign(reader, &reader->frame)) {
        return;
    }
    if (reader->stack == 1 && reader->frame_count < FRAMES_MAX) {
        reader->frames[reader->frame_count++] = reader->frame;
        reader->frame = (struct result_frame){0};
    } else if (reader->stack > 1 && !reader->placed && reader->frame.line > 0) {
        text_format(&reader->detail, ", %s (%s:%u)", reader->frame.function, reader->frame.file,
                    reader->frame.line);
        reader->placed = true;
    }
}

static enum memcheck_leak leak_of(const char *kind)
{
    return strcmp(kind, "Leak_DefinitelyLost") == 0   ? MEMCHECK_DEFINITE
           : strcmp(kind, "Leak_IndirectlyLost") == 0 ? MEMCHECK_INDIRECT
           : strcmp(kind, "Leak_PossiblyLost") == 0   ? MEMCHECK_POSSIBLE
                                                      : MEMCHECK_NO_LEAK;
}

static void error_end(struct reader *reader)
{
    const char *kind = text_peek(&reader->kind);
    struct memcheck_seen seen = {.kind = kind,
                                 .what = text_peek(&reader->what),
                                 .detail = text_peek(&reader->detail),
                                 .leak = leak_of(kind),
                                 .bytes = RESULT_UNMEASURED,
                                 .blocks = RESULT_UNMEASURED,
                                 .frame_count = reader->frame_count};
    seen.frames = memory_new(reader->frame_count, sizeof *seen.frames);
    memcpy(seen.frames, reader->frames, reader->frame_count * sizeof *seen.frames);
    reader->frame_count = 0;
    reader->in_error = false;
    bool leak = strncmp(kind, "Leak_", 5) == 0;
    bool wanted = !leak || (!reader->ended && seen.leak != MEMCHECK_NO_LEAK &&
                            memcheck_lost(seen.what, &seen.bytes, &seen.blocks));
    if (wanted) {
        reader->events->seen(reader->events->context, &seen);
    }
    result_frames_free(seen.frames, seen.frames ? seen.frame_count : 0);
}

static void mark_read(struct reader *reader, const char *text)
{
    static const struct {
        const char *word;
        enum memcheck_mark mark;
    } marks[] = {{"begin", MEMCHECK_BEGIN}, {"end", MEMCHECK_END}, {"child", MEMCHECK_CHILD}};
    char word[16];
    uint32_t test, errors = 0;
    if (sscanf(text, " tidemark %15s %" SCNu32 " %" SCNu32, word, &test, &errors) < 2) {
        return;
    }
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strcmp(word, marks[i].word) == 0) {
            reader->events->mark(reader->events->context, marks[i].mark, test, errors);
        }
    }
}

static void XMLCALL element_begin(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *reader = context;
    (void)attributes;
    text_reset(&reader->text);
    if (strcmp(name, "error") == 0) {
        error_begin(reader);
    } else if (strcmp(name, "clientmsg") == 0) {
        reader->in_message = true;
    } else if (reader->in_error && strcmp(name, "stack") == 0) {
        reader->stack++;
        reader->placed = false;
    } else if (reader->in_error && strcmp(name, "frame") == 0) {
        frame_clear(&reader->frame);
        text_reset(&reader->dir);
        text_reset(&reader->file);
    }
}

/* "Address 0x4a452a0 is 0 bytes after ...": the address is another one each time. */
static const char *without_address(const char *text)
{
    const char *is = strncmp(text, "Address 0x", 10) == 0 ? strstr(text, " is ") : NULL;
    return is ? is + 4 : text;
}

static void detail_put(struct reader *reader, const char *text)
{
    size_t length;
    text_put(&reader->detail, reader->detail.length > 0 ? "; " : "");
    text = without_address(text);
    length = strlen(text);
    if (length > 3 && strcmp(text + length - 3, " at") == 0) { /* "Block was alloc'd at" */
        length -= 3;
    }
    text_put_bytes(&reader->detail, text, length);
}

static void in_error_end(struct reader *reader, const char *name, const char *text)
{
    struct result_frame *frame = &reader->frame;
    if (strcmp(name, "kind") == 0) {
        text_put(&reader->kind, text);
    } else if (strcmp(name, "what") == 0 ||
               (strcmp(name, "text") == 0 && reader->what.length == 0)) {
        text_put(&reader->what, text);
    } else if (strcmp(name, "auxwhat") == 0 || strcmp(name, "text") == 0) {
        detail_put(reader, text);
    } else if (strcmp(name, "obj") == 0) {
        result_set(&frame->module, text);
    } else if (strcmp(name, "fn") == 0) {
        result_set(&frame->function, text);
    } else if (strcmp(name, "dir") == 0) {
        text_put(&reader->dir, text);
    } else if (strcmp(name, "file") == 0) {
        text_put(&reader->file, text);
    } else if (strcmp(name, "line") == 0) {
        frame->line = (unsigned)strtoul(text, NULL, 10);
    } else if (strcmp(name, "frame") == 0) {
        frame_end(reader);
    } else if (strcmp(name, "error") == 0) {
        error_end(reader);
    }
}

static void XMLCALL element_end(void *context, const XML_Char *name)
{
    struct reader *reader = context;
    const char *text = text_peek(&reader->text);
    if (reader->in_error) {
        in_error_end(reader, name, text);
    } else if (strcmp(name, "clientmsg") == 0) {
        reader->in_message = false;
    } else if (reader->in_message && strcmp(name, "text") == 0) {
        mark_read(reader, text);
    } else if (strcmp(name, "state") == 0) {
        reader->ended = strcmp(text, "FINISHED") == 0;
    }
    text_reset(&reader->text);
}

static void XMLCALL characters(void *context, const XML_Char *bytes, int count)
{
    struct reader *reader = context;
    if (reader->text.length + (size_t)count < TEXT_MAX) {
        text_put_bytes(&reader->text, bytes, (size_t)count);
    }
}

bool memcheck_read(const char *path, const char *own, const struct memcheck_events *events)
{
    FILE *file = fopen(path, "re");
    XML_Parser parser = file ? XML_ParserCreate(NULL) : NULL;
    struct reader reader = {.events = events, .own = own};
    if (!getcwd(reader.folder, sizeof reader.folder)) {
        reader.folder[0] = '\0';
    }
    bool ok = parser != NULL;
    if (ok) {
        XML_SetUserData(parser, &reader);
        XML_SetElementHandler(parser, element_begin, element_end);
        XML_SetCharacterDataHandler(parser, characters);
    }
    char buffer[1 << 14];
    size_t bytes;
    while (ok && (bytes = fread(buffer, 1, sizeof buffer, file)) > 0) {
        ok = XML_Parse(parser, buffer, (int)bytes, false) == XML_STATUS_OK;
    }
    ok = ok && !ferror(file);
    for (size_t i = 0; i < reader.frame_count; i++) { /* of an error that was cut off */
        frame_free(&reader.frames[i]);
    }
    frame_free(&reader.frame);
    text_fini(&reader.text);
    text_fini(&reader.kind);
    text_fini(&reader.what);
    text_fini(&reader.detail);
    text_fini(&reader.dir);
    text_fini(&reader.file);
    if (parser) {
        XML_ParserFree(parser);
    }
    if (file) {
        fclose(file);
    }
    return ok;
}
