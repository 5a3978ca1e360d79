/* record_print.c - see record_print.h. Supervisor only. */
#include "harness/cli/record_print.h"
#include "harness/base/diag.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/result/json_write.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct registry_image *image(void)
{
    return &registry_tables;
}

bool record_is_model(void)
{
    return strcmp(record_noun(), "model") == 0;
}

const char *record_noun(void)
{
    return registry_image_record_name(image()).data; /* ended by 0 in an image */
}

char *record_count_text(uint32_t count)
{
    const char *noun = record_noun();
    size_t length = strlen(noun);
    char last = noun[length - 1], before = length > 1 ? noun[length - 2] : 'a';
    bool cut = count != 1 && last == 'y' && !strchr("aeiou", before);
    bool hiss = strchr("sx", last) || (last == 'h' && strchr("cs", before));
    return memory_format("%" PRIu32 " %.*s%s", count, (int)(length - cut), noun,
                         count == 1 ? ""
                         : cut      ? "ies"
                         : hiss     ? "es"
                                    : "s");
}

static const char *field_name(uint32_t n)
{
    return registry_image_field_name(image(), n).data;
}

/* 514706 with four digits is 51.4706. */
static void decimal_put(struct text *text, int64_t number, unsigned digits)
{
    uint64_t scale = 1, size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    for (unsigned i = 0; i < digits; i++) {
        scale *= 10;
    }
    text_format(text, "%s%" PRIu64 ".%0*" PRIu64, number < 0 ? "-" : "", size / scale, (int)digits,
                size % scale);
}

static void words_put(struct text *text, uint32_t n, uint32_t bits)
{
    for (uint32_t i = 0; i < 32; i++) {
        if (bits >> i & 1) {
            text_format(text, "%s%s", text->length > 0 ? ", " : "",
                        registry_image_field_word(image(), n, i).data);
        }
    }
}

static void value_put(struct text *text, uint32_t n, const struct registry_value *value)
{
    const struct registry_field *field = registry_image_field(image(), n);
    char number[UNIT_TEXT_BYTES];
    switch ((enum registry_field_type)field->type) {
    case REGISTRY_FIELD_NUMBER:
    case REGISTRY_FIELD_INTEGER:
        text_put(text, unit_count(number, (double)value->number));
        break;
    case REGISTRY_FIELD_DECIMAL:
        decimal_put(text, value->number, field->digits);
        break;
    case REGISTRY_FIELD_SET:
    case REGISTRY_FIELD_NAMES:
        words_put(text, n, value->yes);
        break;
    case REGISTRY_FIELD_FLAG:
        text_put(text, "yes");
        break;
    default:
        text_put_bytes(text, value->text.data, value->text.length);
        break;
    }
}

void record_print(registry_index index, bool color, FILE *out)
{
    struct registry_text key = registry_image_key(image(), index);
    (void)fprintf(out, "%s%.*s%s\n", table_color_begin(TABLE_BOLD, color), (int)key.length,
                  key.data, table_color_end(TABLE_BOLD, color));
    for (uint32_t n = 0; n < registry_image_field_count(image()); n++) {
        struct registry_value value;
        struct text text = {0};
        registry_image_value(image(), index, n, &value);
        if (value.stated) {
            value_put(&text, n, &value);
            struct registry_text unit = registry_image_field_unit(image(), n);
            (void)fprintf(out, "  %-14s %s%s%.*s\n", field_name(n), text_peek(&text),
                          unit.length > 0 ? " " : "", (int)unit.length, unit.data);
        }
        if (value.no) {
            text_reset(&text);
            words_put(&text, n, value.no);
            (void)fprintf(out, "  %-14s not %s\n", field_name(n), text_peek(&text));
        }
        text_fini(&text);
    }
}

void record_columns(struct table *table)
{
    table_column(table, record_noun(), TABLE_LEFT);
    for (uint32_t n = 0; n < registry_image_field_count(image()); n++) {
        const struct registry_field *field = registry_image_field(image(), n);
        bool number = field->type == REGISTRY_FIELD_NUMBER ||
                      field->type == REGISTRY_FIELD_INTEGER ||
                      field->type == REGISTRY_FIELD_DECIMAL;
        if (field->filter) {
            table_column(table, field_name(n), number ? TABLE_RIGHT : TABLE_LEFT);
        }
    }
}

