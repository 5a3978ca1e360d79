/* model_print.c - see model_print.h. Supervisor only. */
#include "harness/cli/model_print.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

char *model_dollars(char text[MODEL_DOLLARS_BYTES], uint64_t micro)
{
    (void)snprintf(text, MODEL_DOLLARS_BYTES, "%" PRIu64 ".%06u", micro / 1000000,
                   (unsigned)(micro % 1000000));
    /* Two places at least, more where they say something. */
    for (size_t last = strlen(text) - 1; text[last] == '0' && text[last - 2] != '.'; last--) {
        text[last] = '\0';
    }
    return text;
}

static void field_text(const char *name, struct registry_text text, FILE *out)
{
    if (text.length > 0) {
        (void)fprintf(out, "  %-14s %.*s\n", name, (int)text.length, text.data);
    }
}

static void field_tokens(const char *name, uint64_t tokens, FILE *out)
{
    if (tokens != REGISTRY_UNKNOWN) {
        char count[UNIT_TEXT_BYTES];
        (void)fprintf(out, "  %-14s %s tokens\n", name, unit_count(count, (double)tokens));
    }
}

static void field_price(const char *name, uint64_t micro, FILE *out)
{
    if (micro != REGISTRY_UNKNOWN) {
        char dollars[MODEL_DOLLARS_BYTES];
        (void)fprintf(out, "  %-14s $%s per 1M tokens\n", name, model_dollars(dollars, micro));
    }
}

static void modalities_text(struct text *text, uint32_t set)
{
    for (unsigned i = 0; i < REGISTRY_MODALITY_COUNT; i++) {
        if (set >> i & 1) {
            text_format(text, "%s%s", text->length > 0 ? ", " : "", registry_modality_name(i));
        }
    }
}

static void caps_text(struct text *text, uint32_t set)
{
    for (uint32_t i = 0; i < registry_capability_count(); i++) {
        if (set >> i & 1) {
            text_format(text, "%s%s", text->length > 0 ? ", " : "", registry_capability_name(i));
        }
    }
}

static void field_set(const char *name, void (*put)(struct text *, uint32_t), uint32_t set,
                      FILE *out)
{
    struct text text = {0};
    put(&text, set);
    if (text.length > 0) {
        struct text wrapped = {0};
        text_wrap(&wrapped, text.data, 17, 80);
        (void)fprintf(out, "  %-14s %s", name, text_peek(&wrapped) + 17);
        text_fini(&wrapped);
    }
    text_fini(&text);
}

void model_print(registry_index index, bool color, FILE *out)
{
    struct registry_model model;
    struct registry_text key = registry_key(index);
    registry_model(index, &model);
    (void)fprintf(out, "%s%.*s%s\n", table_color_begin(TABLE_BOLD, color), (int)key.length,
                  key.data, table_color_end(TABLE_BOLD, color));
    field_text("name", model.name, out);
    field_text("family", model.family, out);
    if (model.mode != REGISTRY_MODE_UNKNOWN) {
        (void)fprintf(out, "  %-14s %s\n", "mode", registry_mode_name(model.mode));
    }
    field_tokens("context", model.context, out);
    field_tokens("max output", model.max_output, out);
    field_set("takes", modalities_text, model.inputs, out);
    field_set("gives", modalities_text, model.outputs, out);
    field_set("can", caps_text, model.caps_yes, out);
    field_set("cannot", caps_text, model.caps_no, out);
    field_price("input", model.price_input, out);
    field_price("output", model.price_output, out);
    field_price("cache read", model.price_cache_read, out);
    field_price("cache write", model.price_cache_write, out);
    if (model.price_dynamic) {
        (void)fprintf(out, "  %-14s changes from call to call\n", "price");
    }
    field_text("knowledge", model.knowledge, out);
    field_text("released", model.released, out);
    field_text("updated", model.updated, out);
    field_text("retires", model.retires, out);
    field_text("status", model.status, out);
    field_text("set", model.set, out);
    field_text("sources", model.sources, out);
}

void model_columns(struct table *table)
{
    table_column(table, "model", TABLE_LEFT);
    table_column(table, "context", TABLE_RIGHT);
    table_column(table, "max output", TABLE_RIGHT);
    table_column(table, "$/1M in", TABLE_RIGHT);
    table_column(table, "$/1M out", TABLE_RIGHT);
}

