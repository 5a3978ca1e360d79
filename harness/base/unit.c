/* unit.c - see unit.h. Supervisor only. */
#include "harness/base/unit.h"
#include "harness/base/diag.h"
#include "harness/base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit byte_units[] = {
    {"B", 1},
    {"KB", 1000},
    {"KiB", 1024},
    {"MB", 1000000},
    {"MiB", 1048576},
    {"GB", 1000000000},
    {"GiB", 1073741824},
    {"TB", 1000000000000},
    {"TiB", 1099511627776},
};
static const struct unit ns_units[] = {
    {"ns", 1},           {"us", 1000},           {"ms", 1000000},
    {"s", 1000000000LL}, {"min", 60000000000LL}, {"h", 3600000000000LL},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct unit *unit_find(enum unit_kind kind, const char *name, const char **nearest)
{
    const struct unit *units = kind == UNIT_BYTES ? byte_units : ns_units;
    size_t count = kind == UNIT_BYTES ? COUNT(byte_units) : COUNT(ns_units);
    const char *names[COUNT(byte_units)];
    for (size_t i = 0; i < count; i++) {
        if (strcmp(units[i].name, name) == 0) {
            return &units[i];
        }
        names[i] = units[i].name;
    }
    *nearest = diag_nearest(name, names, count);
    return NULL;
}

static const char *unit_names(enum unit_kind kind)
{
    return kind == UNIT_BYTES ? "B KB KiB MB MiB GB GiB TB TiB" : "ns us ms s min h";
}

/* Splits "12.5 MiB" into whole part, fraction digits and the rest; false when there is no number.
 */
static bool number_split(const char *text, size_t *whole, size_t *fraction, const char **rest)
{
    size_t at = strspn(text, "0123456789");
    *whole = at;
    *fraction = 0;
    if (at > 0 && text[at] == '.') {
        *fraction = strspn(text + at + 1, "0123456789");
        if (*fraction == 0) {
            return false;
        }
        at += 1 + *fraction;
    }
    *rest = text + at;
    return *whole > 0;
}

static bool scaled(const char *digits, size_t whole, size_t fraction, uint64_t factor,
                   uint64_t *value, char error[UNIT_ERROR_BYTES])
{
    __uint128_t sum = 0, scale = 1;
    for (size_t i = 0; i < whole; i++) {
        sum = sum * 10 + (unsigned)(digits[i] - '0');
        if (sum > UINT64_MAX) {
            goto large;
        }
    }
    size_t used = fraction;
    while (used > 0 && digits[whole + used] == '0') {
        used--;
    }
    if (used > 15) {
        snprintf(error, UNIT_ERROR_BYTES, "has more digits than can be kept");
        return false;
    }
    for (size_t i = 0; i < used; i++) {
        sum = sum * 10 + (unsigned)(digits[whole + 1 + i] - '0');
        scale *= 10;
    }
    /* sum < 2^64 * 10^15 < 2^114, so one more check before multiplying. */
    if (sum / scale > UINT64_MAX / factor) {
        goto large;
    }
    __uint128_t product = sum % scale * factor;
    if (product % scale != 0) {
        snprintf(error, UNIT_ERROR_BYTES, "is not a whole number of the base unit");
        return false;
    }
    product = product / scale + sum / scale * factor;
    if (product > INT64_MAX) {
        goto large;
    }
    *value = (uint64_t)product;
    return true;
large:
    snprintf(error, UNIT_ERROR_BYTES, "is too large");
    return false;
}

bool unit_parse(enum unit_kind kind, const char *text, bool bare, uint64_t *value,
                char error[UNIT_ERROR_BYTES])
{
    size_t whole, fraction;
    const char *rest;
    if (text[0] == '-' && isdigit((unsigned char)text[1])) {
        snprintf(error, UNIT_ERROR_BYTES, "is negative");
        return false;
    }
    if (!number_split(text, &whole, &fraction, &rest)) {
        snprintf(error, UNIT_ERROR_BYTES, "is not a %s, such as %s",
                 kind == UNIT_BYTES ? "size" : "time", kind == UNIT_BYTES ? "4 MiB" : "30 s");
        return false;
    }
    rest += strspn(rest, " ");
    if (*rest == '\0') {
        uint64_t number;
        if (!scaled(text, whole, fraction, 1, &number, error)) {
            return false;
        }
        if (!bare && number != 0) {
            snprintf(error, UNIT_ERROR_BYTES, "has no unit; one of %s", unit_names(kind));
            return false;
        }
        *value = number;
        return true;
    }
    const char *nearest = NULL;
    const struct unit *unit = unit_find(kind, rest, &nearest);
    if (!unit) {
        if (nearest) {
            snprintf(error, UNIT_ERROR_BYTES, "has unknown unit '%.20s'; did you mean '%s'?", rest,
                     nearest);
        } else {
            snprintf(error, UNIT_ERROR_BYTES, "has unknown unit '%.20s'; one of %s", rest,
                     unit_names(kind));
        }
        return false;
    }
    return scaled(text, whole, fraction, unit->factor, value, error);
}

bool unit_parse_count(const char *text, uint64_t *value, char error[UNIT_ERROR_BYTES])
{
    uint64_t sum = 0;
    size_t digits = 0;
    if (text[0] == '-' && isdigit((unsigned char)text[1])) {
        snprintf(error, UNIT_ERROR_BYTES, "is negative");
        return false;
    }
    for (const char *at = text; *at; at++) {
        bool between = digits > 0 && isdigit((unsigned char)at[1]);
        if ((*at == '_' || *at == ',') && between) {
            continue;
        }
        if (!isdigit((unsigned char)*at)) {
            snprintf(error, UNIT_ERROR_BYTES, "is not a whole number");
            return false;
        }
        if (sum > (uint64_t)(INT64_MAX - 9) / 10) {
            snprintf(error, UNIT_ERROR_BYTES, "is too large");
            return false;
        }
        sum = sum * 10 + (unsigned)(*at - '0');
        digits++;
    }
    if (digits == 0) {
        snprintf(error, UNIT_ERROR_BYTES, "is not a whole number");
        return false;
    }
    *value = sum;
    return true;
}

bool unit_parse_number(const char *text, double *value, char error[UNIT_ERROR_BYTES])
{
    const char *digits = text + (*text == '-' || *text == '+');
    size_t whole, fraction;
    const char *rest;
    if (!number_split(digits, &whole, &fraction, &rest)) {
        snprintf(error, UNIT_ERROR_BYTES, "is not a number");
        return false;
    }
    if ((*rest == 'e' || *rest == 'E') &&
        isdigit((unsigned char)rest[1 + (rest[1] == '-' || rest[1] == '+')])) {
        rest += 1 + (rest[1] == '-' || rest[1] == '+');
        rest += strspn(rest, "0123456789");
    }
    double number = strtod(text, NULL);
    rest += strspn(rest, " ");
    if (strcmp(rest, "%") == 0) {
        number /= 100;
    } else if (*rest != '\0') {
        snprintf(error, UNIT_ERROR_BYTES, "is not a number");
        return false;
    }
    if (!isfinite(number)) {
        snprintf(error, UNIT_ERROR_BYTES, "is too large");
        return false;
    }
    *value = number;
    return true;
}

/* Three significant digits without trailing zeros: 4.93, 49.3, 493, 4930. */
static void digits_print(char *text, size_t room, double value)
{
    double size = fabs(value);
    int places = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
    snprintf(text, room, "%.*f", places, value);
    if (strchr(text, '.')) {
        size_t length = strlen(text);
        while (text[length - 1] == '0') {
            text[--length] = '\0';
        }
        if (text[length - 1] == '.') {
            text[length - 1] = '\0';
        }
    }
    if (strcmp(text, "-0") == 0) {
        snprintf(text, room, "0");
    }
}

static char *dash_print(char text[UNIT_TEXT_BYTES])
{
    snprintf(text, UNIT_TEXT_BYTES, "-");
    return text;
}

static char *scale_print(char text[UNIT_TEXT_BYTES], double value, const struct unit *units,
                         const unsigned *steps, size_t count)
{
    if (isnan(value)) {
        return dash_print(text);
    }
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        /* 999.6 KB would print as "1000 KB": it is 1 MB. */
        if (fabs(value) >= (double)units[steps[i]].factor * 0.9995) {
            best = i;
        }
    }
    char number[20];
    digits_print(number, sizeof number, value / (double)units[steps[best]].factor);
    snprintf(text, UNIT_TEXT_BYTES, "%s %s", number, units[steps[best]].name);
    return text;
}

