/*
 * json_read.h - walks over one JSON text where it lies: no tree, no allocation but for a buffer for
 * decoded strings. Reading a million lines by jansson's trees took several times as long as all the
 * rest of a report (json_read_test.c holds both to the same answers). RFC 8259, depth at most 64,
 * strings valid UTF-8. After the first error every call fails and `error` says what, at `at`.
 *
 *     json_begin(&json, line, length);
 *     json_enter(&json, '{');
 *     while (json_next_key(&json, &key)) { json_take_text(&json, &text) or json_skip(&json) ... }
 *     if (!json_end(&json)) ...
 *
 * Supervisor only.
 */
#ifndef RESULT_JSON_READ_H
#define RESULT_JSON_READ_H

#include "harness/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    const char *from, *at, *end;
    const char *error; /* NULL: none so far */
    bool first;        /* no element of the innermost object or array was read yet */
    unsigned depth;
    struct text key, value; /* decoded; borrowed until the next string */
};

void json_begin(struct json *json, const char *bytes, size_t length);
void json_fini(struct json *json);

/* What comes next: one of { [ " t f n 0 (a number), or NUL at the end or after an error. */
char json_peek(struct json *json);
bool json_enter(struct json *json, char bracket);
/* The next key of the object; false at its end (which is passed) or after an error. */
bool json_next_key(struct json *json, const char **key);
/* Is there another element in the array? False at its end (which is passed). */
bool json_next(struct json *json);

bool json_take_text(struct json *json, const char **text);
bool json_take_number(struct json *json, double *number);
/* A whole number; a fraction, or one that does not fit, is an error. */
bool json_take_integer(struct json *json, int64_t *number);
bool json_take_unsigned(struct json *json, uint64_t *number);
bool json_take_bool(struct json *json, bool *value);
bool json_skip(struct json *json);

/* Nothing but blanks behind the value, and no error. */
bool json_end(struct json *json);
/* Records an error of the caller's own at the current place. Always false. */
bool json_fail(struct json *json, const char *error);

#endif