void model_row(struct table *table, registry_index index)
{
    struct registry_model model;
    struct registry_text key = registry_key(index);
    registry_model(index, &model);
    char *name = memory_copy_bytes(key.data, key.length);
    char count[UNIT_TEXT_BYTES], dollars[MODEL_DOLLARS_BYTES];
    table_row(table);
    table_cell(table, name);
    const uint64_t tokens[] = {model.context, model.max_output};
    for (unsigned i = 0; i < 2; i++) {
        table_cell(table,
                   tokens[i] == REGISTRY_UNKNOWN ? NULL : unit_count(count, (double)tokens[i]));
    }
    const uint64_t prices[] = {model.price_input, model.price_output};
    for (unsigned i = 0; i < 2; i++) {
        table_cell(table, prices[i] == REGISTRY_UNKNOWN ? NULL : model_dollars(dollars, prices[i]));
    }
    free(name);
}

static void json_put_text(json_t *object, const char *name, struct registry_text text)
{
    if (text.length > 0) {
        (void)json_object_set_new(object, name, json_stringn(text.data, text.length));
    }
}

static void json_put_number(json_t *object, const char *name, uint64_t number)
{
    if (number != REGISTRY_UNKNOWN) {
        (void)json_object_set_new(object, name, json_integer((json_int_t)number));
    }
}

static void json_put_list(json_t *object, const char *name, uint32_t set, unsigned count,
                          const char *(*word)(unsigned))
{
    json_t *list = json_array();
    for (unsigned i = 0; i < count; i++) {
        if (set >> i & 1) {
            (void)json_array_append_new(list, json_string(word(i)));
        }
    }
    if (json_array_size(list) > 0) {
        (void)json_object_set(object, name, list);
    }
    json_decref(list);
}

static const char *modality_word(unsigned number)
{
    return registry_modality_name((enum registry_modality)number);
}

static const char *capability_word(unsigned number)
{
    return registry_capability_name(number);
}

void model_json(registry_index index, FILE *out)
{
    struct registry_model model;
    registry_model(index, &model);
    json_t *object = json_object(), *price = json_object();
    if (!object || !price) {
        memory_die();
    }
    (void)json_object_set_new(object, "v", json_integer(1));
    (void)json_object_set_new(object, "type", json_string("model"));
    json_put_text(object, "provider", model.provider);
    json_put_text(object, "id", model.id);
    json_put_text(object, "name", model.name);
    json_put_text(object, "family", model.family);
    if (model.mode != REGISTRY_MODE_UNKNOWN) {
        (void)json_object_set_new(object, "mode", json_string(registry_mode_name(model.mode)));
    }
    json_put_number(object, "context", model.context);
    json_put_number(object, "max_output", model.max_output);
    json_put_list(object, "in", model.inputs, REGISTRY_MODALITY_COUNT, modality_word);
    json_put_list(object, "out", model.outputs, REGISTRY_MODALITY_COUNT, modality_word);
    json_put_list(object, "caps", model.caps_yes, registry_capability_count(), capability_word);
    json_put_list(object, "no", model.caps_no, registry_capability_count(), capability_word);
    json_put_number(price, "input", model.price_input);
    json_put_number(price, "output", model.price_output);
    json_put_number(price, "cache_read", model.price_cache_read);
    json_put_number(price, "cache_write", model.price_cache_write);
    if (model.price_dynamic) {
        (void)json_object_set_new(price, "dynamic", json_true());
    }
    if (json_object_size(price) > 0) {
        (void)json_object_set(object, "price", price);
    }
    json_decref(price);
    json_put_text(object, "knowledge", model.knowledge);
    json_put_text(object, "released", model.released);
    json_put_text(object, "updated", model.updated);
    json_put_text(object, "retires", model.retires);
    json_put_text(object, "status", model.status);
    json_put_text(object, "set", model.set);
    json_put_text(object, "sources", model.sources);
    (void)json_dumpf(object, out, JSON_COMPACT);
    (void)fputc('\n', out);
    json_decref(object);
}

void provider_json(struct registry_text name, uint32_t models, FILE *out)
{
    json_t *object = json_object();
    if (!object) {
        memory_die();
    }
    (void)json_object_set_new(object, "v", json_integer(1));
    (void)json_object_set_new(object, "type", json_string("provider"));
    json_put_text(object, "name", name);
    json_put_number(object, "models", models);
    (void)json_dumpf(object, out, JSON_COMPACT);
    (void)fputc('\n', out);
    json_decref(object);
}
