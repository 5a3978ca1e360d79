/* entry.c - see entry.h. Build time only. */
#include "registry/catalogue/generate/entry.h"

#include "harness/base/memory.h"
#include "registry/image.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct entry *entry;
    const char *text;
    const char *file;
    unsigned line;
    size_t length;
    struct entry_names *names;
    struct diag *diag;
    bool ok;
};

typedef void field_read(struct reader *reader, const char *field, const json_t *value,
                        unsigned which);

/* Column of `"word"` in the line, or of the mapping. Texts with escapes are not found: column 3. */
static unsigned reader_column(const struct reader *reader, const char *word)
{
    char *quoted = memory_format("\"%s\"", word);
    const char *at = memmem(reader->text, reader->length, quoted, strlen(quoted));
    free(quoted);
    return at ? (unsigned)(at - reader->text) + 1 : 3;
}

static void __attribute__((format(printf, 3, 4)))
reader_error(struct reader *reader, const char *word, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *message = NULL;
    if (vasprintf(&message, format, arguments) < 0) {
        memory_die();
    }
    va_end(arguments);
    diag_add(reader->diag, reader->file, reader->line, reader_column(reader, word), "%s", message);
    free(message);
    reader->ok = false;
}

static void reader_unknown(struct reader *reader, const char *what, const char *text,
                           const char *const *words, size_t count)
{
    const char *near = diag_nearest(text, words, count);
    if (near) {
        reader_error(reader, text, "unknown %s '%s'; did you mean '%s'?", what, text, near);
    } else {
        reader_error(reader, text, "unknown %s '%s'", what, text);
    }
}

/* NULL after a diagnostic. */
static const char *reader_text(struct reader *reader, const char *field, const json_t *value)
{
    if (!json_is_string(value)) {
        reader_error(reader, field, "'%s' must be a text", field);
        return NULL;
    }
    if (json_string_length(value) == 0) {
        reader_error(reader, field, "'%s' is empty", field);
        return NULL;
    }
    if (json_string_length(value) > REGISTRY_KEY_MOST) {
        reader_error(reader, field, "'%s' is %zu bytes long; at most %d", field,
                     json_string_length(value), REGISTRY_KEY_MOST);
        return NULL;
    }
    return json_string_value(value);
}

static bool reader_number(struct reader *reader, const char *field, const json_t *value,
                          uint64_t *number)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        reader_error(reader, field, "'%s' must be a whole number, 0 or more", field);
        return false;
    }
    *number = (uint64_t)json_integer_value(value);
    return true;
}

static void read_key_part(struct reader *reader, const char *field, const json_t *value,
                          unsigned which)
{
    /* Both parts are put together by entry_read; here they are only checked. */
    const char *text = reader_text(reader, field, value);
    if (text && which == 0 && strchr(text, ':')) {
        reader_error(reader, text, "provider '%s' holds a colon, where keys are split", text);
    }
}

static void read_name(struct reader *reader, const char *field, const json_t *value, unsigned which)
{
    (void)which;
    const char *text = reader_text(reader, field, value);
    reader->entry->name = text ? memory_copy(text) : NULL;
}

static void read_word(struct reader *reader, const char *field, const json_t *value, unsigned which)
{
    const char *text = reader_text(reader, field, value);
    reader->entry->word[which] = text ? memory_copy(text) : NULL;
}

static bool digits(const char *text, size_t from, size_t end)
{
    for (size_t i = from; i < end; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return false;
        }
    }
    return true;
}

/* The shape alone: real catalogues hold 2025-02-31 and 2025-25-11, and a registry that corrects or
 * refuses what its source says is worth less than one that repeats it. */
static void read_date(struct reader *reader, const char *field, const json_t *value, unsigned which)
{
    const char *text = reader_text(reader, field, value);
    if (!text) {
        return;
    }
    size_t length = strlen(text);
    bool right = (length == 7 || length == 10) && digits(text, 0, 4) && text[4] == '-' &&
                 digits(text, 5, 7) && (length == 7 || (text[7] == '-' && digits(text, 8, 10)));
    if (!right) {
        reader_error(reader, text, "'%s': '%s' is no date; wanted 2025-06 or 2025-06-16", field,
                     text);
        return;
    }
    reader->entry->word[which] = memory_copy(text);
}

static void read_count(struct reader *reader, const char *field, const json_t *value,
                       unsigned which)
{
    (void)reader_number(reader, field, value, &reader->entry->number[which]);
}

