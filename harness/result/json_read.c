/* json_read.c - see json_read.h. Supervisor only. */
#include "harness/result/json_read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define JSON_DEPTH_MAX 64

void json_begin(struct json *json, const char *bytes, size_t length)
{
    json->from = json->at = bytes;
    json->end = bytes + length;
    json->error = NULL;
    json->first = true;
    json->depth = 0;
}

void json_fini(struct json *json)
{
    text_fini(&json->key);
    text_fini(&json->value);
}

bool json_fail(struct json *json, const char *error)
{
    if (!json->error) {
        json->error = error;
    }
    return false;
}

static char blanks_skip(struct json *json)
{
    while (json->at < json->end &&
           (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r')) {
        json->at++;
    }
    return json->at < json->end ? *json->at : '\0';
}

char json_peek(struct json *json)
{
    char c = json->error ? '\0' : blanks_skip(json);
    return c == '-' || (c >= '0' && c <= '9') ? '0' : c;
}

bool json_enter(struct json *json, char bracket)
{
    if (json->error || blanks_skip(json) != bracket) {
        return json_fail(json, bracket == '{' ? "an object should stand here"
                                              : "an array should stand here");
    }
    if (json->depth == JSON_DEPTH_MAX) {
        return json_fail(json, "nested too deep");
    }
    json->depth++;
    json->at++;
    json->first = true;
    return true;
}

/* Passes the comma before an element, or the closing bracket: false. */
static bool element_next(struct json *json, char closing)
{
    if (json->error) {
        return false;
    }
    char c = blanks_skip(json);
    if (c == closing) {
        json->at++;
        json->depth--;
        json->first = false;
        return false;
    }
    if (!json->first) {
        if (c != ',') {
            return json_fail(json, closing == '}' ? "',' or '}' should stand here"
                                                  : "',' or ']' should stand here");
        }
        json->at++;
        blanks_skip(json);
    }
    json->first = false;
    return true;
}

/* Four hexadecimal digits behind \u, or -1. */
static int unit_take(struct json *json)
{
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = json->at < json->end ? *json->at : '\0';
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
        json->at++;
    }
    return unit;
}

static void point_put(struct text *text, unsigned point)
{
    char bytes[4];
    size_t length;
    if (point < 0x80) {
        bytes[0] = (char)point;
        length = 1;
    } else if (point < 0x800) {
        bytes[0] = (char)(0xc0 | point >> 6);
        bytes[1] = (char)(0x80 | (point & 63));
        length = 2;
    } else if (point < 0x10000) {
        bytes[0] = (char)(0xe0 | point >> 12);
        bytes[1] = (char)(0x80 | (point >> 6 & 63));
        bytes[2] = (char)(0x80 | (point & 63));
        length = 3;
    } else {
        bytes[0] = (char)(0xf0 | point >> 18);
        bytes[1] = (char)(0x80 | (point >> 12 & 63));
        bytes[2] = (char)(0x80 | (point >> 6 & 63));
        bytes[3] = (char)(0x80 | (point & 63));
        length = 4;
    }
    text_put_bytes(text, bytes, length);
}

static bool escape_take(struct json *json, struct text *into)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = json->at < json->end ? *json->at : '\0';
    const char *simple = c ? strchr(from, c) : NULL;
    if (simple) {
        text_put_char(into, to[simple - from]);
        json->at++;
        return true;
    }
    if (c != 'u') {
        return json_fail(json, "unknown escape in a string");
    }
    json->at++;
    int unit = unit_take(json);
    unsigned point = (unsigned)unit;
    if (unit >= 0xd800 && unit <= 0xdbff && json->end - json->at >= 2 && json->at[0] == '\\' &&
        json->at[1] == 'u') {
        json->at += 2;
        int low = unit_take(json);
        if (low < 0xdc00 || low > 0xdfff) {
            return json_fail(json, "half of a surrogate pair");
        }
        point = 0x10000 + (((unsigned)unit & 0x3ff) << 10 | ((unsigned)low & 0x3ff));
    } else if (unit < 0) {
        return json_fail(json, "\\u without four hexadecimal digits");
    } else if (unit >= 0xd800 && unit <= 0xdfff) {
        return json_fail(json, "half of a surrogate pair");
    } else if (unit == 0) {
        return json_fail(json, "a NUL character in a string");
    }
    point_put(into, point);
    return true;
}

/* `into` NULL: passed over, still checked. */
static bool string_take(struct json *json, struct text *into)
{
    if (json->error || blanks_skip(json) != '"') {
        return json_fail(json, "a string should stand here");
    }
    struct text none = {0};
    struct text *text = into ? into : &none;
    const char *start = ++json->at;
    bool high = false;
    text_reset(text);
    for (;;) {
        const char *from = json->at;
        while (json->at < json->end && *json->at != '"' && *json->at != '\\' &&
               (unsigned char)*json->at >= 0x20) {
            high |= (unsigned char)*json->at >= 0x80;
            json->at++;
        }
        if (into) {
            text_put_bytes(text, from, (size_t)(json->at - from));
        }
        char c = json->at < json->end ? *json->at : '\0';
        if (c == '"') {
            break;
        }
        if (c != '\\') {
            text_fini(&none);
            return json_fail(json, json->at < json->end ? "a control character in a string"
                                                        : "the string has no end");
        }
        json->at++;
        if (!escape_take(json, text)) {
            text_fini(&none);
            return false;
        }
    }
    text_fini(&none);
    size_t bad;
    if (high && !text_utf8(start, (size_t)(json->at - start), &bad)) {
        json->at = start + bad;
        return json_fail(json, "not UTF-8");
    }
    json->at++;
    return true;
}

