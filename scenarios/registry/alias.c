/* alias.c - other names for a key. Runs in the test program. */
#include "module.h"
#include "session.h"

#include <check.h>
#include <string.h>

static void an_alias_leads_to_a_model_that_its_key_finds(registry_index index)
{
    if (index != REGISTRY_NONE) {
        ck_assert_uint_lt(index, registry_count());
        ck_assert_uint_eq(session_find_model(index), index);
    }
}

/* An id without its provider either names one model of that id, or nothing. */
static void ids_without_their_provider_of(unsigned provider)
{
    registry_index first;
    uint32_t count;
    registry_provider_models(provider, &first, &count);
    for (uint32_t i = 0; i < count; i += count / 16 + 1) {
        struct registry_model model;
        registry_model(first + i, &model);
        an_alias_leads_to_a_model_that_its_key_finds(
            registry_alias_find(model.id.data, model.id.length));
    }
}

static void the_empty_alias_is_not_found(void)
{
    ck_assert_uint_eq(registry_alias_find("", 0), REGISTRY_NONE);
}

static void an_invented_alias_is_not_found(void)
{
    ck_assert_uint_eq(registry_alias_find("no such model at all", 20), REGISTRY_NONE);
}

static void an_alias_is_the_same_every_time(void)
{
    for (registry_index i = 0; i < registry_count(); i += 53) {
        struct registry_model model;
        registry_model(i, &model);
        ck_assert_uint_eq(registry_alias_find(model.id.data, model.id.length),
                          registry_alias_find(model.id.data, model.id.length));
    }
}

static const struct suite_single singles[] = {
    SINGLE(the_empty_alias_is_not_found),
    SINGLE(an_invented_alias_is_not_found),
    SINGLE(an_alias_is_the_same_every_time),
};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(ids_without_their_provider_of, subject_providers, label_provider),
};

MODULE(module_alias, "alias", families);