static void read_mode(struct reader *reader, const char *field, const json_t *value, unsigned which)
{
    (void)which;
    const char *words[REGISTRY_MODE_COUNT - 1];
    const char *text = reader_text(reader, field, value);
    for (unsigned i = 1; text && i < REGISTRY_MODE_COUNT; i++) {
        words[i - 1] = registry_mode_name(i);
        if (strcmp(text, words[i - 1]) == 0) {
            reader->entry->mode = (uint8_t)i;
            return;
        }
    }
    if (text) {
        reader_unknown(reader, "mode", text, words, REGISTRY_MODE_COUNT - 1);
    }
}

/* A list of texts; NULL is given back for an element that is none. */
static bool reader_list(struct reader *reader, const char *field, const json_t *value)
{
    if (!json_is_array(value)) {
        reader_error(reader, field, "'%s' must be a list of texts, such as [\"text\"]", field);
        return false;
    }
    return true;
}

static void read_modalities(struct reader *reader, const char *field, const json_t *value,
                            unsigned which)
{
    const char *words[REGISTRY_MODALITY_COUNT];
    for (unsigned i = 0; i < REGISTRY_MODALITY_COUNT; i++) {
        words[i] = registry_modality_name(i);
    }
    for (size_t k = 0; reader_list(reader, field, value) && k < json_array_size(value); k++) {
        const char *text = reader_text(reader, field, json_array_get(value, k));
        unsigned bit = 0;
        while (text && bit < REGISTRY_MODALITY_COUNT && strcmp(text, words[bit]) != 0) {
            bit++;
        }
        if (bit == REGISTRY_MODALITY_COUNT) {
            reader_unknown(reader, "kind of input or output", text, words, REGISTRY_MODALITY_COUNT);
        } else if (text) {
            *(which == 0 ? &reader->entry->inputs : &reader->entry->outputs) |=
                (uint8_t)(1u << bit);
        }
    }
}

static void read_caps(struct reader *reader, const char *field, const json_t *value, unsigned which)
{
    for (size_t k = 0; reader_list(reader, field, value) && k < json_array_size(value); k++) {
        uint32_t bit = 0;
        const char *text = reader_text(reader, field, json_array_get(value, k));
        if (text && !entry_names_bit(reader->names, text, &bit)) {
            reader_error(reader, text, "capability '%s' would be number %d; %d at most", text,
                         REGISTRY_CAPABILITIES + 1, REGISTRY_CAPABILITIES);
        } else if (text) {
            *(which == 0 ? &reader->entry->caps_yes : &reader->entry->caps_no) |= bit;
        }
        if (text && (reader->entry->caps_yes & reader->entry->caps_no) != 0) {
            reader_error(reader, text, "capability '%s' is stated both true and false", text);
            reader->entry->caps_no &= ~reader->entry->caps_yes;
        }
    }
}

static void read_sources(struct reader *reader, const char *field, const json_t *value,
                         unsigned which)
{
    char *all = NULL;
    for (size_t k = 0; reader_list(reader, field, value) && k < json_array_size(value); k++) {
        const char *text = reader_text(reader, field, json_array_get(value, k));
        if (text) {
            char *longer = all ? memory_format("%s, %s", all, text) : memory_copy(text);
            free(all);
            all = longer;
        }
    }
    reader->entry->word[which] = all;
}

static void read_price(struct reader *reader, const char *field, const json_t *value,
                       unsigned which);

struct field {
    const char *name;
    field_read *read;
    unsigned which;
};

static const struct field fields[] = {
    {"provider", read_key_part, 0},
    {"id", read_key_part, 1},
    {"name", read_name, 0},
    {"family", read_word, ENTRY_FAMILY},
    {"mode", read_mode, 0},
    {"context", read_count, ENTRY_CONTEXT},
    {"max_output", read_count, ENTRY_MAX_OUTPUT},
    {"in", read_modalities, 0},
    {"out", read_modalities, 1},
    {"caps", read_caps, 0},
    {"no", read_caps, 1},
    {"price", read_price, 0},
    {"knowledge", read_date, ENTRY_KNOWLEDGE},
    {"released", read_date, ENTRY_RELEASED},
    {"updated", read_date, ENTRY_UPDATED},
    {"retires", read_date, ENTRY_RETIRES},
    {"status", read_word, ENTRY_STATUS},
    {"set", read_word, ENTRY_SET},
    {"src", read_sources, ENTRY_SOURCES},
};
#define FIELDS (sizeof fields / sizeof fields[0])

static const char *const prices[] = {"input", "output", "cache_read", "cache_write", "dynamic"};
#define PRICES (sizeof prices / sizeof prices[0])

