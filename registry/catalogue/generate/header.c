/* header.c - see header.h. Build time only. */
#include "registry/catalogue/generate/header.h"

#include "harness/base/memory.h"
#include "harness/base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A name of C: "price.input" is price_input; words of an enum in capitals. */
static void name_put(struct text *text, const char *name, bool capital)
{
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        text_put_char(text, isalnum(c) ? (char)(capital ? toupper(c) : c) : '_');
    }
}

static void member_put(struct text *text, const struct schema_field *field)
{
    static const char *const kinds[REGISTRY_FIELD_TYPES] = {
        [REGISTRY_FIELD_TEXT] = "struct registry_text",
        [REGISTRY_FIELD_WORD] = "struct registry_text",
        [REGISTRY_FIELD_DATE] = "struct registry_text",
        [REGISTRY_FIELD_LIST] = "struct registry_text",
        [REGISTRY_FIELD_NUMBER] = "uint64_t",
        [REGISTRY_FIELD_INTEGER] = "int64_t",
        [REGISTRY_FIELD_DECIMAL] = "int64_t",
        [REGISTRY_FIELD_SET] = "uint32_t",
        [REGISTRY_FIELD_FLAG] = "bool",
    };
    text_put(text, "    ");
    text_put(text, kinds[field->type]);
    text_put_char(text, ' ');
    name_put(text, field->name, false);
    text_put_char(text, ';');
    switch (field->type) {
    case REGISTRY_FIELD_NUMBER:
        text_format(text, " /* %s; REGISTRY_UNKNOWN */", field->unit ? field->unit : "whole");
        break;
    case REGISTRY_FIELD_INTEGER:
        text_format(text, " /* %s; REGISTRY_NO_INTEGER */", field->unit ? field->unit : "whole");
        break;
    case REGISTRY_FIELD_DECIMAL:
        text_format(text, " /* %s, times 10^%u; REGISTRY_NO_INTEGER */",
                    field->unit ? field->unit : "number", field->digits);
        break;
    case REGISTRY_FIELD_DATE:
        text_put(text, " /* \"2025-06\" or \"2025-06-16\" */");
        break;
    case REGISTRY_FIELD_LIST:
        text_put(text, " /* \"a, b\" */");
        break;
    default:
        break;
    }
    text_put_char(text, '\n');
}

/* enum airport_kind kind; uint32_t caps_yes, caps_no; or one of the plain ones. */
static void field_put(struct text *text, const struct schema *schema,
                      const struct schema_field *field)
{
    if (field->type == REGISTRY_FIELD_ENUM) {
        text_format(text, "    enum %s_", schema->record);
        name_put(text, field->name, false);
        text_put_char(text, ' ');
        name_put(text, field->name, false);
        text_put(text, ";\n");
    } else if (field->type == REGISTRY_FIELD_NAMES) {
        text_put(text, "    uint32_t ");
        name_put(text, field->name, false);
        text_put(text, "_yes, ");
        name_put(text, field->name, false);
        text_put(text, "_no; /* bits of registry_image_field_word */\n");
    } else {
        member_put(text, field);
    }
}

static void words_put(struct text *text, const struct schema *schema,
                      const struct schema_field *field)
{
    bool set = field->type == REGISTRY_FIELD_SET;
    text_format(text, "enum %s_", schema->record);
    name_put(text, field->name, false);
    text_put(text, " {\n");
    for (unsigned i = 0; i < field->word_count + !set; i++) {
        const char *word = set ? field->words[i] : i == 0 ? "unknown" : field->words[i - 1];
        text_put(text, "    ");
        name_put(text, schema->record, true);
        text_put_char(text, '_');
        name_put(text, field->name, true);
        text_put_char(text, '_');
        name_put(text, word, true);
        text_format(text, set ? " = 1u << %u,\n" : " = %u,\n", i);
    }
    text_put(text, "};\n\n");
}

