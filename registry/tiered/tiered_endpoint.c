/* tiered_endpoint.c - see tiered_endpoint.h. Anywhere. */
#include "registry/tiered/tiered_endpoint.h"

#include <string.h>

/* The end of the name in braces that begins at `form`, or NULL: a brace that stands for itself. */
static const char *name_end(const char *form)
{
    const char *end = *form == '{' ? strchr(form, '}') : NULL;
    return end && end > form + 1 ? end + 1 : NULL;
}

/* A name in braces stands for one character or more. */
static bool matches(const char *form, const char *text, const char *end)
{
    for (; *form; form++, text++) {
        const char *after = name_end(form);
        if (after) {
            for (const char *next = text + 1; next <= end; next++) {
                if (matches(after, next, end)) {
                    return true;
                }
            }
            return false;
        }
        if (text == end || *text != *form) {
            return false;
        }
    }
    return text == end;
}

const struct tiered_endpoint *tiered_endpoint_find(const struct tiered_endpoints *endpoints,
                                                   struct store_key key)
{
    for (size_t i = 0; i < endpoints->count; i++) {
        if (matches(endpoints->rules[i].key, key.text, key.text + key.length)) {
            return &endpoints->rules[i];
        }
    }
    return NULL;
}

static const char *field_value(const char *name, size_t length, const struct tiered_field *fields,
                               size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(fields[i].name) == length && memcmp(fields[i].name, name, length) == 0) {
            return fields[i].value;
        }
    }
    return NULL;
}

static bool key_fill(const char *form, const struct tiered_field *fields, size_t count,
                     char key[ENDPOINT_KEY_BYTES])
{
    size_t used = 0;
    while (*form) {
        const char *after = name_end(form), *part = form;
        size_t bytes = 1;
        if (after) {
            part = field_value(form + 1, (size_t)(after - form - 2), fields, count);
            bytes = part ? strlen(part) : 0;
        }
        if (bytes == 0 || used + bytes >= ENDPOINT_KEY_BYTES) {
            return false;
        }
        memcpy(key + used, part, bytes);
        used += bytes;
        form = after ? after : form + 1;
    }
    key[used] = 0;
    return used > 0;
}

static bool has_event(const struct tiered_endpoint *rule, const char *event)
{
    for (size_t i = 0; i < ENDPOINT_EVENTS && rule->events[i]; i++) {
        if (strcmp(rule->events[i], event) == 0) {
            return true;
        }
    }
    return false;
}

size_t tiered_endpoint_keys(const struct tiered_endpoints *endpoints, const char *event,
                            const struct tiered_field *fields, size_t field_count,
                            void (*each)(void *context, const char *key), void *context)
{
    size_t keys = 0;
    for (size_t i = 0; i < endpoints->count; i++) {
        char key[ENDPOINT_KEY_BYTES];
        if (has_event(&endpoints->rules[i], event) &&
            key_fill(endpoints->rules[i].key, fields, field_count, key)) {
            each(context, key);
            keys++;
        }
    }
    return keys;
}
