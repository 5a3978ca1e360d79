/* result_printable.c - see result_printable.h. Supervisor only. */
#include "harness/result/result_printable.h"
#include "harness/result/result_memcheck.h"
#include "harness/result/result_string.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of the valid character at `at`, or 0 if there is none. */
static size_t character(const char *at, size_t left)
{
    unsigned char c = (unsigned char)*at;
    size_t bytes = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, bad;
    return bytes <= left && text_utf8(at, bytes, &bad) ? bytes : 0;
}

/* U+0080 to U+009F are control characters as well, and U+2028, U+202A to U+202E and U+2066 to
 * U+2069 begin a line, or turn the direction of what follows. */
static bool control(const char *at, size_t bytes)
{
    unsigned char c = (unsigned char)at[0], d = bytes > 1 ? (unsigned char)at[1] : 0;
    unsigned char e = bytes > 2 ? (unsigned char)at[2] : 0;
    return (bytes == 1 && (c < 0x20 || c == 0x7f)) || (bytes == 2 && c == 0xc2 && d < 0xa0) ||
           (c == 0xe2 && d == 0x80 && e >= 0xa8 && e <= 0xae) ||
           (c == 0xe2 && d == 0x81 && e >= 0xa6 && e <= 0xa9);
}

/* GitHub and Azure take such a word for a command at the beginning of a line, and a long text may
 * be wrapped before any word. */
static bool command(const char *string, const char *at)
{
    bool begins = at == string || at[-1] == ' ' || at[-1] == '\t' || at[-1] == '\n';
    return begins && (strncmp(at, "::", 2) == 0 || strncmp(at, "##[", 3) == 0 ||
                      strncmp(at, "##vso[", 6) == 0);
}

/* Printable ASCII without a doubled ':' or '#': nearly all strings, and they stay as they are. */
static bool clean(const char *string)
{
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;
        if (c < 0x20 || c >= 0x7f || ((c == ':' || c == '#') && string[1] == *string)) {
            return false;
        }
    }
    return true;
}

void printable_put(struct text *text, const char *string)
{
    size_t length = strlen(string), step;
    for (const char *at = string; *at; at += step) {
        step = character(at, length - (size_t)(at - string));
        if (command(string, at)) {
            text_put_char(text, '\\');
        }
        if (*at == '\n') {
            text_put(text, "\\n");
        } else if (*at == '\t') {
            text_put_char(text, ' ');
        } else if (step > 0 && !control(at, step)) {
            text_put_bytes(text, at, step);
        } else {
            step = step ? step : 1;
            for (size_t i = 0; i < step; i++) {
                text_format(text, "\\x%02x", (unsigned char)at[i]);
            }
        }
    }
}

static void slots_clean(char **const *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct text text = {0};
        if (clean(*slots[i])) {
            continue;
        }
        printable_put(&text, *slots[i]);
        free(*slots[i]);
        *slots[i] = text_take(&text);
    }
}

static void frames_clean(struct result_frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        slots_clean(FRAME_STRINGS(&frames[i]));
    }
}

static void site_clean(struct result_site *site)
{
    slots_clean(SITE_STRINGS(site));
    frames_clean(site->frames, site->frame_count);
    for (size_t i = 0; i < site->held_by_count; i++) {
        slots_clean(LINK_STRINGS(&site->held_by[i]));
    }
    for (size_t i = 0; i < site->released_by_count; i++) {
        frames_clean(site->released_by[i].frames, site->released_by[i].frame_count);
    }
}

static void memcheck_clean(struct result_memcheck *memcheck)
{
    if (memcheck) {
        slots_clean((char **const[]){&memcheck->message}, 1);
    }
    for (size_t i = 0; memcheck && i < memcheck->list_count; i++) {
        struct result_error *error = &memcheck->list[i];
        slots_clean((char **const[]){&error->kind, &error->what, &error->detail}, 3);
        frames_clean(error->frames, error->frame_count);
    }
}

char *printable_new(const char *string)
{
    struct text text = {0};
    printable_put(&text, string);
    return text_take(&text);
}

void result_make_printable(struct result *result)
{
    slots_clean(RESULT_STRINGS(result));
    for (size_t i = 0; i < result->test_count; i++) {
        slots_clean(TEST_STRINGS(&result->tests[i]));
        frames_clean(result->tests[i].frames, result->tests[i].frame_count);
        memcheck_clean(result->tests[i].memcheck);
    }
    for (size_t i = 0; i < result->site_count; i++) {
        site_clean(&result->sites[i]);
    }
    for (size_t i = 0; i < result->variant_count; i++) {
        struct result_variant *variant = &result->variants[i];
        slots_clean(VARIANT_STRINGS(variant));
        for (size_t c = 0; c < variant->counter_count; c++) {
            slots_clean((char **const[]){&variant->counters[c].name}, 1);
        }
    }
    for (size_t i = 0; i < result->expect_count; i++) {
        slots_clean(EXPECT_STRINGS(&result->expects[i]));
    }
    for (size_t i = 0; i < result->note_count; i++) {
        slots_clean((char **const[]){&result->notes[i]}, 1);
    }
    result->sites_sorted = false; /* other names, another order */
    result_sites_sort(result);
}
