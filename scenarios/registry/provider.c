/* provider.c - a provider's models: found by key, listed together. Runs in the test program. */
#include "module.h"
#include "session.h"

#include <check.h>
#include <string.h>

static bool key_of_provider(registry_index index, uint32_t provider)
{
    struct registry_text key = registry_key(index), name = registry_provider_name(provider);
    return key.length > name.length && memcmp(key.data, name.data, name.length) == 0 &&
           (key.data[name.length] == ':' || subject_keys_have_one_part());
}

static void finds_every_model_of(unsigned provider)
{
    registry_index first;
    uint32_t count;
    registry_provider_models(provider, &first, &count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(session_find_model(first + i), first + i);
    }
}

static void lists_together_the_models_of(unsigned provider)
{
    registry_index first;
    uint32_t count, found = 0;
    registry_provider_models(provider, &first, &count);
    ck_assert_uint_gt(count, 0);
    for (registry_index i = 0; i < registry_count(); i++) {
        bool listed = i >= first && i - first < count;
        found += listed;
        ck_assert_msg(key_of_provider(i, provider) == listed, "model %u is %s", i,
                      listed ? "listed, but another's" : "missing from the list");
    }
    ck_assert_uint_eq(found, count);
}

static void finds_by_name_the_provider(unsigned provider)
{
    struct registry_text name = registry_provider_name(provider);
    char longer[300];
    uint32_t number = UINT32_MAX;
    ck_assert(registry_provider_find(name.data, name.length, &number));
    ck_assert_uint_eq(number, provider);
    ck_assert_uint_lt(name.length, sizeof longer);
    memcpy(longer, name.data, name.length);
    longer[name.length] = '\x01';
    ck_assert(!registry_provider_find(longer, name.length + 1u, &number));
}

static void providers_are_in_byte_order(void)
{
    for (uint32_t p = 1; p < registry_provider_count(); p++) {
        struct registry_text a = registry_provider_name(p - 1), b = registry_provider_name(p);
        int order = memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);
        ck_assert(order < 0 || (order == 0 && a.length < b.length));
    }
}

static void providers_share_out_the_catalogue(void)
{
    uint64_t sum = 0;
    for (uint32_t p = 0; p < registry_provider_count(); p++) {
        registry_index first;
        uint32_t count;
        registry_provider_models(p, &first, &count);
        sum += count;
    }
    ck_assert_uint_eq(sum, registry_count());
}

static void an_unknown_provider_is_not_found(void)
{
    uint32_t number;
    ck_assert(!registry_provider_find("no-such-provider", 16, &number));
    ck_assert(registry_provider_find("", 0, &number) == subject_keys_have_one_part());
}

static const struct suite_single singles[] = {
    SINGLE(providers_are_in_byte_order),
    SINGLE(providers_share_out_the_catalogue),
    SINGLE(an_unknown_provider_is_not_found),
};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(finds_every_model_of, subject_providers, label_provider),
    FAMILY(lists_together_the_models_of, subject_providers, label_provider),
    FAMILY(finds_by_name_the_provider, subject_providers, label_provider),
};

MODULE(module_provider, "provider", families);
