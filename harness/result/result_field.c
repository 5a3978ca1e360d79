/* result_field.c - see result_field.h. Supervisor only. */
#include "harness/result/result_field.h"
#include "harness/result/result.h"

#include <string.h>

const struct field *field_find(const struct field *fields, size_t *next, const char *key)
{
    if (fields[*next].key && strcmp(fields[*next].key, key) == 0) {
        return &fields[(*next)++];
    }
    for (size_t i = 0; fields[i].key; i++) {
        if (strcmp(fields[i].key, key) == 0) {
            *next = i + 1;
            return &fields[i];
        }
    }
    return NULL;
}

static bool reach_parse(const char *text, enum result_reach *reach)
{
    *reach = strcmp(text, "held") == 0          ? REACH_HELD
             : strcmp(text, "unreachable") == 0 ? REACH_UNREACHABLE
                                                : REACH_UNKNOWN;
    return *reach != REACH_UNKNOWN || strcmp(text, "unknown") == 0;
}

static bool word_read(struct json *json, const struct field *field, void *at)
{
    json_peek(json);
    const char *text, *from = json->at;
    if (!json_take_text(json, &text)) {
        return false;
    }
    const char *bad;
    bool known = field->kind == FIELD_STATUS    ? result_status_parse(text, at)
                 : field->kind == FIELD_VERDICT ? result_verdict_parse(text, at)
                 : field->kind == FIELD_ORDER   ? result_order_parse(text, at)
                 : field->kind == FIELD_FAIL_ON ? result_fail_on_parse(text, at, &bad)
                                                : reach_parse(text, at);
    if (!known) {
        json->at = from;
        json_fail(json, field->kind == FIELD_STATUS    ? "unknown status"
                        : field->kind == FIELD_VERDICT ? "unknown verdict"
                        : field->kind == FIELD_ORDER   ? "unknown word for an order"
                        : field->kind == FIELD_FAIL_ON ? "unknown word in fail_on"
                                                       : "unknown reachability");
    }
    return known;
}

bool field_read(struct json *json, const struct field *field, void *base)
{
    void *at = (char *)base + field->offset;
    const char *text;
    uint64_t whole;
    int64_t integer;
    if (json_peek(json) == 'n') { /* null: not measured */
        return json_skip(json);
    }
    switch (field->kind) {
    case FIELD_TEXT:
        if (json_take_text(json, &text) && strcmp(*(char **)at, text) != 0) {
            result_set(at, text);
        }
        return !json->error;
    case FIELD_INT64:
        return json_take_integer(json, at);
    case FIELD_UINT64:
        return json_take_unsigned(json, at);
    case FIELD_DOUBLE:
        return json_take_number(json, at);
    case FIELD_BOOL:
        return json_take_bool(json, at);
    case FIELD_SIZE:
        if (json_take_unsigned(json, &whole)) {
            *(size_t *)at = whole;
        }
        return !json->error;
    case FIELD_INT:
        if (json_take_integer(json, &integer)) {
            *(int *)at = (int)integer;
        }
        return !json->error;
    case FIELD_UNSIGNED:
        if (json_take_unsigned(json, &whole)) {
            *(unsigned *)at = (unsigned)whole;
        }
        return !json->error;
    case FIELD_STATUS:
    case FIELD_VERDICT:
    case FIELD_REACH:
    case FIELD_ORDER:
    case FIELD_FAIL_ON:
        return word_read(json, field, at);
    case FIELD_OTHER:
        break;
    }
    return json_skip(json);
}

void field_object_read(struct json *json, const struct field *fields, void *base)
{
    const char *key;
    size_t next = 0;
    if (!json_enter(json, '{')) {
        return;
    }
    while (json_next_key(json, &key)) {
        const struct field *field = field_find(fields, &next, key);
        if (field) {
            field_read(json, field, base);
        } else {
            json_skip(json);
        }
    }
}
