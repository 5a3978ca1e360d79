/* schema.c - see schema.h. Build time only. */
#include "registry/catalogue/generate/schema.h"

#include "harness/base/memory.h"
#include "harness/scenario/node.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The model catalogue's, as it stands in the file. */
extern const char model_schema[], model_schema_end[];
__asm__(".pushsection .rodata\n"
        "model_schema:\n"
        ".incbin \"registry/catalogue/model.yaml\"\n"
        "model_schema_end:\n"
        ".byte 0\n"
        ".popsection\n");

static const struct {
    const char *name;
    unsigned bytes;
} types[REGISTRY_FIELD_TYPES] = {
    [REGISTRY_FIELD_TEXT] = {"text", 4},       [REGISTRY_FIELD_WORD] = {"word", 2},
    [REGISTRY_FIELD_DATE] = {"date", 2},       [REGISTRY_FIELD_LIST] = {"list", 2},
    [REGISTRY_FIELD_NUMBER] = {"number", 4},   [REGISTRY_FIELD_INTEGER] = {"integer", 8},
    [REGISTRY_FIELD_DECIMAL] = {"decimal", 8}, [REGISTRY_FIELD_ENUM] = {"enum", 1},
    [REGISTRY_FIELD_SET] = {"set", 1},         [REGISTRY_FIELD_NAMES] = {"names", 8},
    [REGISTRY_FIELD_FLAG] = {"flag", 1},
};

const char *schema_type_name(enum registry_field_type type)
{
    return types[type].name;
}

struct reading {
    struct schema *schema;
    const char *path;
    struct diag *diag;
};

static void complain(const struct reading *reading, const struct node *node, const char *format,
                     ...) __attribute__((format(printf, 3, 4)));

static void complain(const struct reading *reading, const struct node *node, const char *format,
                     ...)
{
    va_list list;
    va_start(list, format);
    char *text = memory_format_list(format, list);
    va_end(list);
    diag_add(reading->diag, reading->path, node ? node->line : 0, node ? node->column : 0, "%s",
             text);
    free(text);
}

static void unknown(const struct reading *reading, const struct node *node, const char *what,
                    const char *const *words, size_t count)
{
    char shown[NODE_SHOWN_BYTES];
    char *near = diag_suggestion(node->text, words, count);
    complain(reading, node, "unknown %s '%s'%s", what, node_shown(node->text, shown), near);
    free(near);
}

static const struct node *child(const struct node *map, const char *key)
{
    for (size_t i = 0; map->kind == NODE_MAP && i + 1 < map->count; i += 2) {
        if (map->items[i]->kind == NODE_SCALAR && strcmp(map->items[i]->text, key) == 0) {
            return map->items[i + 1];
        }
    }
    return NULL;
}

/* A name becomes one of C: letters, digits, underscores; a point between two parts if `dotted`. */
static bool name_is_one(const char *text, bool dotted)
{
    size_t length = strlen(text), points = 0;
    for (size_t i = 0; i < length; i++) {
        bool point = dotted && text[i] == '.' && i > 0 && i + 1 < length;
        points += point;
        if (!(isalpha((unsigned char)text[i]) || text[i] == '_' || point ||
              (i > 0 && text[i - 1] != '.' && isdigit((unsigned char)text[i])))) {
            return false;
        }
    }
    static const char *const taken[] = {
        "auto",  "bool",     "break",  "case",     "char",   "const",    "continue", "default",
        "do",    "double",   "else",   "enum",     "extern", "false",    "float",    "for",
        "goto",  "if",       "inline", "int",      "long",   "register", "restrict", "return",
        "short", "signed",   "sizeof", "static",   "struct", "switch",   "true",     "typedef",
        "union", "unsigned", "void",   "volatile", "while"};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        if (strcmp(text, taken[i]) == 0) {
            return false;
        }
    }
    return length > 0 && length <= SCHEMA_NAME_MOST && points <= 1;
}

