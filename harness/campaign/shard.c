/*
 * shard.c - runner_shard: which of its tests a program runs here, when the run is spread over
 * several machines. The tests are learned from the program itself, so every shard knows all of
 * them, and its result can name what another would have had. Supervisor only.
 */
#include "harness/plan/shard.h"

#include "harness/base/memory.h"
#include "harness/result/result_index.h"
#include "harness/campaign/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool session_list(struct session *session, bool *passive)
{
    enum worker_event event;
    *passive = false;
    if (!session_begin(session)) {
        return false;
    }
    while ((event = worker_wait(&session->worker, session->plan->timeout_ns)) == WORKER_READY) {
        if (session->worker.group.count == 0) {
            *passive = true;
            break;
        }
        if (!session_command(session, &(struct wire_command){.op = WIRE_OP_FINISH}, &event)) {
            break;
        }
    }
    worker_fini(&session->worker);
    return session->name_count > 0 || *passive;
}

/* Finds the tests of an earlier result by id and variant. */
struct earlier {
    const struct result *result; /* or NULL */
    struct result_index index;
};

static bool earlier_same(const void *context, uint64_t value, const char *id, const char *variant)
{
    const struct result *result = context;
    return strcmp(result->tests[value].id, id) == 0 &&
           strcmp(result->tests[value].variant, variant) == 0;
}

static void earlier_init(struct earlier *earlier, const struct result *result)
{
    *earlier = (struct earlier){.result = result};
    for (size_t i = 0; result && i < result->test_count; i++) {
        bool fresh;
        result_index_add(&earlier->index, result->tests[i].id, result->tests[i].variant, i,
                         earlier_same, result, &fresh);
    }
}

static const struct result_test *earlier_find(const struct earlier *earlier, const char *id,
                                              const char *variant)
{
    uint64_t at;
    bool found = earlier->result && result_index_find(&earlier->index, id, variant, earlier_same,
                                                      earlier->result, &at);
    return found ? &earlier->result->tests[at] : NULL;
}

static struct shard_item item_of(const struct session_name *name, const struct earlier *earlier,
                                 const char *variant)
{
    struct shard_item item = {.id = name->id, .group = name->group, .time = -1, .memory = -1};
    const struct result_test *test = earlier_find(earlier, name->id, variant);
    if (test && test->wall_ns != RESULT_UNMEASURED) {
        double repetitions = test->repetitions > 0 ? test->repetitions : 1;
        item.time = (double)test->wall_ns * repetitions;
    }
    if (test && test->peak_live_bytes != RESULT_UNMEASURED && test->peak_live_bytes >= 0) {
        item.memory = (double)test->peak_live_bytes;
    }
    return item;
}

/* The tests of each other shard, and the number of those that are ours. */
static void elsewhere_add(const struct plan *plan, const struct plan_variant *variant,
                          const struct shard_item *items, size_t count, struct result *result)
{
    struct result_elsewhere **of = memory_new(plan->shards + 1, sizeof(struct result_elsewhere *));
    size_t *counts = memory_new(plan->shards + 1, sizeof *counts);
    for (size_t i = 0; i < count; i++) {
        counts[shard_map_find(variant->shard, items[i].id)]++;
    }
    memory_grow(&result->elsewhere, &result->elsewhere_room, result->elsewhere_count + plan->shards,
                sizeof result->elsewhere[0]);
    for (unsigned s = 1; s <= plan->shards; s++) { /* there is room: they stay where they are */
        if (counts[s] > 0 && s != plan->shard) {
            of[s] = result_elsewhere_add(result);
            result_set(&of[s]->variant, variant->name);
            of[s]->shard = s;
            of[s]->shards = plan->shards;
            of[s]->tests = memory_new(counts[s], sizeof(char *));
        }
    }
    for (size_t i = 0; i < count; i++) {
        unsigned s = shard_map_find(variant->shard, items[i].id);
        if (s == plan->shard) {
            result->expected++;
        } else {
            of[s]->tests[of[s]->count++] = memory_copy(items[i].id);
        }
    }
    free(of);
    free(counts);
}

