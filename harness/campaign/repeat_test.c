/* repeat_test.c - scripts come to their verdicts, within their budgets. */
#include "harness/campaign/repeat_fixture.h"

static void still_then_leak(struct world *world, unsigned call)
{
    heap_add(world, 1, call > 600, call > 600 ? 100 : 0);
}

static void once(struct world *world, unsigned call)
{
    heap_add(world, 1, call == 1, call == 1 ? 4096 : 0);
}

static void cache(struct world *world, unsigned call)
{
    heap_add(world, 2, call <= 50, call <= 50 ? 64 : 0);
}

static void cache_and_leak(struct world *world, unsigned call)
{
    cache(world, call);
    heap_add(world, 3, 2, 48);
}

static void container(struct world *world, unsigned call)
{
    int64_t room = 16;
    while (room < call) {
        room *= 2;
    }
    world->sites[1].blocks = 1;
    world->sites[1].bytes = room * 8;
}

/* Blocks without bytes are seen by their number, and bytes of the same blocks by their sum. */
static void empty_blocks(struct world *world, unsigned call)
{
    (void)call;
    heap_add(world, 4, 1, 0);
}

static void heap_of_nobody(struct world *world, unsigned call)
{
    (void)call;
    world->at.live_bytes += 24;
}

static void sleeps(struct world *world, unsigned call)
{
    world->wall_ns = 10000000;
    leak(world, call);
}

static void busy_machine(struct world *world, unsigned call)
{
    world->wall_ns = 2000;
    leak(world, call);
}

/* Nobody's bytes grow beside the first place, a cache that is full after 50 calls. */
static void nobody_beside_cache(struct world *world, unsigned call)
{
    heap_add(world, 2, call <= 50, call <= 50 ? 100000 : 0);
    world->at.live_bytes += 24;
}

static void nobody_beside_smaller_cache(struct world *world, unsigned call)
{
    heap_add(world, 2, call <= 50, call <= 50 ? 2000 : 0);
    world->at.live_bytes += 24;
}

static void leaks_now_and_then_beside_leak(struct world *world, unsigned call)
{
    heap_add(world, 1, call % 10 == 0, call % 10 == 0 ? 100 : 0);
    heap_add(world, 3, 2, 48);
}