static char *name_take(const struct reading *reading, const struct node *node, const char *what,
                       bool dotted)
{
    char shown[NODE_SHOWN_BYTES];
    if (!node || node->kind != NODE_SCALAR || !name_is_one(node->text, dotted)) {
        complain(reading, node,
                 "%s must be a name of letters, digits and '_', and no word of C%s%s%s", what,
                 node && node->kind == NODE_SCALAR ? ", not '" : "",
                 node && node->kind == NODE_SCALAR ? node_shown(node->text, shown) : "",
                 node && node->kind == NODE_SCALAR ? "'" : "");
        return NULL;
    }
    return memory_copy(node->text);
}

static bool scalar(const struct reading *reading, const struct node *node, const char *what)
{
    if (node->kind != NODE_SCALAR || !node->text[0]) {
        complain(reading, node, "'%s' must be a text", what);
        return false;
    }
    return true;
}

static void words_read(const struct reading *reading, struct schema_field *field,
                       const struct node *node)
{
    unsigned most = field->type == REGISTRY_FIELD_SET ? 8 : SCHEMA_WORDS_MOST;
    if (node->kind != NODE_LIST || node->count == 0 || node->count > most) {
        complain(reading, node, "'words' of %s must be a list of 1 to %u words", field->name, most);
        return;
    }
    field->words = memory_new(node->count, sizeof *field->words);
    for (size_t i = 0; i < node->count; i++) {
        const struct node *word = node->items[i];
        if (!scalar(reading, word, "words")) {
            continue;
        }
        for (unsigned k = 0; k < field->word_count; k++) {
            if (strcmp(field->words[k], word->text) == 0) {
                complain(reading, word, "the word '%s' stands there twice", word->text);
            }
        }
        field->words[field->word_count++] = memory_copy(word->text);
    }
}

static void type_read(const struct reading *reading, struct schema_field *field,
                      const struct node *body, const struct node *name)
{
    const struct node *node = child(body, "type");
    const char *names[REGISTRY_FIELD_TYPES];
    for (unsigned i = 0; i < REGISTRY_FIELD_TYPES; i++) {
        names[i] = types[i].name;
        if (node && node->kind == NODE_SCALAR && strcmp(node->text, types[i].name) == 0) {
            field->type = (enum registry_field_type)i;
            return;
        }
    }
    if (!node || node->kind != NODE_SCALAR) {
        complain(reading, name, "the field %s needs a type", field->name);
    } else {
        unknown(reading, node, "type", names, REGISTRY_FIELD_TYPES);
    }
}

/* Does a key of a field's mapping belong to its type? */
static bool key_belongs(const struct schema_field *field, const char *key)
{
    bool words = field->type == REGISTRY_FIELD_ENUM || field->type == REGISTRY_FIELD_SET;
    bool number = field->type == REGISTRY_FIELD_NUMBER || field->type == REGISTRY_FIELD_INTEGER ||
                  field->type == REGISTRY_FIELD_DECIMAL;
    return strcmp(key, "words") == 0    ? words
           : strcmp(key, "digits") == 0 ? field->type == REGISTRY_FIELD_DECIMAL
           : strcmp(key, "denied") == 0 ? field->type == REGISTRY_FIELD_NAMES
           : strcmp(key, "unit") == 0   ? number
                                        : true;
}

static void field_key_read(const struct reading *reading, struct schema_field *field,
                           const struct node *key, const struct node *value)
{
    static const char *const keys[] = {"type",   "unit", "digits", "words",
                                       "denied", "what", "filter"};
    unsigned which = 0;
    while (which < 7 && strcmp(key->text, keys[which]) != 0) {
        which++;
    }
    if (which == 7) {
        unknown(reading, key, "key", keys, 7);
        return;
    }
    if (!key_belongs(field, key->text)) {
        complain(reading, key, "'%s' does not belong to a field of type %s", key->text,
                 types[field->type].name);
        return;
    }
    switch (which) {
    case 1:
        field->unit = scalar(reading, value, "unit") ? memory_copy(value->text) : NULL;
        break;
    case 2:
        if (value->kind != NODE_SCALAR || strlen(value->text) != 1 || value->text[0] < '1' ||
            value->text[0] > '9') {
            complain(reading, value, "'digits' must be 1 to 9");
        } else {
            field->digits = (unsigned)(value->text[0] - '0');
        }
        break;
    case 3:
        words_read(reading, field, value);
        break;
    case 4:
        field->denied = name_take(reading, value, "'denied'", false);
        break;
    case 5:
        field->what = scalar(reading, value, "what") ? memory_copy(value->text) : NULL;
        break;
    case 6:
        if (value->kind != NODE_SCALAR ||
            (strcmp(value->text, "true") != 0 && strcmp(value->text, "false") != 0)) {
            complain(reading, value, "'filter' must be true or false");
        } else {
            field->filter = value->text[0] == 't';
        }
        break;
    default:
        break;
    }
}

