/* reader.c - see reader.h. Supervisor only. */
#include "harness/scenario/reader.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void reader_error(struct reader *reader, const struct node *node, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = memory_format_list(format, list);
    va_end(list);
    diag_add(reader->diag, reader->path, node->line, node->column, "%s", text);
    free(text);
}

void reader_unknown(struct reader *reader, const struct node *node, const char *what,
                    const char *const *words, size_t count)
{
    char shown[NODE_SHOWN_BYTES];
    const char *nearest = diag_nearest(node->text, words, count);
    if (nearest) {
        reader_error(reader, node, "unknown %s '%s'; did you mean '%s'?", what,
                     node_shown(node->text, shown), nearest);
        return;
    }
    struct text all = {0};
    for (size_t i = 0; i < count; i++) {
        text_format(&all, "%s%s", i ? ", " : "", words[i]);
    }
    reader_error(reader, node, "unknown %s '%s'; known here: %s", what,
                 node_shown(node->text, shown), count ? text_peek(&all) : "none");
    text_fini(&all);
}

#define KEYS_MAX 64

const struct reader_key *reader_key_find(const struct reader_key *keys, size_t count,
                                         const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

bool reader_map(struct reader *reader, const struct node *node, const char *what,
                const struct reader_key *keys, size_t count)
{
    if (node->kind != NODE_MAP) {
        reader_error(reader, node, "%s must be a map of 'key: value'", what);
        return false;
    }
    const char *names[KEYS_MAX];
    for (size_t i = 0; i < count; i++) {
        names[i] = keys[i].name;
    }
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        const struct node *key = node->items[i];
        if (key->kind != NODE_SCALAR || strcmp(key->text, "<<") == 0) {
            continue; /* was said when the document was read */
        }
        const struct reader_key *known = reader_key_find(keys, count, key->text);
        if (known != NULL) {
            known->take(reader, node->items[i + 1]);
        } else {
            reader_unknown(reader, key, "key", names, count);
        }
    }
    return true;
}

const char *reader_text(struct reader *reader, const struct node *node, const char *what)
{
    if (node->kind != NODE_SCALAR) {
        reader_error(reader, node, "%s must be one value, not a %s", what,
                     node->kind == NODE_MAP ? "map" : "list");
        return NULL;
    }
    if (!node->text[0] || (!node->quoted && strcmp(node->text, "~") == 0)) {
        reader_error(reader, node, "%s has no value", what);
        return NULL;
    }
    return node->text;
}

const char *reader_name(struct reader *reader, const struct node *node, const char *what)
{
    char shown[NODE_SHOWN_BYTES];
    const char *text = reader_text(reader, node, what);
    if (!text) {
        return NULL;
    }
    for (const char *at = text; *at; at++) {
        if (!isalnum((unsigned char)*at) && !strchr("._-/", *at)) {
            reader_error(reader, node, "%s '%s' may hold letters, digits, '.', '_', '-' and '/'",
                         what, node_shown(text, shown));
            return NULL;
        }
    }
    if (strlen(text) > 100) {
        reader_error(reader, node, "%s '%s' is longer than 100 characters", what,
                     node_shown(text, shown));
        return NULL;
    }
    return text;
}

/* Says "memory '5 MIB' has unknown unit ..." */
static void value_error(struct reader *reader, const struct node *node, const char *what,
                        const char *error)
{
    char shown[NODE_SHOWN_BYTES];
    reader_error(reader, node, "%s '%s' %s", what, node_shown(node->text, shown), error);
}

bool reader_size(struct reader *reader, const struct node *node, const char *what, uint64_t least,
                 uint64_t *value)
{
    char error[UNIT_ERROR_BYTES], size[UNIT_TEXT_BYTES];
    if (!reader_text(reader, node, what)) {
        return false;
    }
    if (!unit_parse(UNIT_BYTES, node->text, false, value, error)) {
        value_error(reader, node, what, error);
        return false;
    }
    if (*value < least) {
        snprintf(error, sizeof error, "is too small; at least %s", unit_limit(size, least));
        value_error(reader, node, what, error);
        return false;
    }
    return true;
}

bool reader_time(struct reader *reader, const struct node *node, const char *what, uint64_t *value)
{
    char error[UNIT_ERROR_BYTES];
    if (!reader_text(reader, node, what)) {
        return false;
    }
    if (!unit_parse(UNIT_NS, node->text, false, value, error)) {
        value_error(reader, node, what, error);
        return false;
    }
    return true;
}

bool reader_count(struct reader *reader, const struct node *node, const char *what, uint64_t least,
                  uint64_t most, uint64_t *value)
{
    char error[UNIT_ERROR_BYTES], limit[UNIT_TEXT_BYTES];
    if (!reader_text(reader, node, what)) {
        return false;
    }
    if (!unit_parse_count(node->text, value, error)) {
        value_error(reader, node, what, error);
        return false;
    }
    if (*value < least || *value > most) {
        bool low = *value < least;
        snprintf(error, sizeof error, "is too %s; at %s %s", low ? "small" : "large",
                 low ? "least" : "most", unit_count(limit, (double)(low ? least : most)));
        value_error(reader, node, what, error);
        return false;
    }
    return true;
}

void reader_texts(struct reader *reader, const struct node *node, const char *what, char ***texts,
                  size_t *count)
{
    if (node->kind != NODE_LIST) {
        reader_error(reader, node, "%s must be a list, such as [one, two]", what);
        return;
    }
    *texts = reallocarray(*texts, *count + node->count + 1, sizeof **texts);
    if (!*texts) {
        memory_die();
    }
    for (size_t i = 0; i < node->count; i++) {
        /* An empty argument is an argument, when quoted. */
        const struct node *item = node->items[i];
        bool empty = item->kind == NODE_SCALAR && item->quoted && !item->text[0];
        const char *text = empty ? "" : reader_text(reader, item, what);
        if (text) {
            (*texts)[(*count)++] = memory_copy(text);
        }
    }
}

void pair_add(struct scenario_pair **pairs, size_t *count, const char *key, const char *value)
{
    *pairs = reallocarray(*pairs, *count + 1, sizeof **pairs);
    if (!*pairs) {
        memory_die();
    }
    (*pairs)[(*count)++] =
        (struct scenario_pair){.key = memory_copy(key), .value = memory_copy(value)};
}

void reader_environment(struct reader *reader, const struct node *node,
                        struct scenario_pair **pairs, size_t *count)
{
    char shown[NODE_SHOWN_BYTES];
    if (node->kind != NODE_MAP) {
        reader_error(reader, node, "env must be a map of 'NAME: value'");
        return;
    }
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        const struct node *key = node->items[i], *value = node->items[i + 1];
        if (key->kind != NODE_SCALAR || strcmp(key->text, "<<") == 0) {
            continue;
        }
        size_t good = 0;
        while (isalnum((unsigned char)key->text[good]) || key->text[good] == '_') {
            good++;
        }
        if (good == 0 || key->text[good] || isdigit((unsigned char)key->text[0])) {
            reader_error(reader, key, "'%s' is not the name of an environment variable",
                         node_shown(key->text, shown));
        } else if (strncmp(key->text, "TIDEMARK_", 9) == 0) {
            reader_error(reader, key, "'%s' is tidemark's own; use suite and variant parameters",
                         node_shown(key->text, shown));
        } else if (value->kind != NODE_SCALAR) {
            reader_error(reader, value, "environment variable '%s' must be one value",
                         node_shown(key->text, shown));
        } else {
            pair_add(pairs, count, key->text, value->text);
        }
    }
}