char *unit_bytes(char text[UNIT_TEXT_BYTES], double bytes)
{
    static const unsigned steps[] = {0, 1, 3, 5, 7};
    return scale_print(text, bytes, byte_units, steps, COUNT(steps));
}

char *unit_limit(char text[UNIT_TEXT_BYTES], uint64_t bytes)
{
    static const unsigned steps[] = {0, 2, 4, 6, 8};
    char decimal[UNIT_TEXT_BYTES], error[UNIT_ERROR_BYTES];
    uint64_t back;
    unit_bytes(decimal, (double)bytes);
    if (unit_parse(UNIT_BYTES, decimal, false, &back, error) && back == bytes) {
        return memcpy(text, decimal, sizeof decimal);
    }
    scale_print(text, (double)bytes, byte_units, steps, COUNT(steps));
    if (!unit_parse(UNIT_BYTES, text, false, &back, error) || back != bytes) {
        return memcpy(text, decimal, sizeof decimal); /* no round number either way */
    }
    size_t length = strlen(text);
    snprintf(text + length, UNIT_TEXT_BYTES - length, " (%s)", decimal);
    return text;
}

/* The size that begins at `text`, if it is in a binary unit: its bytes, and its value. */
static size_t binary_size(const char *text, uint64_t *bytes)
{
    char size[UNIT_TEXT_BYTES], error[UNIT_ERROR_BYTES];
    size_t number = strspn(text, "0123456789."), unit = number + strspn(text + number, " ");
    bool binary = number > 0 && strchr("KMGT", text[unit]) && text[unit] &&
                  strncmp(text + unit + 1, "iB", 2) == 0 &&
                  !isalnum((unsigned char)text[unit + 3]) && unit + 3 < sizeof size;
    if (!binary) {
        return 0;
    }
    memcpy(size, text, unit + 3);
    size[unit + 3] = '\0';
    return unit_parse(UNIT_BYTES, size, false, bytes, error) ? unit + 3 : 0;
}

