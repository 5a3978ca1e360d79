/* tiered_endpoint_test.c - forms and keys: which key has which rule, and which keys an event names.
 */
#include "harness/base/suite.h"
#include "registry/tiered/tiered_endpoint.h"

#include <string.h>

static const struct tiered_endpoint rules[] = {
    {.key = "models", .events = {"models.synced", "admin.sync"}},
    {.key = "user-{userId}", .events = {"user.updated"}},
    {.key = "user-{userId}-page-{page}", .events = {"page.written"}},
    {.key = "list", .events = {"user.updated", "user.created"}},
    {.key = "{a}x{b}"},
    {.key = "half{"},
};
static const struct tiered_endpoints endpoints = {rules, sizeof rules / sizeof rules[0]};

START_TEST(a_key_has_the_first_rule_whose_form_it_fits)
{
    static const struct {
        const char *key;
        int rule; /* -1: none */
    } rows[] = {{"models", 0}, {"model", -1}, {"models2", -1},     {"user-7", 1}, {"user-", -1},
                {"list", 3},   {"axb", 4},    {"axxb", 4},         {"xab", -1},   {"abx", -1},
                {"half{", 5},  {"", -1},      {"user-7-page-2", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct tiered_endpoint *rule =
            tiered_endpoint_find(&endpoints, (struct store_key){rows[i].key, strlen(rows[i].key)});
        ck_assert_msg(rule == (rows[i].rule < 0 ? NULL : &rules[rows[i].rule]), "%s", rows[i].key);
    }
}
END_TEST

static char named[400];

static void name_key(void *unused, const char *key)
{
    (void)unused;
    strcat(strcat(named, key), " ");
}

START_TEST(an_event_names_the_keys_whose_fields_it_has)
{
    static const struct {
        const char *event;
        struct tiered_field fields[2];
        size_t count;
        const char *keys;
    } rows[] = {
        {"models.synced", {{0}}, 0, "models "},
        {"admin.sync", {{0}}, 0, "models "},
        {"user.updated", {{"userId", "7"}}, 1, "user-7 list "},
        {"user.updated", {{0}}, 0, "list "},
        {"user.updated", {{"userId", ""}}, 1, "list "},
        {"user.updated", {{"userid", "7"}}, 1, "list "},
        {"page.written", {{"page", "2"}, {"userId", "7"}}, 2, "user-7-page-2 "},
        {"nothing", {{0}}, 0, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        named[0] = 0;
        size_t keys = tiered_endpoint_keys(&endpoints, rows[i].event, rows[i].fields, rows[i].count,
                                           name_key, NULL),
               spaces = 0;
        for (const char *at = named; *at; at++) {
            spaces += *at == ' ';
        }
        ck_assert_str_eq(named, rows[i].keys);
        ck_assert_uint_eq(keys, spaces);
    }
}
END_TEST

/* A key that would not fit is not cut off: another's key would be invalidated. */
START_TEST(a_value_that_is_too_long_names_no_key)
{
    char value[ENDPOINT_KEY_BYTES];
    memset(value, '7', sizeof value);
    value[sizeof value - 1] = 0;
    named[0] = 0;
    tiered_endpoint_keys(&endpoints, "user.updated", &(struct tiered_field){"userId", value}, 1,
                         name_key, NULL);
    ck_assert_str_eq(named, "list ");
    value[ENDPOINT_KEY_BYTES - 6] = 0; /* "user-" and 250 */
    named[0] = 0;
    tiered_endpoint_keys(&endpoints, "user.updated", &(struct tiered_field){"userId", value}, 1,
                         name_key, NULL);
    ck_assert_uint_eq(strlen(named), 255 + 1 + 5);
}
END_TEST

SUITE("tiered_endpoint", &a_key_has_the_first_rule_whose_form_it_fits,
      &an_event_names_the_keys_whose_fields_it_has, &a_value_that_is_too_long_names_no_key)