/* What one variant's program says of its tests. */
struct listing {
    struct session session;
    struct shard_item *items; /* the wanted ones; their ids are the session's */
    size_t count;
    bool here, passive;
};

static void listing_make(struct listing *listing, const struct plan *plan,
                         const struct plan_variant *variant, const struct runner_options *options,
                         const struct earlier *earlier, struct result *result)
{
    struct session *session = &listing->session;
    session_init(session, plan, variant, options, result);
    session->quiet = true;
    listing->here = !variant->skip[0] && session_list(session, &listing->passive);
    listing->items = memory_new(session->name_count + 1, sizeof *listing->items);
    for (size_t i = 0; i < session->name_count && !listing->passive; i++) {
        if (plan_takes(plan, session->names[i].id)) {
            listing->items[listing->count++] = item_of(&session->names[i], earlier, variant->name);
        }
    }
}

/* A hunt: each test on its own. */
static void tests_part(struct plan *plan, const struct listing *listings, bool balanced,
                       struct result *result)
{
    for (size_t v = 0; v < plan->variant_count; v++) {
        const struct listing *from = &listings[v];
        struct plan_variant *variant = &plan->variants[v];
        if (from->passive) {
            result_note_add(result,
                            "the tests of %s cannot be run one by one: shard 1 has them all",
                            variant->program);
            variant->shard = shard_map_whole(from->items, from->count, plan->shards, 1);
        } else if (from->here) {
            variant->shard = shard_map_new(from->items, from->count, plan->shards, balanced);
        }
    }
}

/* A scenario: the tests of a variant share what the variant keeps, and its verdict is over all of
 * them in order. So whole variants are dealt out, in turn, or by what they took before. */
static void variants_part(struct plan *plan, const struct listing *listings, bool balanced)
{
    struct shard_item *whole = memory_new(plan->variant_count, sizeof *whole);
    for (size_t v = 0; v < plan->variant_count; v++) {
        whole[v] = (struct shard_item){
            .id = plan->variants[v].name, .group = (uint32_t)v, .time = -1, .memory = -1};
        for (size_t i = 0; i < listings[v].count; i++) {
            const struct shard_item *item = &listings[v].items[i];
            whole[v].time += item->time < 0 ? 0 : item->time + (whole[v].time < 0);
            whole[v].memory += item->memory < 0 ? 0 : item->memory + (whole[v].memory < 0);
        }
    }
    struct shard_map *dealt = shard_map_new(whole, plan->variant_count, plan->shards, true);
    for (size_t v = 0; v < plan->variant_count; v++) {
        unsigned shard = balanced ? shard_map_find(dealt, plan->variants[v].name)
                                  : (unsigned)(v % plan->shards) + 1;
        if (listings[v].here) {
            plan->variants[v].shard =
                shard_map_whole(listings[v].items, listings[v].count, plan->shards, shard);
        }
    }
    shard_map_free(&dealt);
    free(whole);
}

void runner_shard(struct plan *plan, const struct runner_options *options,
                  const struct result *balance, struct result *result)
{
    struct listing *listings = memory_new(plan->variant_count, sizeof *listings);
    struct earlier earlier;
    uint64_t digest = 0;
    earlier_init(&earlier, balance);
    for (size_t v = 0; v < plan->variant_count; v++) {
        listing_make(&listings[v], plan, &plan->variants[v], options, &earlier, result);
    }
    if (plan->hunt) {
        tests_part(plan, listings, balance != NULL, result);
    } else {
        variants_part(plan, listings, balance != NULL);
    }
    for (size_t v = 0; v < plan->variant_count; v++) {
        const struct plan_variant *variant = &plan->variants[v];
        digest = digest * 31 + (variant->shard ? shard_map_digest(variant->shard) : 0);
        if (variant->shard) {
            elsewhere_add(plan, variant, listings[v].items, listings[v].count, result);
        }
        session_fini(&listings[v].session);
        free(listings[v].items);
    }
    free(listings);
    result_index_fini(&earlier.index);
    char *shard = memory_format("%u/%u", plan->shard, plan->shards);
    char *partition = memory_format("%016" PRIx64, digest);
    result_set(&result->shard, shard);
    result_set(&result->partition, partition);
    free(shard);
    free(partition);
}