/* Equal, or equal in C, where a point is an underscore; or one is the mapping of the other. */
static bool names_clash(const char *a, const char *b)
{
    size_t i = 0;
    while (a[i] && (a[i] == b[i] || (strchr("._", a[i]) && b[i] && strchr("._", b[i])))) {
        i++;
    }
    return (!a[i] && !b[i]) || (!a[i] && b[i] == '.') || (!b[i] && a[i] == '.');
}

static bool name_is_taken(const struct schema *schema, const char *name)
{
    for (unsigned i = 0; i < schema->key_count; i++) {
        if (names_clash(schema->key[i], name)) {
            return true;
        }
    }
    for (unsigned i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        if (names_clash(field->name, name) || (field->denied && names_clash(field->denied, name))) {
            return true;
        }
    }
    return false;
}

static void field_check(const struct reading *reading, const struct schema_field *field,
                        const struct node *name)
{
    if ((field->type == REGISTRY_FIELD_ENUM || field->type == REGISTRY_FIELD_SET) &&
        field->word_count == 0) {
        complain(reading, name, "the field %s needs 'words'", field->name);
    }
    if (field->type == REGISTRY_FIELD_DECIMAL && field->digits == 0) {
        complain(reading, name, "the field %s needs 'digits'", field->name);
    }
    if (field->denied && (name_is_taken(reading->schema, field->denied) ||
                          names_clash(field->name, field->denied))) {
        complain(reading, name, "'%s' is a name already", field->denied);
    }
    for (unsigned i = 0; field->type == REGISTRY_FIELD_NAMES && i < reading->schema->count; i++) {
        if (reading->schema->fields[i].type == REGISTRY_FIELD_NAMES) {
            complain(reading, name, "a second field of names; %s is one already",
                     reading->schema->fields[i].name);
        }
    }
}

static void field_read(const struct reading *reading, const struct node *name,
                       const struct node *body)
{
    struct schema *schema = reading->schema;
    struct schema_field field = {.line = name->line};
    if (schema->count == SCHEMA_FIELDS_MOST) {
        complain(reading, name, "more than %u fields", SCHEMA_FIELDS_MOST);
        return;
    }
    field.name = name_take(reading, name, "a field", true);
    if (!field.name) {
        return;
    }
    if (body->kind != NODE_MAP) {
        complain(reading, body, "the field %s must be a mapping, such as {type: text}", field.name);
        free(field.name);
        return;
    }
    if (name_is_taken(schema, field.name)) {
        complain(reading, name, "'%s' is a name already", field.name);
    }
    type_read(reading, &field, body, name);
    for (size_t i = 0; i + 1 < body->count; i += 2) {
        field_key_read(reading, &field, body->items[i], body->items[i + 1]);
    }
    field_check(reading, &field, name);
    if (!field.what) {
        const char *point = strchr(field.name, '.');
        field.what = memory_copy(point ? point + 1 : field.name);
    }
    schema->fields[schema->count++] = field;
}

static void key_read(const struct reading *reading, const struct node *node)
{
    if (!node || node->kind != NODE_LIST || node->count < 1 || node->count > 2) {
        complain(reading, node, "a schema needs a key of one or two parts, such as key: [iata]");
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        char *name = name_take(reading, node->items[i], "a part of the key", false);
        if (name) {
            reading->schema->key[reading->schema->key_count++] = name;
        }
    }
}

