/*
 * json_write.h - one JSON object after another into a buffer that is used again: no allocation once
 * it has grown to the longest line. What was not measured (RESULT_UNMEASURED, NAN, infinite) is
 * left out. Text that is not UTF-8 comes out with U+FFFD in place of each bad byte, so that a line
 * is always valid JSON. Supervisor only.
 */
#ifndef RESULT_JSON_WRITE_H
#define RESULT_JSON_WRITE_H

#include "harness/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* `key` NULL: an element of an array. Commas come by themselves. */
void json_open(struct text *text, const char *key, char bracket); /* '{' or '[' */
void json_close(struct text *text, char bracket);                 /* '}' or ']' */
void json_text(struct text *text, const char *key, const char *value);
void json_signed(struct text *text, const char *key, int64_t value);
void json_unsigned(struct text *text, const char *key, uint64_t value);
void json_number(struct text *text, const char *key, double value);
void json_bool(struct text *text, const char *key, bool value);

/* The quoted text alone. */
void json_quote(struct text *text, const char *value);

#endif
