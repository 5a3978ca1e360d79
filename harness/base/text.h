/* text.h - a string that grows. Starts as {0}; data is NULL until something is put, then always
 * NUL-terminated. Memory as memory.h: failure ends the command. Supervisor only. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data;
    size_t length, room;
};

void text_fini(struct text *text);
void text_reset(struct text *text);
void text_put(struct text *text, const char *string);
void text_put_bytes(struct text *text, const char *bytes, size_t length);
void text_put_char(struct text *text, char character);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `text` wrapped at words into lines of at most `width` columns, each indented by `indent`; ends
 * with a newline. A number and its unit stay together. A word that is wider than a line is broken
 * before a "->" of it, if it has any: paths and names stay whole, to be copied. */
void text_wrap(struct text *text, const char *string, unsigned indent, unsigned width);
/* Bytes of somebody else's, fit for a terminal: control characters and what is not UTF-8 as \xNN.
 */
void text_put_printable(struct text *text, const char *bytes, size_t length);
/* A word of a command line as a shell takes it: in single quotes where it needs them. */
void text_put_shell(struct text *text, const char *word);
/* Borrowed; "" when empty. */
const char *text_peek(const struct text *text);
/* The caller frees; never NULL. The text is empty afterwards. */
char *text_take(struct text *text);

/* Columns that UTF-8 text takes on a terminal: combining marks 0, East Asian wide characters 2, a
 * byte that is not UTF-8 counts 1. */
unsigned text_width(const char *string);
/* Bytes of the longest prefix of at most `columns` columns, whole characters only. */
size_t text_fit(const char *string, unsigned columns);
/* False, and *offset of the first bad byte, when not valid UTF-8 (surrogates and overlong forms are
 * not). */
bool text_utf8(const char *bytes, size_t length, size_t *offset);

#endif