void record_row(struct table *table, registry_index index)
{
    struct registry_text key = registry_image_key(image(), index);
    char *copy = memory_copy_bytes(key.data, key.length);
    table_row(table);
    table_cell(table, copy);
    free(copy);
    for (uint32_t n = 0; n < registry_image_field_count(image()); n++) {
        struct registry_value value;
        struct text text = {0};
        if (registry_image_field(image(), n)->filter) {
            registry_image_value(image(), index, n, &value);
            if (value.stated) {
                value_put(&text, n, &value);
            }
            table_cell(table, text_peek(&text));
        }
        text_fini(&text);
    }
}

static void list_json(struct text *line, const char *name, uint32_t n, uint32_t bits)
{
    json_open(line, name, '[');
    for (uint32_t i = 0; i < 32; i++) {
        if (bits >> i & 1) {
            json_text(line, NULL, registry_image_field_word(image(), n, i).data);
        }
    }
    json_close(line, ']');
}

static void value_json(struct text *line, uint32_t n, const struct registry_value *value)
{
    const struct registry_field *field = registry_image_field(image(), n);
    struct text text = {0};
    switch ((enum registry_field_type)field->type) {
    case REGISTRY_FIELD_NUMBER:
    case REGISTRY_FIELD_INTEGER:
        json_signed(line, field_name(n), value->number);
        break;
    case REGISTRY_FIELD_DECIMAL: /* as it is written, so that no digit is lost */
        decimal_put(&text, value->number, field->digits);
        text_format(line, ",\"%s\":%s", field_name(n), text_peek(&text));
        break;
    case REGISTRY_FIELD_SET:
        list_json(line, field_name(n), n, value->yes);
        break;
    case REGISTRY_FIELD_NAMES:
        list_json(line, field_name(n), n, value->yes);
        if (value->no) {
            text_format(&text, "%s.denied", field_name(n));
            list_json(line, text_peek(&text), n, value->no);
        }
        break;
    case REGISTRY_FIELD_FLAG:
        json_bool(line, field_name(n), true);
        break;
    default: {
        char *copy = memory_copy_bytes(value->text.data, value->text.length);
        json_text(line, field_name(n), copy);
        free(copy);
        break;
    }
    }
    text_fini(&text);
}

void record_json(registry_index index, FILE *out)
{
    struct text line = {0};
    struct registry_text key = registry_image_key(image(), index);
    char *copy = memory_copy_bytes(key.data, key.length);
    json_open(&line, NULL, '{');
    json_unsigned(&line, "v", 1);
    json_text(&line, "type", record_noun());
    json_text(&line, "key", copy);
    for (uint32_t n = 0; n < registry_image_field_count(image()); n++) {
        struct registry_value value;
        registry_image_value(image(), index, n, &value);
        if (value.stated) {
            value_json(&line, n, &value);
        }
    }
    json_close(&line, '}');
    (void)fprintf(out, "%s\n", text_peek(&line));
    text_fini(&line);
    free(copy);
}

/* Conditions. -----------------------------------------------------------------------------------
 */

/* The field of that name, if it may be filtered by. */
static bool field_choose(const char *name, size_t length, uint32_t *n, char **why)
{
    const char *names[256];
    size_t count = 0;
    for (uint32_t i = 0; i < registry_image_field_count(image()) && count < 256; i++) {
        if (registry_image_field(image(), i)->filter) {
            names[count++] = field_name(i);
        }
    }
    if (registry_image_field_find(image(), name, length, n) &&
        registry_image_field(image(), *n)->filter) {
        return true;
    }
    char *copy = memory_copy_bytes(name, length);
    char *near = diag_suggestion(copy, names, count);
    *why = memory_format("no field '%s' to filter by%s", copy, near);
    free(near);
    free(copy);
    return false;
}

