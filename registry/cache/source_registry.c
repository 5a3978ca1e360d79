/*
 * source_registry.c - see source_registry.h. Runs in the process that looks up; no heap.
 */
#include "registry/cache/source_registry.h"

#include <string.h>

static bool packed_load(void *context, const char *key, size_t length, struct strategy_value *value)
{
    static _Thread_local registry_index index;
    (void)context;
    index = registry_find(key, length);
    *value = (struct strategy_value){.data = &index, .bytes = sizeof index};
    return index != REGISTRY_NONE;
}

static void text_copy(char *field, size_t room, struct registry_text text)
{
    size_t length = text.length < room - 1 ? text.length : room - 1;
    if (length > 0) {
        memcpy(field, text.data, length);
    }
    field[length] = 0; /* the record was zeroed whole */
}

static void capabilities_fill(struct model_record *record, registry_index index)
{
    uint32_t count = registry_capability_count();
    for (uint32_t i = 0; i < count && record->capability_count < MODEL_RECORD_CAPABILITIES; i++) {
        struct model_capability *capability = &record->capabilities[record->capability_count++];
        const char *name = registry_capability_name(i);
        text_copy(capability->name, sizeof capability->name,
                  (struct registry_text){.data = name, .length = (uint32_t)strlen(name)});
        capability->state = registry_capability(index, i);
    }
}

/* Written by hand: with printf it would cost more than all the rest of a look-up together. */
struct document {
    char *text;
    size_t length, room;
};

static void document_add_bytes(struct document *document, const char *bytes, size_t length)
{
    size_t left = document->room - 1 - document->length;
    length = length < left ? length : left;
    memcpy(document->text + document->length, bytes, length);
    document->length += length;
}

static void document_add(struct document *document, const char *text)
{
    document_add_bytes(document, text, strlen(text));
}

static void document_add_name(struct document *document, const char *name)
{
    document_add(document, document->length > 1 ? ",\"" : "\"");
    document_add(document, name);
    document_add(document, "\":");
}

static void document_add_number(struct document *document, const char *name, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    if (number == REGISTRY_UNKNOWN) {
        return;
    }
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    document_add_name(document, name);
    document_add_bytes(document, digits + at, sizeof digits - at);
}

static void document_add_text(struct document *document, const char *name, const char *text)
{
    document_add_name(document, name);
    document_add(document, "\"");
    while (*text) {
        size_t plain = strcspn(text, "\"\\");
        document_add_bytes(document, text, plain);
        text += plain;
        if (*text) {
            document_add(document, "\\");
            document_add_bytes(document, text++, 1);
        }
    }
    document_add(document, "\"");
}

static void document_fill(struct model_record *record)
{
    struct document document = {.text = record->document, .room = sizeof record->document};
    document_add(&document, "{");
    document_add_number(&document, "index", record->index);
    document_add_text(&document, "key", record->key);
    document_add_text(&document, "provider", record->provider);
    document_add_text(&document, "id", record->id);
    document_add_text(&document, "name", record->name);
    document_add_number(&document, "context", record->context);
    document_add_number(&document, "max_output", record->max_output);
    document_add_number(&document, "price_input", record->price_input);
    document_add_number(&document, "price_output", record->price_output);
    document_add_number(&document, "price_cache_read", record->price_cache_read);
    document_add_number(&document, "price_cache_write", record->price_cache_write);
    document_add_text(&document, "released", record->released);
    for (uint32_t i = 0; i < record->capability_count; i++) {
        static const char *const states[] = {"null", "false", "true"};
        document_add_name(&document, record->capabilities[i].name);
        document_add(&document, states[record->capabilities[i].state]);
    }
    document_add(&document, "}");
}

void model_record_fill(struct model_record *record, registry_index index)
{
    struct registry_model model;
    registry_model(index, &model);
    *record = (struct model_record){
        .bytes = sizeof *record,
        .index = index,
        .mode = model.mode,
        .inputs = model.inputs,
        .outputs = model.outputs,
        .context = model.context,
        .max_output = model.max_output,
        .price_input = model.price_input,
        .price_output = model.price_output,
        .price_cache_read = model.price_cache_read,
        .price_cache_write = model.price_cache_write,
        .price_dynamic = model.price_dynamic,
    };
    text_copy(record->key, sizeof record->key, registry_key(index));
    text_copy(record->provider, sizeof record->provider, model.provider);
    text_copy(record->id, sizeof record->id, model.id);
    text_copy(record->name, sizeof record->name, model.name);
    text_copy(record->family, sizeof record->family, model.family);
    text_copy(record->knowledge, sizeof record->knowledge, model.knowledge);
    text_copy(record->released, sizeof record->released, model.released);
    text_copy(record->updated, sizeof record->updated, model.updated);
    text_copy(record->retires, sizeof record->retires, model.retires);
    text_copy(record->status, sizeof record->status, model.status);
    text_copy(record->set, sizeof record->set, model.set);
    capabilities_fill(record, index);
    document_fill(record);
}

static bool materialised_load(void *context, const char *key, size_t length,
                              struct strategy_value *value)
{
    static _Thread_local struct model_record record;
    (void)context;
    registry_index index = registry_find(key, length);
    if (index == REGISTRY_NONE) {
        return false;
    }
    model_record_fill(&record, index);
    *value = (struct strategy_value){.data = &record, .bytes = sizeof record};
    return true;
}

const struct strategy_source source_registry_packed = {
    .name = "packed",
    .load = packed_load,
    .value_bytes_max = sizeof(registry_index),
    .key_bytes_max = 96,
};

const struct strategy_source source_registry_materialised = {
    .name = "materialised",
    .load = materialised_load,
    .value_bytes_max = sizeof(struct model_record),
    .key_bytes_max = 96,
};
