/* miss.c - what is not in the catalogue is not found, by any strategy. Runs in the test program. */
#include "module.h"
#include "session.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* Is this key in the catalogue? Told without registry_find, by looking at the provider's models. */
static bool is_listed(const char *key, size_t length)
{
    const char *colon = memchr(key, ':', length);
    uint32_t provider, count;
    registry_index first;
    if (!colon || !registry_provider_find(key, (size_t)(colon - key), &provider)) {
        return false;
    }
    registry_provider_models(provider, &first, &count);
    for (uint32_t i = 0; i < count; i++) {
        struct registry_text other = registry_key(first + i);
        if (other.length == length && memcmp(other.data, key, length) == 0) {
            return true;
        }
    }
    return false;
}

static void agrees_with_the_list(const char *key, size_t length)
{
    ck_assert_int_eq(session_find(key, length) != REGISTRY_NONE, is_listed(key, length));
}

/* Cut, lengthened, and with one bit changed in the first, middle and last byte of the id. */
static void misses_beside_the_models_of(unsigned provider)
{
    registry_index first;
    uint32_t count;
    registry_provider_models(provider, &first, &count);
    uint32_t step = count / 16 + 1;
    for (uint32_t i = 0; i < count; i += step) {
        struct registry_text key = registry_key(first + i);
        uint32_t start = registry_provider_name(provider).length + 1;
        char text[256];
        memcpy(text, key.data, key.length);
        agrees_with_the_list(text, key.length - 1u);
        text[key.length] = '0';
        agrees_with_the_list(text, key.length + 1u);
        uint32_t places[] = {start, (start + key.length) / 2, key.length - 1};
        for (size_t p = 0; p < 3; p++) {
            text[places[p]] = (char)(text[places[p]] ^ 1);
            agrees_with_the_list(text, key.length);
            text[places[p]] = (char)(text[places[p]] ^ 1);
        }
    }
}

static void is_absent(const char *key, size_t length)
{
    ck_assert_uint_eq(session_find(key, length), REGISTRY_NONE);
}

static void the_empty_key_is_absent(void)
{
    is_absent("", 0);
}

static void a_lone_colon_is_absent(void)
{
    is_absent(":", 1);
}

static void a_provider_alone_is_absent(void)
{
    for (uint32_t p = 0; p < registry_provider_count(); p++) {
        struct registry_text name = registry_provider_name(p);
        is_absent(name.data, name.length);
    }
}

static void a_key_with_a_zero_byte_is_absent(void)
{
    struct registry_text key = registry_key(0);
    char text[256];
    memcpy(text, key.data, key.length);
    text[key.length] = 0;
    is_absent(text, key.length + 1u);
    text[key.length / 2] = 0;
    is_absent(text, key.length);
}

static void every_single_byte_is_absent(void)
{
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        is_absent(&byte, 1);
    }
}

static void a_key_longer_than_any_is_absent(void)
{
    static char text[1 << 20];
    memset(text, 'm', sizeof text);
    for (size_t i = 0; i < sizeof "openai:" - 1; i++) {
        text[i] = "openai:"[i];
    }
    ck_assert_uint_eq(registry_find(text, sizeof text), REGISTRY_NONE);
    ck_assert(!session_get(text, sizeof text, NULL));
}

static void ten_thousand_invented_keys_are_absent(void)
{
    char text[64];
    for (unsigned i = 0; i < 10000; i++) {
        int length = snprintf(text, sizeof text, "invented-%u:model-%u", i % 97, i * 2654435761u);
        is_absent(text, (size_t)length);
    }
}

static void another_providers_id_is_absent_or_its_own(void)
{
    char text[512];
    for (uint32_t p = 1; p < registry_provider_count(); p++) {
        registry_index first;
        uint32_t count;
        registry_provider_models(p, &first, &count);
        struct registry_text key = registry_key(first), own = registry_provider_name(p);
        struct registry_text other = registry_provider_name(p - 1);
        memcpy(text, other.data, other.length);
        memcpy(text + other.length, key.data + own.length, key.length - own.length);
        size_t length = other.length + key.length - own.length;
        if (length < 200) {
            agrees_with_the_list(text, length);
        }
    }
}

static const struct suite_single singles[] = {
    SINGLE(the_empty_key_is_absent),
    SINGLE(a_lone_colon_is_absent),
    SINGLE(a_provider_alone_is_absent),
    SINGLE(a_key_with_a_zero_byte_is_absent),
    SINGLE(every_single_byte_is_absent),
    SINGLE(a_key_longer_than_any_is_absent),
    SINGLE(ten_thousand_invented_keys_are_absent),
    SINGLE(another_providers_id_is_absent_or_its_own),
};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(misses_beside_the_models_of, subject_providers, label_provider),
};

MODULE(module_miss, "miss", families);
