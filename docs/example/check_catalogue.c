/* A catalogue of models behind a cache, and its tests: what docs/tutorial.md looks into. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
    char key[32];
    char text[256 << 10]; /* what the provider sent */
    struct record *next;
};

static struct record *g_cache; /* the latest first */

static struct record *record_load(const char *key)
{
    struct record *record = malloc(sizeof *record);
    snprintf(record->key, sizeof record->key, "%s", key);
    memset(record->text, 'x', sizeof record->text);
    return record;
}

/* Keeps so many records at most. */
static void cache_trim(unsigned most)
{
    struct record **slot = &g_cache;
    while (*slot && most-- > 0) {
        slot = &(*slot)->next;
    }
    while (*slot) {
        struct record *gone = *slot;
        *slot = gone->next;
        free(gone);
    }
}

static const struct record *catalogue_find(const char *key)
{
    for (struct record *record = g_cache; record; record = record->next) {
        if (strcmp(record->key, key) == 0) {
            return record;
        }
    }
    struct record *loaded = record_load(key);
    loaded->next = g_cache;
    g_cache = loaded;
    if (getenv("CATALOGUE_CACHE")) {
        cache_trim((unsigned)atoi(getenv("CATALOGUE_CACHE")));
    }
    return loaded;
}

START_TEST(finds_the_models_of_a_provider)
{
    for (int model = 0; model < 4; model++) {
        char key[32];
        snprintf(key, sizeof key, "provider-%d:model-%d", _i, model);
        ck_assert_str_eq(catalogue_find(key)->key, key);
    }
}
END_TEST

static void teardown(void)
{
    /* the next test may want what is in the cache */
}

int main(void)
{
    Suite *suite = suite_create("catalogue");
    TCase *tcase = tcase_create("providers");
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_loop_test(tcase, finds_the_models_of_a_provider, 0, 200);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
