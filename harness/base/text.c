/* text.c - see text.h. Supervisor only. */
#include "harness/base/text.h"
#include "harness/base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_fini(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

void text_reset(struct text *text)
{
    text->length = 0;
    if (text->data) {
        text->data[0] = '\0';
    }
}

void text_put_bytes(struct text *text, const char *bytes, size_t length)
{
    memory_grow(&text->data, &text->room, text->length + length + 1, 1);
    memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_put(struct text *text, const char *string)
{
    text_put_bytes(text, string, strlen(string));
}

void text_put_char(struct text *text, char character)
{
    text_put_bytes(text, &character, 1);
}

void text_format(struct text *text, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (length < 0) {
        memory_die();
    }
    memory_grow(&text->data, &text->room, text->length + (size_t)length + 1, 1);
    vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
    va_end(again);
    text->length += (size_t)length;
}

static unsigned bytes_width(const char *string, size_t length)
{
    char *copy = memory_copy_bytes(string, length);
    unsigned columns = text_width(copy);
    free(copy);
    return columns;
}

/* Bytes of the word that go on a line of `room` columns: all of them, or those before the last "->"
 * that fits, or before the first one where none does. */
static size_t word_fit(const char *word, size_t length, unsigned room)
{
    size_t fit = length;
    if (bytes_width(word, length) <= room) {
        return length;
    }
    for (size_t at = 1; at + 1 < length; at++) {
        if (word[at] == '-' && word[at + 1] == '>' &&
            (fit == length || bytes_width(word, at) <= room)) {
            fit = at;
        }
    }
    return fit;
}

/* Bytes to the next blank, or to the one behind "12.3 MB": a number keeps its unit. */
static size_t word_length(const char *string)
{
    static const char *const units[] = {"B",   "KB", "KiB", "MB", "MiB", "GB", "GiB", "TB",
                                        "TiB", "ns", "us",  "ms", "s",   "h",  "min", "%"};
    size_t length = strcspn(string, " \n");
    if (length == 0 || string[length] != ' ' || !strchr("0123456789", string[length - 1])) {
        return length;
    }
    const char *next = string + length + 1;
    size_t word = strcspn(next, " \n"), bare = strcspn(next, " \n,;:.)");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strlen(units[i]) == bare && strncmp(units[i], next, bare) == 0) {
            return length + 1 + word;
        }
    }
    return length;
}

void text_wrap(struct text *text, const char *string, unsigned indent, unsigned width)
{
    unsigned column = 0, room = width > indent ? width - indent : 1;
    bool inside = false; /* a word that was broken */
    while (*string) {
        string += strspn(string, " \n");
        size_t word = word_length(string);
        if (word == 0) {
            break;
        }
        size_t piece = word_fit(string, word, room);
        unsigned columns = bytes_width(string, piece);
        if (inside || (column > indent && column + 1 + columns > width)) {
            text_put_char(text, '\n');
            column = 0;
        }
        if (column == 0) {
            text_format(text, "%*s", (int)indent, "");
            column = indent;
        } else {
            text_put_char(text, ' ');
            column++;
        }
        text_put_bytes(text, string, piece);
        column += columns;
        string += piece;
        inside = piece < word;
    }
    text_put_char(text, '\n');
}

void text_put_shell(struct text *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_@%+=:,./-";
    if (*word && word[strspn(word, plain)] == '\0') {
        text_put(text, word);
        return;
    }
    text_put_char(text, '\'');
    for (; *word; word++) {
        if (*word == '\'') {
            text_put(text, "'\\''");
        } else {
            text_put_char(text, *word);
        }
    }
    text_put_char(text, '\'');
}

const char *text_peek(const struct text *text)
{
    return text->data ? text->data : "";
}

char *text_take(struct text *text)
{
    char *data = text->data ? text->data : memory_copy("");
    *text = (struct text){0};
    return data;
}

/* Decodes one character; returns its bytes, 0 when it is not UTF-8. */
static size_t utf8_decode(const unsigned char *bytes, size_t length, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = bytes[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size == 0 || lead > 0xf4 || size > length) {
        return 0;
    }
    *code = size == 1 ? lead : lead & (0x7f >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        *code = *code << 6 | (bytes[i] & 0x3f);
    }
    if (*code < least[size] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000)) {
        return 0;
    }
    return size;
}

static unsigned code_width(uint32_t code)
{
    static const struct {
        uint32_t first, last;
        unsigned width;
    } ranges[] = {
        {0x300, 0x36f, 0},     {0x483, 0x489, 0},     {0x591, 0x5bd, 0},   {0x610, 0x61a, 0},
        {0x64b, 0x65f, 0},     {0x1100, 0x115f, 2},   {0x1ab0, 0x1aff, 0}, {0x1dc0, 0x1dff, 0},
        {0x200b, 0x200f, 0},   {0x20d0, 0x20ff, 0},   {0x2e80, 0x303e, 2}, {0x3041, 0xa4cf, 2},
        {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0}, {0xfe20, 0xfe2f, 0},
        {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2}, {0x1f300, 0x1f64f, 2},
        {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return ranges[i].width;
        }
    }
    return 1;
}

size_t text_fit(const char *string, unsigned columns)
{
    size_t length = strlen(string), at = 0;
    unsigned used = 0;
    while (at < length) {
        uint32_t code = 0;
        size_t size = utf8_decode((const unsigned char *)string + at, length - at, &code);
        unsigned width = size ? code_width(code) : 1;
        if (used + width > columns) {
            break;
        }
        used += width;
        at += size ? size : 1;
    }
    return at;
}

unsigned text_width(const char *string)
{
    size_t length = strlen(string);
    unsigned used = 0;
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        size_t size = utf8_decode((const unsigned char *)string + at, length - at, &code);
        used += size ? code_width(code) : 1;
        at += size ? size : 1;
    }
    return used;
}

bool text_utf8(const char *bytes, size_t length, size_t *offset)
{
    for (size_t at = 0; at < length;) {
        uint32_t code;
        size_t size = utf8_decode((const unsigned char *)bytes + at, length - at, &code);
        if (size == 0) {
            *offset = at;
            return false;
        }
        at += size;
    }
    return true;
}

/* Bytes of the printable character at `at`; 0: it is none. */
static size_t printable_bytes(const char *at, size_t left)
{
    size_t bad;
    if ((unsigned char)*at < ' ' || *at == 127 || (left > 1 && at[0] == '\xc2' && at[1] < '\xa0')) {
        return 0;
    }
    for (size_t bytes = 1; bytes <= 4 && bytes <= left; bytes++) {
        if (text_utf8(at, bytes, &bad)) {
            return bytes;
        }
    }
    return 0;
}

void text_put_printable(struct text *text, const char *bytes, size_t length)
{
    for (size_t i = 0, step; i < length; i += step) {
        step = printable_bytes(bytes + i, length - i);
        if (step > 0) {
            text_put_bytes(text, bytes + i, step);
        } else {
            text_format(text, "\\x%02x", (unsigned char)bytes[i]);
            step = 1;
        }
    }
}
