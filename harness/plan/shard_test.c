/* shard_test.c - every test is in one shard, the same one whatever else is listed; balance; words
 * of the command line; schedulers' variables. */
#include "harness/base/suite.h"
#include "harness/plan/shard.h"
#include "harness/plan/shard_protocol.h"

#include <stdio.h>
#include <string.h>

#define TESTS 400

static char ids[TESTS][40];

static void items_fill(struct shard_item items[TESTS], size_t groups_of)
{
    for (size_t i = 0; i < TESTS; i++) {
        snprintf(ids[i], sizeof ids[i], "suite/case%zu/test_%zu", i / groups_of, i);
        items[i] = (struct shard_item){
            .id = ids[i], .group = (uint32_t)(i / groups_of), .time = -1, .memory = -1};
    }
}

START_TEST(each_test_is_in_one_shard_and_no_shard_is_starved)
{
    struct shard_item items[TESTS];
    unsigned count[5] = {0};
    items_fill(items, 1);
    struct shard_map *map = shard_map_new(items, TESTS, 5, false);
    for (size_t i = 0; i < TESTS; i++) {
        unsigned shard = shard_map_find(map, ids[i]);
        ck_assert_uint_ge(shard, 1);
        ck_assert_uint_le(shard, 5);
        count[shard - 1]++;
    }
    for (unsigned s = 0; s < 5; s++) { /* 80 expected, standard deviation 8 */
        ck_assert_uint_gt(count[s], 48);
        ck_assert(shard_map_any(map, s + 1));
    }
    ck_assert(!shard_map_any(map, 0));
    ck_assert(!shard_map_any(map, 6));
    shard_map_free(&map);
    ck_assert_ptr_null(map);
}
END_TEST

START_TEST(a_test_more_moves_no_other_one)
{
    struct shard_item items[TESTS];
    items_fill(items, 1);
    struct shard_map *all = shard_map_new(items, TESTS, 7, false);
    struct shard_map *fewer = shard_map_new(items + 3, TESTS - 3, 7, false);
    for (size_t i = 0; i < TESTS; i++) { /* those that it does not know among them */
        ck_assert_uint_eq(shard_map_find(all, ids[i]), shard_map_find(fewer, ids[i]));
    }
    ck_assert_uint_ne(shard_map_digest(all), shard_map_digest(fewer));
    shard_map_free(&all);
    shard_map_free(&fewer);
}
END_TEST

START_TEST(a_group_stays_together)
{
    struct shard_item items[TESTS];
    items_fill(items, 4);
    for (int balanced = 0; balanced < 2; balanced++) {
        struct shard_map *map = shard_map_new(items, TESTS, 6, balanced);
        for (size_t i = 0; i < TESTS; i++) {
            ck_assert_uint_eq(shard_map_find(map, ids[i]), shard_map_find(map, ids[i / 4 * 4]));
        }
        shard_map_free(&map);
    }
}
END_TEST

START_TEST(the_order_of_the_list_does_not_matter)
{
    struct shard_item items[TESTS], turned[TESTS];
    items_fill(items, 1);
    for (size_t i = 0; i < TESTS; i++) {
        items[i].time = (double)(i % 13);
        items[i].memory = (double)(i % 7);
        turned[TESTS - 1 - i] = items[i];
        turned[TESTS - 1 - i].group = (uint32_t)(TESTS - i);
    }
    for (int balanced = 0; balanced < 2; balanced++) {
        struct shard_map *one = shard_map_new(items, TESTS, 5, balanced);
        struct shard_map *other = shard_map_new(turned, TESTS, 5, balanced);
        ck_assert_uint_eq(shard_map_digest(one), shard_map_digest(other));
        shard_map_free(&one);
        shard_map_free(&other);
    }
}
END_TEST

/* The largest load of a shard, as a part of what each would have if all had the same. */
static double worst(const struct shard_map *map, const struct shard_item *items, unsigned shards,
                    bool memory)
{
    double load[16] = {0}, whole = 0, most = 0;
    for (size_t i = 0; i < TESTS; i++) {
        double cost = memory ? items[i].memory : items[i].time;
        load[shard_map_find(map, items[i].id) - 1] += cost;
        whole += cost;
    }
    for (unsigned s = 0; s < shards; s++) {
        most = load[s] > most ? load[s] : most;
    }
    return most * shards / whole;
}