static void read_put(struct text *text, const char *image, const struct schema_field *field)
{
    text_put(text, "    to->");
    name_put(text, field->name, false);
    switch (field->type) {
    case REGISTRY_FIELD_TEXT:
        text_format(text, " = registry_read_text(&%s, at + %u);\n", image, field->at);
        break;
    case REGISTRY_FIELD_WORD:
    case REGISTRY_FIELD_DATE:
    case REGISTRY_FIELD_LIST:
        text_format(text, " = registry_read_word(&%s, at + %u);\n", image, field->at);
        break;
    case REGISTRY_FIELD_NUMBER:
        text_format(text, " = registry_read_number(&%s, at + %u);\n", image, field->at);
        break;
    case REGISTRY_FIELD_INTEGER:
    case REGISTRY_FIELD_DECIMAL:
        text_format(text, " = registry_read_integer(at + %u);\n", field->at);
        break;
    case REGISTRY_FIELD_NAMES:
        text_format(text, "_yes = registry_read_bits(at + %u);\n    to->", field->at);
        name_put(text, field->name, false);
        text_format(text, "_no = registry_read_bits(at + %u);\n", field->at + 4);
        break;
    case REGISTRY_FIELD_ENUM:
    case REGISTRY_FIELD_SET:
    case REGISTRY_FIELD_TYPES:
        text_format(text, " = at[%u];\n", field->at);
        break;
    case REGISTRY_FIELD_FLAG:
        text_format(text, " = at[%u] != 0;\n", field->at);
        break;
    }
}

static void functions_put(struct text *text, const struct schema *schema, const char *symbol)
{
    const char *noun = schema->record;
    text_format(text,
                "static inline uint32_t %s_count(void)\n{\n"
                "    return registry_image_count(&%s);\n}\n\n",
                noun, symbol);
    text_format(text,
                "/* REGISTRY_NONE: there is no such key. */\n"
                "static inline registry_index %s_find(const char *key, size_t length)\n{\n"
                "    return registry_image_find_inline(&%s, key, length);\n}\n\n",
                noun, symbol);
    text_format(text,
                "static inline void %s_get(registry_index index, struct %s *to)\n{\n"
                "    const unsigned char *at = registry_image_record(&%s, index);\n",
                noun, noun, symbol);
    if (schema->key_count == 1) {
        text_format(text, "    to->%s = registry_image_key(&%s, index);\n", schema->key[0], symbol);
    } else {
        text_format(text, "    registry_image_key_parts(&%s, index, &to->%s, &to->%s);\n", symbol,
                    schema->key[0], schema->key[1]);
    }
    for (unsigned i = 0; i < schema->count; i++) {
        read_put(text, symbol, &schema->fields[i]);
    }
    text_put(text, "}\n\n");
}

char *header_text(const struct schema *schema, const char *symbol, const char *source)
{
    struct text text = {0};
    const char *slash = strrchr(source, '/');
    text_format(
        &text,
        "/* The %s of %s, made by registry-generate: do not edit. Texts are borrowed and not\n"
        " * NUL-terminated; what the catalogue does not state is an empty text, or as said. */\n",
        schema->records, slash ? slash + 1 : source);
    text_put(&text, "#ifndef ");
    name_put(&text, symbol, true);
    text_put(&text, "_H\n#define ");
    name_put(&text, symbol, true);
    text_put(&text,
             "_H\n\n#include \"registry/field.h\"\n#include \"registry/registry_inline.h\"\n\n");
    text_format(
        &text, "extern const struct registry_image %s __attribute__((visibility(\"hidden\")));\n\n",
        symbol);
    for (unsigned i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        if (field->type == REGISTRY_FIELD_ENUM || field->type == REGISTRY_FIELD_SET) {
            words_put(&text, schema, field);
        }
    }
    text_format(&text, "struct %s {\n    struct registry_text ", schema->record);
    for (unsigned i = 0; i < schema->key_count; i++) {
        text_format(&text, "%s%s", i ? ", " : "", schema->key[i]);
    }
    text_put(&text, ";\n");
    for (unsigned i = 0; i < schema->count; i++) {
        field_put(&text, schema, &schema->fields[i]);
    }
    text_put(&text, "};\n\n");
    functions_put(&text, schema, symbol);
    text_put(&text, "#endif\n");
    return text_take(&text);
}
