/* parameter.c - parameters of suites and strategies: parameter.def as a table, and the check of one
 * value. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/scenario/reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum parameter_kind {
    KIND_COUNT,
    KIND_SIZE,
    KIND_TIME,
    KIND_FLAG,
    KIND_RATIO,
    KIND_KEYS,
    KIND_WORD,
};

struct parameter { // NOLINT(clang-analyzer-optin.performance.Padding): rows read in this order
    enum parameter_owner owner;
    const char *name;
    enum parameter_kind kind;
    uint64_t least;
    const char *words;
    const char *help;
};

static const struct parameter parameters[] = {
#define PARAMETER(owner, key, kind, least, words, help)                                            \
    {PARAMETER_##owner, #key, KIND_##kind, least, words, help},
#include "harness/scenario/parameter.def"
#undef PARAMETER
};
#define COUNT (sizeof parameters / sizeof parameters[0])

/* A key in the scenario is written with dashes where the row has underscores. */
static bool name_same(const char *row, const char *key)
{
    while (*row && (*row == *key || (*row == '_' && *key == '-'))) {
        row++;
        key++;
    }
    return *row == *key;
}

void parameter_print(enum parameter_owner owner, const struct scenario_pair *pair, struct text *out)
{
    enum parameter_kind kind = KIND_WORD;
    for (size_t i = 0; i < COUNT; i++) {
        if (parameters[i].owner == owner && strcmp(parameters[i].name, pair->key) == 0) {
            kind = parameters[i].kind;
        }
    }
    const char *value = kind != KIND_FLAG ? pair->value : pair->value[0] == '1' ? "true" : "false";
    text_format(out, "%s: %s%s", pair->key, value,
                kind == KIND_SIZE   ? " B"
                : kind == KIND_TIME ? " ns"
                                    : "");
}

bool scenario_parameter(size_t index, struct scenario_parameter *out)
{
    static const char *const kinds[] = {
        [KIND_COUNT] = "whole number", [KIND_SIZE] = "size",
        [KIND_TIME] = "time",          [KIND_FLAG] = "true or false",
        [KIND_RATIO] = "0 to 1",       [KIND_KEYS] = "all, a count, or A..B",
        [KIND_WORD] = "word"};
    if (index >= COUNT) {
        return false;
    }
    const struct parameter *parameter = &parameters[index];
    *out = (struct scenario_parameter){.strategy = parameter->owner == PARAMETER_STRATEGY,
                                       .name = parameter->name,
                                       .value = parameter->words[0] ? parameter->words
                                                                    : kinds[parameter->kind],
                                       .help = parameter->help};
    return true;
}

size_t parameter_names(enum parameter_owner owner, const char **names, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT && count < most; i++) {
        if (parameters[i].owner == owner) {
            names[count++] = parameters[i].name;
        }
    }
    return count;
}

/* "1..500": false when it is not of that form at all. */
static bool range_split(const char *text, char low[32], const char **high)
{
    const char *dots = strstr(text, "..");
    if (!dots || dots == text || (size_t)(dots - text) >= 32) {
        return false;
    }
    memcpy(low, text, (size_t)(dots - text));
    low[dots - text] = '\0';
    char *blank = strchr(low, ' ');
    if (blank) {
        *blank = '\0';
    }
    *high = dots + 2 + strspn(dots + 2, " ");
    return true;
}

static bool keys_check(struct reader *reader, const struct node *node, const char *name,
                       char out[UNIT_ERROR_BYTES])
{
    char low[32], error[UNIT_ERROR_BYTES], shown[NODE_SHOWN_BYTES];
    const char *high, *text = reader_text(reader, node, name);
    uint64_t first, last;
    if (!text) {
        return false;
    }
    if (strcmp(text, "all") == 0) {
        snprintf(out, UNIT_ERROR_BYTES, "all");
        return true;
    }
    if (!range_split(text, low, &high)) {
        if (!unit_parse_count(text, &last, error) || last == 0) {
            reader_error(reader, node, "%s '%s' must be 'all', a count, or a range such as 1..500",
                         name, node_shown(text, shown));
            return false;
        }
        snprintf(out, UNIT_ERROR_BYTES, "%" PRIu64, last);
        return true;
    }
    if (!unit_parse_count(low, &first, error) || !unit_parse_count(high, &last, error)) {
        reader_error(reader, node, "%s '%s' %s on one side of '..'", name, node_shown(text, shown),
                     error);
        return false;
    }
    if (first > last) {
        reader_error(reader, node,
                     "%s '%s' is an empty range; did you mean %" PRIu64 "..%" PRIu64 "?", name,
                     node_shown(text, shown), last, first);
        return false;
    }
    snprintf(out, UNIT_ERROR_BYTES, "%" PRIu64 "..%" PRIu64, first, last);
    return true;
}