START_TEST(balances_time_and_memory_at_once)
{
    struct shard_item items[TESTS];
    items_fill(items, 1);
    for (size_t i = 0; i < TESTS; i++) { /* the slow ones are small, the large ones fast */
        items[i].time = i % 40 == 0 ? 1000 : 10;
        items[i].memory = i % 40 == 20 ? 5000 : 50;
    }
    struct shard_map *map = shard_map_new(items, TESTS, 8, true);
    /* 10 slow ones on 8 shards cannot be even: two shards have two. */
    ck_assert_double_lt(worst(map, items, 8, false), 1.2);
    ck_assert_double_lt(worst(map, items, 8, true), 1.2);
    shard_map_free(&map);
    struct shard_map *hashed = shard_map_new(items, TESTS, 8, false);
    ck_assert_double_gt(worst(hashed, items, 8, false), 1.3);
    shard_map_free(&hashed);
}
END_TEST

START_TEST(figures_that_are_missing_or_zero_are_no_division)
{
    struct shard_item items[TESTS];
    items_fill(items, 1);
    items[0].time = items[0].memory = 0;
    struct shard_map *map = shard_map_new(items, TESTS, 4, true);
    for (unsigned s = 1; s <= 4; s++) {
        ck_assert(shard_map_any(map, s));
    }
    shard_map_free(&map);
    map = shard_map_new(items, 0, 4, true);
    ck_assert(!shard_map_any(map, 1));
    ck_assert_uint_le(shard_map_find(map, "unknown"), 4);
    shard_map_free(&map);
}
END_TEST

START_TEST(what_cannot_be_parted_is_whole)
{
    struct shard_item items[TESTS];
    items_fill(items, 1);
    struct shard_map *map = shard_map_whole(items, TESTS, 3, 2);
    struct shard_map *other = shard_map_whole(items, TESTS, 3, 3);
    ck_assert_uint_eq(shard_map_find(map, ids[7]), 2);
    ck_assert_uint_eq(shard_map_find(map, "unknown"), 2);
    ck_assert(!shard_map_any(map, 1) && shard_map_any(map, 2) && !shard_map_any(map, 3));
    ck_assert_uint_ne(shard_map_digest(map), shard_map_digest(other));
    shard_map_free(&map);
    shard_map_free(&other);
}
END_TEST