static const struct row rows[] = {
    {.name = "nothing moves", .call = nothing, .verdict = CALLS_CLEAN, .calls = 1024},
    {.name = "once in the warm-up", .call = once, .verdict = CALLS_CLEAN, .calls = 1024},
    {.name = "the budget ends before 1,024 calls",
     .call = nothing,
     .limits = {.still_ns = 100 * CALL_NS, .moved_ns = 1},
     .verdict = CALLS_CLEAN,
     .calls = 64},
    {.name = "the budget is exactly 128 calls",
     .call = nothing,
     .limits = {.still_ns = 128 * CALL_NS},
     .verdict = CALLS_CLEAN,
     .calls = 128},
    {.name = "no budget, and the least calls",
     .call = nothing,
     .limits = {.still_ns = 1, .moved_ns = 1},
     .verdict = CALLS_CLEAN,
     .calls = 4},
    {.name = "no budget, and ten calls at least",
     .call = nothing,
     .limits = {.least = 10, .still_ns = 1},
     .verdict = CALLS_CLEAN,
     .calls = 16},
    {.name = "most calls",
     .call = nothing,
     .limits = {.most = 64},
     .verdict = CALLS_CLEAN,
     .calls = 64},
    {.name = "a block a call that something points at",
     .call = leak,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 1,
     .per_call = 32},
    {.name = "a block a call, and 1,024 calls are affordable",
     .call = leak,
     .limits = {.moved_ns = 1024 * CALL_NS},
     .verdict = CALLS_GROWS,
     .calls = 1024,
     .growers = 1,
     .site = 1,
     .per_call = 32},
    {.name = "a block a call, and 1,023 calls are affordable",
     .call = leak,
     .limits = {.moved_ns = 1023 * CALL_NS},
     .verdict = CALLS_UNSURE,
     .calls = 896,
     .growers = 1,
     .site = 1,
     .per_call = 32},
    {.name = "a lost block a call is known after eight",
     .call = leak,
     .limits = {.moved_ns = 8 * CALL_NS},
     .verdict = CALLS_GROWS,
     .calls = 8,
     .growers = 1,
     .site = 1,
     .per_call = 32,
     .lost = true,
     .unreachable = 1 << 1},
    {.name = "seven are too few",
     .call = leak,
     .limits = {.moved_ns = 7 * CALL_NS},
     .verdict = CALLS_UNSURE,
     .calls = 7,
     .growers = 1, /* no place grows or rose yet: what is there now carries what the sum has more */
     .site = 1,
     .per_call = 32,
     .unreachable = 1 << 1},
    {.name = "a reachable block a call is not, after eight",
     .call = leak,
     .limits = {.moved_ns = 8 * CALL_NS},
     .verdict = CALLS_UNSURE,
     .calls = 8,
     .growers = 1,
     .site = 1,
     .per_call = 32},
    {.name = "a lost block that is suppressed",
     .call = leak,
     .limits = {.moved_ns = 8 * CALL_NS},
     .verdict = CALLS_UNSURE,
     .calls = 8,
     .growers = 1,
     .site = 1,
     .per_call = 32,
     .unreachable = 1 << 1,
     .suppressed = 1 << 1},
    {.name = "all that grows is suppressed",
     .call = leak,
     .verdict = CALLS_LEVEL,
     .calls = 1024,
     .growers = 1,
     .site = 1,
     .per_call = 32,
     .suppressed = 1 << 1},
    {.name = "what is suppressed does not hide another",
     .call = cache_and_leak,
     .verdict = CALLS_LEVEL,
     .calls = 1024,
     .growers = 1, /* the suppressed one */
     .site = 3,
     .per_call = 48,
     .suppressed = 1 << 3},
    {.name = "a leak in every 50th call",
     .call = leak_sometimes,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 1,
     .per_call = 2000. / 1024},
    {.name = "still for 600 calls",
     .call = still_then_leak,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 1,
     .per_call = 100},
    {.name = "a cache of 50", .call = cache, .verdict = CALLS_LEVEL, .calls = 1024, .site = 2},
    {.name = "a cache of 50 in 64 calls, reachable",
     .call = cache,
     .limits = {.most = 64},
     .verdict = CALLS_UNSURE,
     .calls = 64,
     .growers = 1,
     .site = 2,
     .per_call = 64},
    {.name = "a cache and a leak beside it",
     .call = cache_and_leak,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 3,
     .per_call = 48},
    {.name = "a toggle", .call = toggle, .verdict = CALLS_LEVEL, .calls = 1024, .site = 1},
    {.name = "a container that doubles",
     .call = container,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 1,
     .per_call = 16},
    {.name = "blocks without bytes",
     .call = empty_blocks,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 4},
    {.name = "heap of no site", .call = heap_of_nobody, .verdict = CALLS_GROWS, .calls = 4096},
    {.name = "the worker ends after it has said how the test ended",
     .call = leak,
     .verdict = CALLS_GO_ON,
     .calls = 96,
     .ends = 100,
     .ran = true,
     .growers = 1,
     .site = 1,
     .per_call = 32},
    {.name = "a cache that is full, and what is lost beside it",
     .call = cache_and_leak,
     .verdict = CALLS_GROWS,
     .calls = 1024,
     .growers = 1,
     .site = 3,
     .per_call = 48,
     .lost = true,
     .unreachable = 1 << 3},
    {.name = "what is lost now and then beside what is lost each time",
     .call = leaks_now_and_then_beside_leak,
     .verdict = CALLS_GROWS,
     .calls = 256,
     .growers = 2,
     .site = 3,
     .per_call = 48,
     .lost = true,
     .unreachable = 1 << 1 | 1 << 3},
    {.name = "a large cache does not hide what nobody holds",
     .call = nobody_beside_cache,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .site = 2},
    {.name = "beside a smaller one it is neither steady nor at rest",
     .call = nobody_beside_smaller_cache,
     .limits = {.most = 1024},
     .verdict = CALLS_UNSURE,
     .calls = 1024,
     .site = 2},
    {.name = "a test that sleeps takes what it sleeps",
     .call = sleeps,
     .limits = {.moved_ns = 1024 * 10000000.0 / 4},
     .verdict = CALLS_UNSURE,
     .calls = 256,
     .growers = 1,
     .site = 1,
     .per_call = 32},
    {.name = "on a busy machine it takes its processor time",
     .call = busy_machine,
     .limits = {.moved_ns = 1024 * CALL_NS},
     .verdict = CALLS_GROWS,
     .calls = 1024,
     .growers = 1,
     .site = 1,
     .per_call = 32},
    {.name = "the first call fails", .call = leak, .verdict = CALLS_GO_ON, .fails = 1},
    {.name = "the 20th call fails",
     .call = leak,
     .verdict = CALLS_GO_ON,
     .calls = 16,
     .fails = 20,
     .growers = 1,
     .site = 1,
     .per_call = 32},
    {.name = "the worker ends at the 100th call",
     .call = leak,
     .verdict = CALLS_GO_ON,
     .calls = 96,
     .ends = 100,
     .growers = 1,
     .site = 1,
     .per_call = 32},
};

START_TEST(scripts_come_to_their_verdicts)
{
    rows_check(rows, sizeof rows / sizeof rows[0]);
}
END_TEST

SUITE("repeat", &scripts_come_to_their_verdicts)