/* "51.5" with four digits is 515000. */
static bool number_parse(const char *text, unsigned digits, int64_t *number)
{
    bool negative = *text == '-';
    text += negative;
    char *end = NULL;
    errno = 0;
    unsigned long long whole = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || errno != 0 || whole > INT64_MAX / 1000000000) {
        return false;
    }
    int64_t value = (int64_t)whole;
    const char *part = *end == '.' ? end + 1 : end;
    for (unsigned i = 0; i < digits; i++) {
        value = value * 10 + (isdigit((unsigned char)*part) ? *part++ - '0' : 0);
    }
    *number = negative ? -value : value;
    return *part == '\0' && (*end == '\0' || (digits > 0 && part > end + 1));
}

static bool bits_parse(const char *text, uint32_t n, struct registry_where *where, char **why)
{
    const struct registry_field *field = registry_image_field(image(), n);
    bool names = field->type == REGISTRY_FIELD_NAMES;
    uint32_t count = names ? image()->capability_count : field->word_count;
    const char *words[32];
    for (uint32_t i = 0; i < count; i++) {
        words[i] = registry_image_field_word(image(), n, i).data;
        if (strcmp(words[i], text) == 0) {
            where->bits = UINT32_C(1) << i;
            return true;
        }
    }
    char *near = diag_suggestion(text, words, count);
    *why = memory_format("%s has no '%s'%s", field_name(n), text, near);
    free(near);
    return false;
}

static bool enum_check(const char *text, uint32_t n, char **why)
{
    uint32_t count = registry_image_field(image(), n)->word_count;
    const char *words[256];
    for (uint32_t i = 0; i < count; i++) {
        words[i] = registry_image_field_word(image(), n, i).data;
        if (strcmp(words[i], text) == 0) {
            return true;
        }
    }
    char *near = diag_suggestion(text, words, count);
    *why = memory_format("%s is never '%s'%s", field_name(n), text, near);
    free(near);
    return false;
}

static bool value_parse(const char *text, struct registry_where *where, char **why)
{
    const struct registry_field *field = registry_image_field(image(), where->field);
    bool number = false;
    switch ((enum registry_field_type)field->type) {
    case REGISTRY_FIELD_NUMBER:
    case REGISTRY_FIELD_INTEGER:
    case REGISTRY_FIELD_DECIMAL:
        number = true;
        if (!number_parse(text, field->digits, &where->number)) {
            *why = memory_format("%s: '%s' is no number of %u digits behind the point",
                                 field_name(where->field), text, field->digits);
            return false;
        }
        break;
    case REGISTRY_FIELD_SET:
    case REGISTRY_FIELD_NAMES:
        if (!bits_parse(text, where->field, where, why)) {
            return false;
        }
        break;
    case REGISTRY_FIELD_FLAG:
        where->bits = 1;
        if (strcmp(text, "yes") != 0) {
            *why = memory_format("%s can only be yes", field_name(where->field));
            return false;
        }
        break;
    case REGISTRY_FIELD_ENUM:
        if (!enum_check(text, where->field, why)) {
            return false;
        }
        break;
    default:
        break;
    }
    bool ordered = number || field->type == REGISTRY_FIELD_DATE;
    if (where->how != REGISTRY_IS && !ordered) {
        *why = memory_format("%s has no order: '=' alone", field_name(where->field));
        return false;
    }
    where->text = (struct registry_text){text, (uint32_t)strlen(text)};
    return true;
}

bool record_where_parse(const char *text, struct registry_where *where, char **why)
{
    size_t length = strcspn(text, "<>=");
    const char *sign = text + length;
    *where = (struct registry_where){.how = *sign == '>'   ? REGISTRY_AT_LEAST
                                            : *sign == '<' ? REGISTRY_AT_MOST
                                                           : REGISTRY_IS};
    bool right = *sign == '=' || ((*sign == '<' || *sign == '>') && sign[1] == '=');
    if (!right || length == 0) {
        *why =
            memory_format("'%s' is no condition: FIELD=VALUE, FIELD>=VALUE or FIELD<=VALUE", text);
        return false;
    }
    return field_choose(text, length, &where->field, why) &&
           value_parse(sign + (*sign == '=' ? 1 : 2), where, why);
}
