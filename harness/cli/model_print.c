/* model_print.c - see model_print.h. Supervisor only. */
#include "harness/cli/model_print.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/result/json_write.h"

#include <inttypes.h>
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

static void put_text(struct text *line, const char *name, struct registry_text value)
{
    if (value.length > 0) {
        char *copy = memory_copy_bytes(value.data, value.length);
        json_text(line, name, copy);
        free(copy);
    }
}

static void put_number(struct text *line, const char *name, uint64_t number)
{
    if (number != REGISTRY_UNKNOWN) {
        json_unsigned(line, name, number);
    }
}

static void put_list(struct text *line, const char *name, uint32_t set, unsigned count,
                     const char *(*word)(unsigned))
{
    if (set == 0) {
        return;
    }
    json_open(line, name, '[');
    for (unsigned i = 0; i < count; i++) {
        if (set >> i & 1) {
            json_text(line, NULL, word(i));
        }
    }
    json_close(line, ']');
}

static const char *modality_word(unsigned number)
{
    return registry_modality_name((enum registry_modality)number);
}

static const char *capability_word(unsigned number)
{
    return registry_capability_name(number);
}

static void put_prices(struct text *line, const struct registry_model *model)
{
    const uint64_t unknown = REGISTRY_UNKNOWN;
    if (model->price_input == unknown && model->price_output == unknown &&
        model->price_cache_read == unknown && model->price_cache_write == unknown &&
        !model->price_dynamic) {
        return;
    }
    json_open(line, "price", '{');
    put_number(line, "input", model->price_input);
    put_number(line, "output", model->price_output);
    put_number(line, "cache_read", model->price_cache_read);
    put_number(line, "cache_write", model->price_cache_write);
    if (model->price_dynamic) {
        json_bool(line, "dynamic", true);
    }
    json_close(line, '}');
}

static void line_begin(struct text *line, const char *type)
{
    json_open(line, NULL, '{');
    json_unsigned(line, "v", 1);
    json_text(line, "type", type);
}

static void line_end(struct text *line, FILE *out)
{
    json_close(line, '}');
    (void)fprintf(out, "%s\n", text_peek(line));
    text_fini(line);
}

void model_json(registry_index index, FILE *out)
{
    struct registry_model model;
    struct text line = {0};
    registry_model(index, &model);
    line_begin(&line, "model");
    put_text(&line, "provider", model.provider);
    put_text(&line, "id", model.id);
    put_text(&line, "name", model.name);
    put_text(&line, "family", model.family);
    if (model.mode != REGISTRY_MODE_UNKNOWN) {
        json_text(&line, "mode", registry_mode_name(model.mode));
    }
    put_number(&line, "context", model.context);
    put_number(&line, "max_output", model.max_output);
    put_list(&line, "in", model.inputs, REGISTRY_MODALITY_COUNT, modality_word);
    put_list(&line, "out", model.outputs, REGISTRY_MODALITY_COUNT, modality_word);
    put_list(&line, "caps", model.caps_yes, registry_capability_count(), capability_word);
    put_list(&line, "no", model.caps_no, registry_capability_count(), capability_word);
    put_prices(&line, &model);
    put_text(&line, "knowledge", model.knowledge);
    put_text(&line, "released", model.released);
    put_text(&line, "updated", model.updated);
    put_text(&line, "retires", model.retires);
    put_text(&line, "status", model.status);
    put_text(&line, "set", model.set);
    put_text(&line, "sources", model.sources);
    line_end(&line, out);
}

void provider_json(struct registry_text name, uint32_t models, FILE *out)
{
    struct text line = {0};
    line_begin(&line, "provider");
    put_text(&line, "name", name);
    json_unsigned(&line, "models", models);
    line_end(&line, out);
}