static bool flag_check(struct reader *reader, const struct node *node, const char *name, char *out)
{
    static const char *const words[] = {"true", "false"};
    char shown[NODE_SHOWN_BYTES];
    const char *text = reader_text(reader, node, name);
    if (!text) {
        return false;
    }
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        const char *nearest = diag_nearest(text, words, 2);
        reader_error(reader, node, "%s '%s' must be true or false%s%s%s", name,
                     node_shown(text, shown), nearest ? "; did you mean '" : "",
                     nearest ? nearest : "", nearest ? "'?" : "");
        return false;
    }
    snprintf(out, UNIT_ERROR_BYTES, "%d", text[0] == 't');
    return true;
}

static bool ratio_check(struct reader *reader, const struct node *node, const char *name, char *out)
{
    char error[UNIT_ERROR_BYTES], shown[NODE_SHOWN_BYTES];
    double number;
    const char *text = reader_text(reader, node, name);
    if (!text) {
        return false;
    }
    if (!unit_parse_number(text, &number, error)) {
        reader_error(reader, node, "%s '%s' %s", name, node_shown(text, shown), error);
        return false;
    }
    if (number < 0 || number > 1) {
        reader_error(reader, node, "%s '%s' is not between 0 and 1", name, node_shown(text, shown));
        return false;
    }
    snprintf(out, UNIT_ERROR_BYTES, "%.17g", number);
    return true;
}

#define WORDS_MAX 16

static bool word_check(struct reader *reader, const struct node *node,
                       const struct parameter *parameter, char out[UNIT_ERROR_BYTES])
{
    const char *text = reader_name(reader, node, parameter->name);
    const char *words[WORDS_MAX];
    size_t count = 0;
    if (!text) {
        return false;
    }
    snprintf(out, UNIT_ERROR_BYTES, "%s", text);
    if (!parameter->words[0]) {
        return true;
    }
    char *copy = memory_copy(parameter->words), *save = NULL;
    bool known = false;
    for (char *word = strtok_r(copy, " ", &save); word && count < WORDS_MAX;
         word = strtok_r(NULL, " ", &save)) {
        words[count++] = word;
        known = known || strcmp(word, text) == 0;
    }
    if (!known) {
        reader_unknown(reader, node, parameter->name, words, count);
    }
    free(copy);
    return known;
}

static bool value_check(struct reader *reader, const struct parameter *parameter,
                        const struct node *node, char out[UNIT_ERROR_BYTES])
{
    const char *name = parameter->name;
    uint64_t number = 0;
    bool good = false;
    switch (parameter->kind) {
    case KIND_COUNT:
        good = reader_count(reader, node, name, parameter->least, 1000000000000, &number);
        break;
    case KIND_SIZE:
        good = reader_size(reader, node, name, parameter->least, &number);
        break;
    case KIND_TIME:
        good = reader_time(reader, node, name, &number);
        if (good && number < parameter->least) {
            reader_error(reader, node, "%s '%s' is too small; more than 0", name, node->text);
            good = false;
        }
        break;
    case KIND_FLAG:
        return flag_check(reader, node, name, out);
    case KIND_RATIO:
        return ratio_check(reader, node, name, out);
    case KIND_KEYS:
        return keys_check(reader, node, name, out);
    case KIND_WORD:
        return word_check(reader, node, parameter, out);
    }
    snprintf(out, UNIT_ERROR_BYTES, "%" PRIu64, number);
    return good;
}

static const struct parameter *parameter_find(enum parameter_owner owner, const char *key)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (parameters[i].owner == owner && name_same(parameters[i].name, key)) {
            return &parameters[i];
        }
    }
    return NULL;
}

bool parameter_is(enum parameter_owner owner, const char *key)
{
    return parameter_find(owner, key) != NULL;
}

void parameter_take(struct reader *reader, enum parameter_owner owner, const struct node *key,
                    const struct node *value, struct scenario_pair **pairs, size_t *count)
{
    char text[UNIT_ERROR_BYTES];
    const struct parameter *parameter = parameter_find(owner, key->text);
    assert(parameter);
    bool again = false; /* max_x and max-x: two keys to the document, one to us */
    for (size_t i = 0; i < *count; i++) {
        again = again || strcmp((*pairs)[i].key, parameter->name) == 0;
    }
    if (again && strcmp(parameter->name, key->text) != 0) {
        reader_error(reader, key, "'%s' is given twice", parameter->name);
    } else if (value_check(reader, parameter, value, text) && !again) {
        pair_add(pairs, count, parameter->name, text);
    }
}
