/* model.c - what a record says of its model makes sense. Runs in the test program. */
#include "module.h"
#include "registry/cache/source_registry.h"
#include "session.h"

#include <check.h>
#include <string.h>

static void text_is_sane(struct registry_text text)
{
    ck_assert(text.length == 0 || text.data != NULL);
    ck_assert_uint_lt(text.length, 4096);
}

static void model_is_sane(registry_index index)
{
    struct registry_model model;
    struct registry_text key = registry_key(index);
    registry_model(index, &model);
    uint32_t skip = 0;
    if (!subject_keys_have_one_part()) {
        skip = model.provider.length + 1;
        ck_assert_int_eq(memcmp(key.data, model.provider.data, model.provider.length), 0);
        ck_assert_int_eq(key.data[model.provider.length], ':');
    }
    ck_assert_uint_eq(key.length, skip + model.id.length);
    ck_assert_int_eq(memcmp(key.data + skip, model.id.data, model.id.length), 0);
    ck_assert_int_lt(model.mode, REGISTRY_MODE_COUNT);
    ck_assert_uint_eq(model.caps_yes & model.caps_no, 0);
    text_is_sane(model.name);
    text_is_sane(model.family);
    text_is_sane(model.knowledge);
    text_is_sane(model.released);
    text_is_sane(model.updated);
    text_is_sane(model.retires);
    text_is_sane(model.status);
    text_is_sane(model.set);
}

static void records_make_sense_of(unsigned provider)
{
    registry_index first;
    uint32_t count;
    registry_provider_models(provider, &first, &count);
    for (uint32_t i = 0; i < count; i++) {
        model_is_sane(first + i);
        ck_assert_uint_eq(session_find_model(first + i), first + i);
    }
}

static void copies_equal_the_records_of(unsigned provider)
{
    static struct model_record record;
    registry_index first;
    uint32_t count;
    registry_provider_models(provider, &first, &count);
    for (uint32_t i = 0; i < count; i += count / 32 + 1) {
        struct registry_model model;
        registry_model(first + i, &model);
        model_record_fill(&record, first + i);
        ck_assert_uint_eq(record.index, first + i);
        ck_assert_int_eq(record.mode, model.mode);
        ck_assert_uint_eq(record.context, model.context);
        ck_assert_uint_eq(record.max_output, model.max_output);
        ck_assert_uint_eq(record.price_input, model.price_input);
        ck_assert_uint_eq(record.price_output, model.price_output);
        ck_assert_uint_eq(record.bytes, sizeof record);
        ck_assert_int_eq(strncmp(record.id, model.id.data, strlen(record.id)), 0);
    }
}

static bool is_date(struct registry_text text)
{
    bool ok = text.length == 7 || text.length == 10;
    for (uint32_t i = 0; ok && i < text.length; i++) {
        ok = i == 4 || i == 7 ? text.data[i] == '-' : text.data[i] >= '0' && text.data[i] <= '9';
    }
    return ok;
}

static void dates_keep_their_precision(void)
{
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_model model;
        registry_model(i, &model);
        struct registry_text dates[] = {model.knowledge, model.released, model.updated,
                                        model.retires};
        for (size_t d = 0; d < sizeof dates / sizeof dates[0]; d++) {
            ck_assert_msg(dates[d].length == 0 || is_date(dates[d]), "model %u: '%.*s'", i,
                          (int)dates[d].length, dates[d].data ? dates[d].data : "");
        }
    }
}

static void records_do_not_move(void)
{
    for (registry_index i = 0; i < registry_count(); i += 101) {
        ck_assert_ptr_eq(registry_key(i).data, registry_key(i).data);
        struct registry_model a, b;
        registry_model(i, &a);
        registry_model(i, &b);
        ck_assert_ptr_eq(a.name.data, b.name.data);
    }
}

static void some_models_state_every_kind_of_fact(void)
{
    bool price = false, context = false, capability = false, free_of_charge = false;
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_model model;
        registry_model(i, &model);
        price |= model.price_input != REGISTRY_UNKNOWN;
        context |= model.context != REGISTRY_UNKNOWN;
        capability |= model.caps_yes != 0;
        free_of_charge |= model.price_input == 0;
    }
    ck_assert((price && context && capability && free_of_charge) || !subject_models());
}

static const struct suite_single singles[] = {
    SINGLE(dates_keep_their_precision),
    SINGLE(records_do_not_move),
    SINGLE(some_models_state_every_kind_of_fact),
};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(records_make_sense_of, subject_providers, label_provider),
    FAMILY(copies_equal_the_records_of, subject_providers, label_provider),
};

MODULE(module_model, "model", families);
