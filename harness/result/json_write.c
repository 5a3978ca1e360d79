/* json_write.c - see json_write.h. Supervisor only. */
#include "harness/result/json_write.h"
#include "harness/result/result.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_quote(struct text *text, const char *value)
{
    text_put_char(text, '"');
    const char *from = value, *at = value;
    size_t length = strlen(value), bad = 0;
    bool valid = text_utf8(value, length, &bad);
    for (; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (!valid && (size_t)(at - value) == bad) {
            text_put_bytes(text, from, (size_t)(at - from));
            text_put(text, "\\ufffd");
            from = at + 1;
            size_t rest = length - (size_t)(from - value), next = 0;
            valid = text_utf8(from, rest, &next);
            bad = (size_t)(from - value) + next;
            continue;
        }
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            continue;
        }
        text_put_bytes(text, from, (size_t)(at - from));
        from = at + 1;
        switch (c) {
        case '"':
            text_put(text, "\\\"");
            break;
        case '\\':
            text_put(text, "\\\\");
            break;
        case '\n':
            text_put(text, "\\n");
            break;
        case '\t':
            text_put(text, "\\t");
            break;
        default:
            text_format(text, "\\u%04x", c);
        }
    }
    text_put_bytes(text, from, (size_t)(at - from));
    text_put_char(text, '"');
}

static void key_put(struct text *text, const char *key)
{
    char last = text->length > 0 ? text->data[text->length - 1] : '{';
    if (last != '{' && last != '[' && last != '\n') {
        text_put_char(text, ',');
    }
    if (key) {
        json_quote(text, key);
        text_put_char(text, ':');
    }
}

void json_open(struct text *text, const char *key, char bracket)
{
    key_put(text, key);
    text_put_char(text, bracket);
}

void json_close(struct text *text, char bracket)
{
    text_put_char(text, bracket);
}

void json_text(struct text *text, const char *key, const char *value)
{
    key_put(text, key);
    json_quote(text, value);
}

void json_signed(struct text *text, const char *key, int64_t value)
{
    if (value == RESULT_UNMEASURED) {
        return;
    }
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, value);
    key_put(text, key);
    text_put(text, number);
}

void json_unsigned(struct text *text, const char *key, uint64_t value)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRIu64, value);
    key_put(text, key);
    text_put(text, number);
}

/* The shortest of 15 to 17 digits that reads back as the same number. */
void json_number(struct text *text, const char *key, double value)
{
    if (!isfinite(value)) {
        return;
    }
    char number[40];
    if (value == rint(value) && fabs(value) < 9007199254740992.0) {
        snprintf(number, sizeof number, "%.0f", value == 0 ? 0.0 : value);
    } else {
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(number, sizeof number, "%.*g", digits, value);
            if (strtod(number, NULL) == value) {
                break;
            }
        }
    }
    key_put(text, key);
    text_put(text, number);
}

void json_bool(struct text *text, const char *key, bool value)
{
    key_put(text, key);
    text_put(text, value ? "true" : "false");
}