static void read_price(struct reader *reader, const char *field, const json_t *value,
                       unsigned which)
{
    (void)which;
    if (!json_is_object(value)) {
        reader_error(reader, field, "'%s' must be a mapping, such as {\"input\": 150000}", field);
        return;
    }
    const char *name = NULL;
    json_t *part = NULL;
    json_object_foreach((json_t *)value, name, part)
    {
        unsigned i = 0;
        while (i < PRICES && strcmp(name, prices[i]) != 0) {
            i++;
        }
        if (i == PRICES) {
            reader_unknown(reader, "price", name, prices, PRICES);
        } else if (i < PRICES - 1) {
            (void)reader_number(reader, name, part, &reader->entry->number[ENTRY_INPUT + i]);
        } else if (!json_is_boolean(part)) {
            reader_error(reader, name, "'dynamic' must be true or false");
        } else {
            reader->entry->price_dynamic = json_is_true(part);
        }
    }
}

static void reader_fields(struct reader *reader, json_t *root)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(root, name, value)
    {
        unsigned i = 0;
        while (i < FIELDS && strcmp(name, fields[i].name) != 0) {
            i++;
        }
        if (i < FIELDS) {
            fields[i].read(reader, name, value, fields[i].which);
            continue;
        }
        const char *names[FIELDS];
        for (i = 0; i < FIELDS; i++) {
            names[i] = fields[i].name;
        }
        reader_unknown(reader, "field", name, names, FIELDS);
    }
}

static void entry_clear(struct entry *entry, unsigned line)
{
    *entry = (struct entry){.line = line};
    for (unsigned i = 0; i < ENTRY_NUMBER_COUNT; i++) {
        entry->number[i] = ENTRY_UNKNOWN;
    }
}

static void entry_set_key(struct entry *entry, const char *provider, const char *id)
{
    entry->key = memory_format("%s:%s", provider, id);
    entry->provider_length = (uint32_t)strlen(provider);
    entry->key_length = (uint32_t)strlen(entry->key);
}

void entry_init(struct entry *entry, const char *provider, const char *id)
{
    entry_clear(entry, 0);
    entry_set_key(entry, provider, id);
}

bool entry_read(struct entry *entry, const char *text, size_t length, const char *file,
                unsigned line, struct entry_names *names, struct diag *diag)
{
    struct reader reader = {entry, text, file, line, length, names, diag, true};
    json_t *root = NULL;
    entry_clear(entry, line);
    if (length < 2 || memcmp(text, "- ", 2) != 0) {
        int shown = length < 24 ? (int)length : 24;
        diag_add(diag, file, line, 1, "wanted '- {...}', one model a line, not '%.*s'", shown,
                 text);
        return false;
    }
    json_error_t error;
    root = json_loadb(text + 2, length - 2, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        diag_add(diag, file, line, (unsigned)(error.column > 0 ? error.column : 1) + 2, "%s",
                 error.text);
        return false;
    }
    const char *provider = json_string_value(json_object_get(root, "provider"));
    const char *id = json_string_value(json_object_get(root, "id"));
    if (!json_is_object(root)) {
        diag_add(diag, file, line, 3, "a model is a mapping: - {\"provider\": ..., \"id\": ...}");
        reader.ok = false;
    } else {
        reader_fields(&reader, root);
        if (!json_object_get(root, "provider") || !json_object_get(root, "id")) {
            diag_add(diag, file, line, 3, "a model needs 'provider' and 'id'");
            reader.ok = false;
        }
    }
    if (reader.ok) {
        assert(provider && id);
        entry_set_key(entry, provider, id);
        if (entry->key_length > REGISTRY_KEY_MOST) {
            reader_error(&reader, "provider", "the key is %u bytes long; at most %d",
                         entry->key_length, REGISTRY_KEY_MOST);
        }
    }
    json_decref(root);
    if (!reader.ok) {
        entry_fini(entry);
    }
    return reader.ok;
}

void entry_fini(struct entry *entry)
{
    free(entry->key);
    free(entry->name);
    for (unsigned i = 0; i < ENTRY_WORD_COUNT; i++) {
        free(entry->word[i]);
    }
    *entry = (struct entry){0};
}

bool entry_names_bit(struct entry_names *names, const char *name, uint32_t *bit)
{
    for (unsigned i = 0; i < names->count; i++) {
        if (strcmp(names->name[i], name) == 0) {
            *bit = UINT32_C(1) << i;
            return true;
        }
    }
    if (names->count == REGISTRY_CAPABILITIES) {
        return false;
    }
    *bit = UINT32_C(1) << names->count;
    names->name[names->count++] = memory_copy(name);
    return true;
}

void entry_names_fini(struct entry_names *names)
{
    for (unsigned i = 0; i < names->count; i++) {
        free(names->name[i]);
    }
    *names = (struct entry_names){.count = 0};
}