bool json_next_key(struct json *json, const char **key)
{
    if (!element_next(json, '}')) {
        return false;
    }
    if (json_peek(json) != '"') {
        return json_fail(json, "a key in quotes should stand here");
    }
    if (!string_take(json, &json->key)) {
        return false;
    }
    if (blanks_skip(json) != ':') {
        return json_fail(json, "':' should stand after the key");
    }
    json->at++;
    *key = text_peek(&json->key);
    return true;
}

bool json_next(struct json *json)
{
    return element_next(json, ']');
}

bool json_take_text(struct json *json, const char **text)
{
    *text = "";
    if (!string_take(json, &json->value)) {
        return false;
    }
    *text = text_peek(&json->value);
    return true;
}

static size_t digits_pass(struct json *json)
{
    const char *from = json->at;
    while (json->at < json->end && *json->at >= '0' && *json->at <= '9') {
        json->at++;
    }
    return (size_t)(json->at - from);
}

/* Passes a number by the grammar; *whole: without fraction and exponent. */
static bool number_pass(struct json *json, bool *whole)
{
    *whole = true;
    if (json_peek(json) != '0') {
        return json_fail(json, "a number should stand here");
    }
    json->at += *json->at == '-';
    const char *first = json->at;
    size_t digits = digits_pass(json);
    if (digits == 0 || (digits > 1 && *first == '0')) {
        json->at = first;
        return json_fail(json, "not a number");
    }
    if (json->at < json->end && *json->at == '.') {
        *whole = false;
        json->at++;
        if (digits_pass(json) == 0) {
            return json_fail(json, "digits should stand after the point");
        }
    }
    if (json->at < json->end && (*json->at == 'e' || *json->at == 'E')) {
        *whole = false;
        json->at++;
        if (json->at < json->end && (*json->at == '+' || *json->at == '-')) {
            json->at++;
        }
        if (digits_pass(json) == 0) {
            return json_fail(json, "digits should stand after the exponent");
        }
    }
    return true;
}

/* Copies the number that was passed, so that strtod finds an end. */
static bool number_copy(struct json *json, const char *from, char *copy, size_t room)
{
    size_t length = (size_t)(json->at - from);
    if (length >= room) {
        json->at = from;
        return json_fail(json, "a number of this length is not read");
    }
    memcpy(copy, from, length);
    copy[length] = '\0';
    return true;
}

struct number {
    char text[128];
    const char *from; /* where it stands in the line */
    bool whole;
};

static bool number_take(struct json *json, struct number *read)
{
    json_peek(json);
    read->from = json->at;
    return number_pass(json, &read->whole) &&
           number_copy(json, read->from, read->text, sizeof read->text);
}

bool json_take_number(struct json *json, double *number)
{
    struct number read;
    if (!number_take(json, &read)) {
        return false;
    }
    if (read.whole && json->at - read.from <= 15) {
        *number = (double)strtoll(read.text, NULL, 10);
        return true;
    }
    *number = strtod(read.text, NULL);
    if (!isfinite(*number)) {
        json->at = read.from;
        return json_fail(json, "the number is too large");
    }
    return true;
}

bool json_take_integer(struct json *json, int64_t *number)
{
    struct number read;
    if (!number_take(json, &read)) {
        return false;
    }
    errno = 0;
    *number = strtoll(read.text, NULL, 10);
    if (!read.whole || errno == ERANGE) {
        json->at = read.from;
        return json_fail(json, "a whole number of 64 bits should stand here");
    }
    return true;
}

bool json_take_unsigned(struct json *json, uint64_t *number)
{
    struct number read;
    if (!number_take(json, &read)) {
        return false;
    }
    errno = 0;
    *number = strtoull(read.text, NULL, 10);
    if (!read.whole || errno == ERANGE || read.text[0] == '-') {
        json->at = read.from;
        return json_fail(json, "a whole number, 0 or more, should stand here");
    }
    return true;
}

static bool word_take(struct json *json, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(json->end - json->at) < length || memcmp(json->at, word, length) != 0) {
        return json_fail(json, "not JSON");
    }
    json->at += length;
    return true;
}

bool json_take_bool(struct json *json, bool *value)
{
    char c = json_peek(json);
    if (c != 't' && c != 'f') {
        return json_fail(json, "true or false should stand here");
    }
    *value = c == 't';
    return word_take(json, *value ? "true" : "false");
}

bool json_skip(struct json *json)
{
    const char *key;
    bool whole;
    switch (json_peek(json)) {
    case '{':
        if (!json_enter(json, '{')) {
            return false;
        }
        while (json_next_key(json, &key)) {
            json_skip(json);
        }
        return !json->error;
    case '[':
        if (!json_enter(json, '[')) {
            return false;
        }
        while (json_next(json)) {
            json_skip(json);
        }
        return !json->error;
    case '"':
        return string_take(json, NULL);
    case '0':
        return number_pass(json, &whole);
    case 't':
        return word_take(json, "true");
    case 'f':
        return word_take(json, "false");
    case 'n':
        return word_take(json, "null");
    case '\0':
        return json_fail(json, json->at < json->end ? "not JSON" : "the line ends here");
    default:
        return json_fail(json, "not JSON");
    }
}

bool json_end(struct json *json)
{
    if (!json->error && blanks_skip(json) != '\0') {
        json_fail(json, "something stands after the end");
    }
    return !json->error && (json->at == json->end || json_fail(json, "not JSON"));
}