START_TEST(reads_one_of_so_many)
{
    static const struct {
        const char *text;
        unsigned shard, shards; /* 0: refused */
    } rows[] = {
        {"1/1", 1, 1},
        {"2/5", 2, 5},
        {"100000/100000", 100000, 100000},
        {"", 0, 0},
        {"2", 0, 0},
        {"2/", 0, 0},
        {"/5", 0, 0},
        {"0/5", 0, 0},
        {"6/5", 0, 0},
        {"1/0", 0, 0},
        {"-1/5", 0, 0},
        {"1/-5", 0, 0},
        {"1/5 ", 0, 0},
        {" 1/5", 0, 0},
        {"1/100001", 0, 0},
        {"1/99999999999999999999", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned shard = 0, shards = 0;
        const char *error = NULL;
        bool read = shard_parse(rows[i].text, &shard, &shards, &error);
        ck_assert_msg(read == (rows[i].shard > 0), "'%s'", rows[i].text);
        ck_assert_msg(read ? shard == rows[i].shard && shards == rows[i].shards : error != NULL,
                      "'%s'", rows[i].text);
    }
}
END_TEST

/* An environment "A=1 B=2" of the test's own. */
static const char *environment;

static const char *environment_get(const char *name)
{
    static char value[2][64];
    static int turn;
    size_t length = strlen(name);
    for (const char *at = environment; *at; at += strcspn(at, " "), at += *at == ' ') {
        if (strncmp(at, name, length) == 0 && at[length] == '=') {
            turn = !turn;
            snprintf(value[turn], sizeof value[turn], "%.*s", (int)strcspn(at + length + 1, " "),
                     at + length + 1);
            return value[turn];
        }
    }
    return NULL;
}

START_TEST(understands_what_schedulers_say)
{
    static const struct {
        const char *environment;
        enum shard_found found;
        const char *name;
        unsigned shard, shards;
        const char *error; /* a part of it, or NULL for none */
    } rows[] = {
        {"", SHARD_NONE, NULL, 0, 0, NULL},
        {"TEST_TOTAL_SHARDS=3 TEST_SHARD_INDEX=0", SHARD_FOUND, "Bazel", 1, 3, NULL},
        {"GTEST_TOTAL_SHARDS=3 GTEST_SHARD_INDEX=2", SHARD_FOUND, "GoogleTest", 3, 3, NULL},
        {"CI_NODE_INDEX=1 CI_NODE_TOTAL=3", SHARD_FOUND, "GitLab", 1, 3, NULL},
        {"CI_NODE_INDEX=3 CI_NODE_TOTAL=3", SHARD_FOUND, "GitLab", 3, 3, NULL},
        {"CI_NODE_INDEX=0 CI_NODE_TOTAL=3", SHARD_BAD, "GitLab", 0, 0, "counts from 1"},
        {"CIRCLE_NODE_INDEX=0 CIRCLE_NODE_TOTAL=2", SHARD_FOUND, "CircleCI", 1, 2, NULL},
        {"BUILDKITE_PARALLEL_JOB=4 BUILDKITE_PARALLEL_JOB_COUNT=5", SHARD_FOUND, "Buildkite", 5, 5,
         NULL},
        {"SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=0", SHARD_FOUND,
         "Slurm", 1, 4, NULL},
        {"SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=1 "
         "SLURM_ARRAY_TASK_STEP=4",
         SHARD_FOUND, "Slurm", 3, 3, NULL},
        {"SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=1", SHARD_BAD,
         "Slurm", 0, 0, "--shard I/N"}, /* --array=1,3,7 */
        {"JOB_COMPLETION_INDEX=3 JOB_COMPLETIONS=4", SHARD_FOUND, "Kubernetes", 4, 4, NULL},
        {"JOB_COMPLETION_INDEX=3", SHARD_NONE, NULL, 0, 0, "JOB_COMPLETIONS is not"},
        {"JOB_COMPLETION_INDEX=3 CI_NODE_INDEX=1 CI_NODE_TOTAL=3", SHARD_FOUND, "GitLab", 1, 3,
         NULL},
        {"CI_NODE_TOTAL=1", SHARD_NONE, NULL, 0, 0, NULL},
        {"CI_NODE_INDEX=1 CI_NODE_TOTAL=1", SHARD_NONE, NULL, 0, 0, NULL},
        {"TEST_TOTAL_SHARDS=3 TEST_SHARD_INDEX=1 CI_NODE_INDEX=1 CI_NODE_TOTAL=2", SHARD_FOUND,
         "Bazel", 2, 3, NULL},
        {"TEST_TOTAL_SHARDS=3 TEST_SHARD_INDEX=3", SHARD_BAD, "Bazel", 0, 0, "TEST_SHARD_INDEX=3"},
        {"TEST_TOTAL_SHARDS=x TEST_SHARD_INDEX=3", SHARD_BAD, "Bazel", 0, 0, "'x' is not"},
        {"TEST_TOTAL_SHARDS=3 TEST_SHARD_INDEX=-1", SHARD_BAD, "Bazel", 0, 0, "'-1' is not"},
        {"TEST_TOTAL_SHARDS=0 TEST_SHARD_INDEX=0", SHARD_BAD, "Bazel", 0, 0, "from 1 to"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct shard_protocol *protocol = NULL;
        unsigned shard = 0, shards = 0;
        char error[256];
        environment = rows[i].environment;
        enum shard_found found =
            shard_protocol_find(environment_get, &protocol, &shard, &shards, error, sizeof error);
        ck_assert_msg(found == rows[i].found, "%s: %d, %s", environment, found, error);
        if (rows[i].name) {
            ck_assert_str_eq(protocol->name, rows[i].name);
        }
        if (found == SHARD_FOUND) {
            ck_assert_msg(shard == rows[i].shard && shards == rows[i].shards, "%s: %u/%u",
                          environment, shard, shards);
        }
        ck_assert_msg(rows[i].error ? strstr(error, rows[i].error) != NULL : error[0] == '\0',
                      "%s: '%s'", environment, error);
    }
}
END_TEST

SUITE("shard", &each_test_is_in_one_shard_and_no_shard_is_starved, &a_test_more_moves_no_other_one,
      &a_group_stays_together, &the_order_of_the_list_does_not_matter,
      &balances_time_and_memory_at_once, &figures_that_are_missing_or_zero_are_no_division,
      &what_cannot_be_parted_is_whole, &reads_one_of_so_many, &understands_what_schedulers_say)