char *unit_condition(const char *text)
{
    struct text whole = {0}, decimal = {0};
    char size[UNIT_TEXT_BYTES];
    bool any = false;
    for (const char *at = text + strcspn(text, "0123456789"); *at;) { /* no sign, no "warn" */
        uint64_t bytes;
        bool begins = at == text || !isalnum((unsigned char)at[-1]);
        size_t length = begins ? binary_size(at, &bytes) : 0;
        if (length > 0) {
            text_put(&decimal, unit_bytes(size, (double)bytes));
            at += length;
            any = true;
        } else {
            text_put_char(&decimal, *at++);
        }
    }
    text_put(&whole, text);
    if (any) {
        text_format(&whole, " (%s)", decimal.data);
    }
    text_fini(&decimal);
    return text_take(&whole);
}

char *unit_ns(char text[UNIT_TEXT_BYTES], double ns)
{
    static const unsigned steps[] = {0, 1, 2, 3};
    if (isnan(ns) || fabs(ns) < 119.5e9) {
        return scale_print(text, ns, ns_units, steps, COUNT(steps));
    }
    double seconds = round(fabs(ns) / 1e9);
    const char *sign = ns < 0 ? "-" : "";
    if (seconds < 7200) {
        snprintf(text, UNIT_TEXT_BYTES, "%s%.0f min %.0f s", sign, floor(seconds / 60),
                 fmod(seconds, 60));
    } else {
        double minutes = round(seconds / 60);
        snprintf(text, UNIT_TEXT_BYTES, "%s%.0f h %.0f min", sign, floor(minutes / 60),
                 fmod(minutes, 60));
    }
    return text;
}

char *unit_count(char text[UNIT_TEXT_BYTES], double count)
{
    if (isnan(count)) {
        return dash_print(text);
    }
    if (count != floor(count) && fabs(count) < 1000) {
        digits_print(text, UNIT_TEXT_BYTES, count);
        if (strcmp(text, "0") == 0) {
            snprintf(text, UNIT_TEXT_BYTES, "%.2g", count);
        }
        return text;
    }
    if (fabs(count) >= 1e15) {
        snprintf(text, UNIT_TEXT_BYTES, "%.3g", count);
        return text;
    }
    char plain[24];
    snprintf(plain, sizeof plain, "%.0f", fabs(count));
    size_t length = strlen(plain), out = 0;
    if (count <= -0.5) {
        text[out++] = '-';
    }
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            text[out++] = ',';
        }
        text[out++] = plain[i];
    }
    text[out] = '\0';
    return text;
}

char *unit_ratio(char text[UNIT_TEXT_BYTES], double ratio)
{
    if (isnan(ratio)) {
        return dash_print(text);
    }
    char number[20];
    /* 99.97 % must not round to "100 %", nor 0.004 % to "0 %". */
    double percent = ratio * 100;
    int places = percent > 99.5 && percent < 100 ? 2 : 1;
    snprintf(number, sizeof number, "%.*f", places, percent);
    if (percent > 0 && percent < 0.05) {
        snprintf(number, sizeof number, "%.2g", percent);
    } else if (percent < 100 && strcmp(number, "100.00") == 0) {
        snprintf(number, sizeof number, "99.99");
    }
    snprintf(text, UNIT_TEXT_BYTES, "%s %%", number);
    return text;
}
