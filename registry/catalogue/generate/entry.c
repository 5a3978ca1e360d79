/* entry.c - see entry.h. Build time only. */
#include "registry/catalogue/generate/entry.h"

#include "harness/base/memory.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct entry *entry;
    const struct schema *schema;
    const char *text;
    const char *file;
    unsigned line;
    size_t length;
    struct entry_names *names;
    struct diag *diag;
    bool ok;
};

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

static bool is_text(enum registry_field_type type)
{
    return type == REGISTRY_FIELD_TEXT || type == REGISTRY_FIELD_WORD ||
           type == REGISTRY_FIELD_DATE || type == REGISTRY_FIELD_LIST;
}

typedef void value_read(struct reader *reader, const struct schema_field *field, const char *name,
                        const json_t *json, union entry_value *value);

static void read_text(struct reader *reader, const struct schema_field *field, const char *name,
                      const json_t *json, union entry_value *value)
{
    (void)field;
    const char *text = reader_text(reader, name, json);
    value->text = text ? memory_copy(text) : NULL;
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
static void read_date(struct reader *reader, const struct schema_field *field, const char *name,
                      const json_t *json, union entry_value *value)
{
    (void)field;
    const char *text = reader_text(reader, name, json);
    if (!text) {
        return;
    }
    size_t length = strlen(text);
    bool right = (length == 7 || length == 10) && digits(text, 0, 4) && text[4] == '-' &&
                 digits(text, 5, 7) && (length == 7 || (text[7] == '-' && digits(text, 8, 10)));
    if (!right) {
        reader_error(reader, text, "'%s': '%s' is no date; wanted 2025-06 or 2025-06-16", name,
                     text);
        return;
    }
    value->text = memory_copy(text);
}

static void read_number(struct reader *reader, const struct schema_field *field, const char *name,
                        const json_t *json, union entry_value *value)
{
    (void)field;
    if (!json_is_integer(json) || json_integer_value(json) < 0) {
        reader_error(reader, name, "'%s' must be a whole number, 0 or more", name);
        return;
    }
    value->number = (uint64_t)json_integer_value(json);
}

static void read_integer(struct reader *reader, const struct schema_field *field, const char *name,
                         const json_t *json, union entry_value *value)
{
    (void)field;
    if (!json_is_integer(json) || json_integer_value(json) == REGISTRY_NO_INTEGER) {
        reader_error(reader, name, "'%s' must be a whole number", name);
        return;
    }
    value->number = (uint64_t)json_integer_value(json);
}

/* By rounding: 51.4706 has no exact double, and is meant. */
static void read_decimal(struct reader *reader, const struct schema_field *field, const char *name,
                         const json_t *json, union entry_value *value)
{
    double scale = pow(10, field->digits), number = json_number_value(json) * scale;
    if (!json_is_number(json) || fabs(number) >= 9007199254740992.0) {
        reader_error(reader, name, "'%s' must be a number", name);
        return;
    }
    if (fabs(number - rint(number)) > 1e-3) {
        reader_error(reader, name, "'%s' has more than %u digits behind the point", name,
                     field->digits);
        return;
    }
    value->number = (uint64_t)(int64_t)rint(number);
}

/* The word's number; its count, after a diagnostic. */
static unsigned word_find(struct reader *reader, const struct schema_field *field, const char *text)
{
    unsigned i = 0;
    while (i < field->word_count && strcmp(text, field->words[i]) != 0) {
        i++;
    }
    if (i == field->word_count) {
        reader_unknown(reader, field->what, text, (const char *const *)field->words,
                       field->word_count);
    }
    return i;
}

static void read_enum(struct reader *reader, const struct schema_field *field, const char *name,
                      const json_t *json, union entry_value *value)
{
    const char *text = reader_text(reader, name, json);
    unsigned word = text ? word_find(reader, field, text) : field->word_count;
    value->number = word < field->word_count ? word + 1 : 0;
}

/* A list of texts; false after a diagnostic. */
static bool reader_list(struct reader *reader, const char *field, const json_t *value)
{
    if (!json_is_array(value)) {
        reader_error(reader, field, "'%s' must be a list of texts, such as [\"text\"]", field);
        return false;
    }
    return true;
}

static void read_set(struct reader *reader, const struct schema_field *field, const char *name,
                     const json_t *json, union entry_value *value)
{
    for (size_t k = 0; reader_list(reader, name, json) && k < json_array_size(json); k++) {
        const char *text = reader_text(reader, name, json_array_get(json, k));
        unsigned word = text ? word_find(reader, field, text) : field->word_count;
        value->number |= word < field->word_count ? UINT64_C(1) << word : 0;
    }
}

/* Under the field's own name those stated true, under its `denied` those stated false. */
static void read_names(struct reader *reader, const struct schema_field *field, const char *name,
                       const json_t *json, union entry_value *value)
{
    bool denied = field->denied && strcmp(name, field->denied) == 0;
    for (size_t k = 0; reader_list(reader, name, json) && k < json_array_size(json); k++) {
        uint32_t bit = 0;
        const char *text = reader_text(reader, name, json_array_get(json, k));
        if (text && !entry_names_bit(reader->names, text, &bit)) {
            reader_error(reader, text, "%s '%s' would be number %d; %d at most", field->what, text,
                         REGISTRY_CAPABILITIES + 1, REGISTRY_CAPABILITIES);
        } else if (text) {
            value->number |= denied ? (uint64_t)bit << 32 : bit;
        }
        if (text && (value->number & value->number >> 32 & UINT32_MAX) != 0) {
            reader_error(reader, text, "%s '%s' is stated both true and false", field->what, text);
            value->number &= UINT32_MAX;
        }
    }
}

static void read_list(struct reader *reader, const struct schema_field *field, const char *name,
                      const json_t *json, union entry_value *value)
{
    char *all = NULL;
    (void)field;
    for (size_t k = 0; reader_list(reader, name, json) && k < json_array_size(json); k++) {
        const char *text = reader_text(reader, name, json_array_get(json, k));
        if (text) {
            char *longer = all ? memory_format("%s, %s", all, text) : memory_copy(text);
            free(all);
            all = longer;
        }
    }
    value->text = all;
}

static void read_flag(struct reader *reader, const struct schema_field *field, const char *name,
                      const json_t *json, union entry_value *value)
{
    (void)field;
    if (!json_is_boolean(json)) {
        reader_error(reader, name, "'%s' must be true or false", name);
        return;
    }
    value->number = json_is_true(json);
}

static value_read *const readers[REGISTRY_FIELD_TYPES] = {
    [REGISTRY_FIELD_TEXT] = read_text,       [REGISTRY_FIELD_WORD] = read_text,
    [REGISTRY_FIELD_DATE] = read_date,       [REGISTRY_FIELD_LIST] = read_list,
    [REGISTRY_FIELD_NUMBER] = read_number,   [REGISTRY_FIELD_INTEGER] = read_integer,
    [REGISTRY_FIELD_DECIMAL] = read_decimal, [REGISTRY_FIELD_ENUM] = read_enum,
    [REGISTRY_FIELD_SET] = read_set,         [REGISTRY_FIELD_NAMES] = read_names,
    [REGISTRY_FIELD_FLAG] = read_flag,
};

/* Members of the line, or of a mapping in it: then `group` is the mapping's name. ---------------
 */

#define NAMES_MOST (2 * SCHEMA_FIELDS_MOST + 2)

/* What a field, or its list of what is denied, is called here; NULL: it does not belong here. */
static const char *name_here(const char *name, const char *group)
{
    const char *point = strchr(name, '.');
    size_t length = point ? (size_t)(point - name) : 0;
    if (!group) {
        return point ? NULL : name;
    }
    return point && strlen(group) == length && memcmp(name, group, length) == 0 ? point + 1 : NULL;
}

/* All names that may stand here, mappings' names among them. */
static size_t names_list(const struct schema *schema, const char *group, const char **names,
                         char mappings[][SCHEMA_NAME_MOST + 1])
{
    size_t count = 0, maps = 0;
    for (unsigned i = 0; !group && i < schema->key_count; i++) {
        names[count++] = schema->key[i];
    }
    for (unsigned i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        const char *name = name_here(field->name, group), *point = strchr(field->name, '.');
        if (name) {
            names[count++] = name;
        }
        if (!group && field->denied) {
            names[count++] = field->denied;
        }
        if (!group && point) {
            snprintf(mappings[maps], sizeof mappings[maps], "%.*s", (int)(point - field->name),
                     field->name);
            names[count++] = mappings[maps++];
        }
    }
    return count;
}

static void unknown_name(struct reader *reader, const char *name, const char *group)
{
    const char *names[NAMES_MOST];
    char mappings[SCHEMA_FIELDS_MOST][SCHEMA_NAME_MOST + 1];
    size_t count = names_list(reader->schema, group, names, mappings);
    reader_unknown(reader, group ? group : "field", name, names, count);
}

static bool is_mapping(const struct schema *schema, const char *name)
{
    size_t length = strlen(name);
    for (unsigned i = 0; i < schema->count; i++) {
        const char *own = schema->fields[i].name;
        if (strncmp(own, name, length) == 0 && own[length] == '.') {
            return true;
        }
    }
    return false;
}

/* Both parts are put together by entry_read; here they are only checked. */
static bool read_key_part(struct reader *reader, const char *name, const json_t *json)
{
    const struct schema *schema = reader->schema;
    for (unsigned i = 0; i < schema->key_count; i++) {
        if (strcmp(name, schema->key[i]) == 0) {
            const char *text = reader_text(reader, name, json);
            if (text && i == 0 && schema->key_count == 2 && strchr(text, ':')) {
                reader_error(reader, text, "%s '%s' holds a colon, where keys are split", name,
                             text);
            }
            return true;
        }
    }
    return false;
}

static void reader_members(struct reader *reader, json_t *root, const char *group);

static void read_mapping(struct reader *reader, const char *name, json_t *json)
{
    const char *names[NAMES_MOST];
    char mappings[SCHEMA_FIELDS_MOST][SCHEMA_NAME_MOST + 1];
    if (json_is_object(json)) {
        reader_members(reader, json, name);
        return;
    }
    size_t count = names_list(reader->schema, name, names, mappings);
    assert(count > 0); /* it is one, because a field has its name before the point */
    char *list = memory_copy(names[0]);
    for (size_t i = 1; i < count; i++) {
        char *longer = memory_format("%s, %s", list, names[i]);
        free(list);
        list = longer;
    }
    reader_error(reader, name, "'%s' must be a mapping of %s", name, list);
    free(list);
}

static void reader_members(struct reader *reader, json_t *root, const char *group)
{
    const struct schema *schema = reader->schema;
    const char *name = NULL;
    json_t *json = NULL;
    json_object_foreach(root, name, json)
    {
        unsigned i = 0;
        for (; i < schema->count; i++) {
            const struct schema_field *field = &schema->fields[i];
            const char *own = name_here(field->name, group);
            if ((own && strcmp(own, name) == 0) ||
                (!group && field->denied && strcmp(field->denied, name) == 0)) {
                break;
            }
        }
        if (i < schema->count) {
            readers[schema->fields[i].type](reader, &schema->fields[i], name, json,
                                            &reader->entry->values[i]);
        } else if (!group && is_mapping(schema, name)) {
            read_mapping(reader, name, json);
        } else if (group || !read_key_part(reader, name, json)) {
            unknown_name(reader, name, group);
        }
    }
}

/* The entry. ------------------------------------------------------------------------------------
 */

static void entry_clear(struct entry *entry, const struct schema *schema, unsigned line)
{
    *entry =
        (struct entry){.line = line, .values = memory_new(schema->count, sizeof *entry->values)};
    for (unsigned i = 0; i < schema->count; i++) {
        enum registry_field_type type = schema->fields[i].type;
        if (type == REGISTRY_FIELD_NUMBER) {
            entry->values[i].number = ENTRY_UNKNOWN;
        } else if (type == REGISTRY_FIELD_INTEGER || type == REGISTRY_FIELD_DECIMAL) {
            entry->values[i].number = (uint64_t)REGISTRY_NO_INTEGER;
        }
    }
}

static void entry_set_key(struct entry *entry, const char *first, const char *last)
{
    entry->key = last ? memory_format("%s:%s", first, last) : memory_copy(first);
    entry->provider_length = last ? (uint32_t)strlen(first) : 0;
    entry->key_length = (uint32_t)strlen(entry->key);
}

void entry_init(struct entry *entry, const struct schema *schema, const char *first,
                const char *last)
{
    entry_clear(entry, schema, 0);
    entry_set_key(entry, first, last);
}

/* "a model", "an airport". */
static const char *article(const char *noun)
{
    return strchr("aeiouAEIOU", noun[0]) ? "an" : "a";
}

static void line_read(struct reader *reader, json_t *root)
{
    const struct schema *schema = reader->schema;
    const char *noun = schema->record, *first = schema->key[0], *last = schema->key[1];
    if (!json_is_object(root)) {
        diag_add(reader->diag, reader->file, reader->line, 3,
                 last ? "%s %s is a mapping: - {\"%s\": ..., \"%s\": ...}"
                      : "%s %s is a mapping: - {\"%s\": ...}",
                 article(noun), noun, first, last);
        reader->ok = false;
        return;
    }
    reader_members(reader, root, NULL);
    if (!json_object_get(root, first) || (last && !json_object_get(root, last))) {
        diag_add(reader->diag, reader->file, reader->line, 3,
                 last ? "%s %s needs '%s' and '%s'" : "%s %s needs '%s'", article(noun), noun,
                 first, last);
        reader->ok = false;
    }
    if (reader->ok) {
        const char *a = json_string_value(json_object_get(root, first));
        const char *b = last ? json_string_value(json_object_get(root, last)) : NULL;
        assert(a && (b || !last));
        entry_set_key(reader->entry, a, b);
        if (reader->entry->key_length > REGISTRY_KEY_MOST) {
            reader_error(reader, first, "the key is %u bytes long; at most %d",
                         reader->entry->key_length, REGISTRY_KEY_MOST);
        }
    }
}

bool entry_read(struct entry *entry, const struct schema *schema, const char *text, size_t length,
                const char *file, unsigned line, struct entry_names *names, struct diag *diag)
{
    struct reader reader = {entry, schema, text, file, line, length, names, diag, true};
    json_error_t error;
    if (length < 2 || memcmp(text, "- ", 2) != 0) {
        int shown = length < 24 ? (int)length : 24;
        diag_add(diag, file, line, 1, "wanted '- {...}', one %s a line, not '%.*s'", schema->record,
                 shown, text);
        return false;
    }
    json_t *root = json_loadb(text + 2, length - 2, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        diag_add(diag, file, line, (unsigned)(error.column > 0 ? error.column : 1) + 2, "%s",
                 error.text);
        return false;
    }
    entry_clear(entry, schema, line);
    line_read(&reader, root);
    json_decref(root);
    if (!reader.ok) {
        entry_fini(entry, schema);
    }
    return reader.ok;
}

void entry_fini(struct entry *entry, const struct schema *schema)
{
    for (unsigned i = 0; entry->values && i < schema->count; i++) {
        if (is_text(schema->fields[i].type)) {
            free(entry->values[i].text);
        }
    }
    free(entry->values);
    free(entry->key);
    *entry = (struct entry){0};
}

union entry_value *entry_value(struct entry *entry, const struct schema *schema, const char *field)
{
    unsigned n = schema_find(schema, field);
    assert(n < schema->count);
    return &entry->values[n];
}

const char *entry_text(const struct entry *entry, const struct schema *schema, const char *field)
{
    unsigned n = schema_find(schema, field);
    return n < schema->count && is_text(schema->fields[n].type) ? entry->values[n].text : NULL;
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