/* airports, statuses, countries. */
static char *plural(const char *noun)
{
    size_t length = strlen(noun);
    char last = noun[length - 1], before = length > 1 ? noun[length - 2] : 'a';
    if (last == 'y' && !strchr("aeiou", before)) {
        return memory_format("%.*sies", (int)length - 1, noun);
    }
    bool hiss = strchr("sx", last) || (last == 'h' && strchr("cs", before));
    return memory_format("%s%s", noun, hiss ? "es" : "s");
}

/* In the order of the fields, each at a multiple of its size; slot and group come first. */
static void layout_make(struct schema *schema)
{
    unsigned at = 8, widest = 4;
    for (unsigned i = 0; i < schema->count; i++) {
        struct schema_field *field = &schema->fields[i];
        unsigned bytes = types[field->type].bytes;
        unsigned align = field->type == REGISTRY_FIELD_NAMES ? 4 : bytes;
        at = (at + align - 1) / align * align;
        field->at = at;
        at += bytes;
        widest = align > widest ? align : widest;
    }
    schema->record_bytes = (at + widest - 1) / widest * widest;
}

static void root_read(const struct reading *reading, const struct node *root)
{
    static const char *const keys[] = {"record", "key", "fields"};
    if (!root || root->kind != NODE_MAP) {
        complain(reading, root, "a schema is a mapping of record, key and fields");
        return;
    }
    for (size_t i = 0; i + 1 < root->count; i += 2) {
        const struct node *key = root->items[i];
        if (strcmp(key->text, keys[0]) != 0 && strcmp(key->text, keys[1]) != 0 &&
            strcmp(key->text, keys[2]) != 0) {
            unknown(reading, key, "key", keys, 3);
        }
    }
    reading->schema->record = name_take(reading, child(root, "record"), "'record'", false);
    if (reading->schema->record) {
        reading->schema->records = plural(reading->schema->record);
    }
    key_read(reading, child(root, "key"));
    const struct node *fields = child(root, "fields");
    if (!fields || fields->kind != NODE_MAP || fields->count == 0) {
        complain(reading, fields ? fields : root, "a schema needs fields: a mapping of names");
        return;
    }
    for (size_t i = 0; i + 1 < fields->count; i += 2) {
        field_read(reading, fields->items[i], fields->items[i + 1]);
    }
}

static bool document_take(struct schema *schema, const char *path, const struct document *document,
                          struct diag *diag)
{
    size_t before = diag->count;
    const struct reading reading = {schema, path, diag};
    root_read(&reading, document->root);
    layout_make(schema);
    return diag->count == before;
}

bool schema_parse(struct schema *schema, const char *path, const char *text, size_t length,
                  struct diag *diag)
{
    struct document document;
    *schema = (struct schema){.count = 0};
    bool ok = document_parse(&document, path, text, length, diag) &&
              document_take(schema, path, &document, diag);
    document_fini(&document);
    return ok;
}

bool schema_read(struct schema *schema, const char *path, struct diag *diag)
{
    struct document document;
    *schema = (struct schema){.count = 0};
    bool ok = document_read(&document, path, diag) && document_take(schema, path, &document, diag);
    document_fini(&document);
    return ok;
}

void schema_fini(struct schema *schema)
{
    free(schema->record);
    free(schema->records);
    free(schema->key[0]);
    free(schema->key[1]);
    for (unsigned i = 0; i < schema->count; i++) {
        struct schema_field *field = &schema->fields[i];
        for (unsigned k = 0; k < field->word_count; k++) {
            free(field->words[k]);
        }
        free(field->words);
        free(field->name);
        free(field->unit);
        free(field->denied);
        free(field->what);
    }
    *schema = (struct schema){.count = 0};
}

unsigned schema_find(const struct schema *schema, const char *name)
{
    unsigned i = 0;
    while (i < schema->count && strcmp(schema->fields[i].name, name) != 0) {
        i++;
    }
    return i;
}

const struct schema *schema_models(void)
{
    static struct schema schema;
    if (!schema.record) {
        struct diag diag;
        diag_init(&diag);
        bool ok = schema_parse(&schema, "model.yaml", model_schema,
                               (size_t)(model_schema_end - model_schema), &diag);
        assert(ok && schema.record_bytes == sizeof(struct registry_record));
        (void)ok;
        diag_fini(&diag);
    }
    return &schema;
}
