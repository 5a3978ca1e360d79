/* repeat_limit_test.c - scripts that come to a limit: of memory, of descriptors, threads, files, of
 * calls. */
#include "harness/campaign/repeat_fixture.h"

static void nearly_flood(struct world *world, unsigned call)
{
    (void)call;
    heap_add(world, 1, 999, 16000);
}

static void large(struct world *world, unsigned call)
{
    (void)call;
    heap_add(world, 1, 1, 1000000);
}

static void mapped(struct world *world, unsigned call)
{
    (void)call;
    world->at.mappings++;
    world->at.mapped_bytes += 8192;
    world->sites[5].kind = WIRE_SITE_MMAP;
    heap_add(world, 5, 1, 8192);
}

static void mapped_by_nobody(struct world *world, unsigned call)
{
    (void)call;
    world->at.mapped_bytes += 4096;
}

static void threads_kept(struct world *world, unsigned call)
{
    (void)call;
    world->at.threads++;
    world->sites[6].kind = WIRE_SITE_THREAD;
    heap_add(world, 6, 1, 0);
}

static void files_kept(struct world *world, unsigned call)
{
    (void)call;
    world->at.files++;
}

static void children(struct world *world, unsigned call)
{
    world->orphans = call > 7 ? call - 7 : 0; /* 33 after 40 calls */
    heap_add(world, 1, call % 2 ? 1 : -1, 0);
}

static void leak_and_mapped(struct world *world, unsigned call)
{
    leak(world, call);
    mapped_by_nobody(world, call);
}

static void leak_and_files(struct world *world, unsigned call)
{
    leak(world, call);
    world->at.files += call % 16 == 0;
}

/* Processes that end, and that nobody waits for. */
static void children_kept(struct world *world, unsigned call)
{
    (void)call;
    world->at.children++;
}

static void some_children(struct world *world, unsigned call)
{
    world->orphans = 32;
    heap_add(world, 1, call % 2 ? 1 : -1, 0);
}

static const struct row rows[] = {
    {.name = "a thousand blocks a call",
     .call = flood,
     .verdict = CALLS_GROWS,
     .calls = 64,
     .growers = 1,
     .site = 1,
     .per_call = 16000},
    {.name = "a thousand lost blocks a call",
     .call = flood,
     .verdict = CALLS_GROWS,
     .calls = 8,
     .growers = 1,
     .site = 1,
     .per_call = 16000,
     .lost = true,
     .unreachable = 1 << 1},
    {.name = "not quite a thousand blocks a call",
     .call = nearly_flood,
     .limits = {.bytes = 1000000000},
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 1,
     .per_call = 16000},
    {.name = "a megabyte a call: 64 MB hold no more than 56 calls",
     .call = large,
     .verdict = CALLS_GROWS,
     .calls = 56,
     .growers = 1,
     .site = 1,
     .per_call = 1000000},
    {.name = "a block takes 56 bytes beside itself",
     .call = large,
     .limits = {.bytes = 64 * 1000056},
     .verdict = CALLS_GROWS,
     .calls = 64,
     .growers = 1,
     .site = 1,
     .per_call = 1000000},
    {.name = "a block takes no less than that",
     .call = large,
     .limits = {.bytes = 64 * 1000056 - 1},
     .verdict = CALLS_GROWS,
     .calls = 56,
     .growers = 1,
     .site = 1,
     .per_call = 1000000},
    {.name = "a megabyte a call, and a suite that takes more",
     .call = large,
     .limits = {.bytes = 1100000000},
     .verdict = CALLS_GROWS,
     .calls = 1024,
     .growers = 1,
     .site = 1,
     .per_call = 1000000},
    {.name = "64 calls are enough",
     .call = leak,
     .limits = {.enough = 64},
     .verdict = CALLS_GROWS,
     .calls = 64,
     .growers = 1,
     .site = 1,
     .per_call = 32},
    {.name = "mappings",
     .call = mapped,
     .limits = {.bytes = 1000000000},
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 5,
     .per_call = 8192},
    {.name = "mapped bytes count as bytes",
     .call = mapped,
     .limits = {.bytes = 112 * 8192 - 1},
     .verdict = CALLS_GROWS,
     .calls = 96,
     .growers = 1,
     .site = 5,
     .per_call = 8192},
    {.name = "the bytes that the next calls would keep are allowed",
     .call = mapped,
     .limits = {.bytes = 112 * 8192},
     .verdict = CALLS_GROWS,
     .calls = 112,
     .growers = 1,
     .site = 5,
     .per_call = 8192},
    {.name = "what is lost after 64 calls, if nothing else grows",
     .call = leak,
     .verdict = CALLS_GROWS,
     .calls = 64,
     .growers = 1,
     .site = 1,
     .per_call = 32,
     .lost = true,
     .unreachable = 1 << 1},
    {.name = "what is lost beside mapped bytes of no site",
     .call = leak_and_mapped,
     .limits = {.bytes = 1000000000},
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 1,
     .per_call = 32,
     .unreachable = 1 << 1},
    {.name = "what is lost beside files",
     .call = leak_and_files,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 1,
     .per_call = 32,
     .lost = true, /* 256 files are enough to look for it */
     .unreachable = 1 << 1},
    {.name = "mapped bytes of no site",
     .call = mapped_by_nobody,
     .limits = {.bytes = 1000000000},
     .verdict = CALLS_GROWS,
     .calls = 4096},
    {.name = "one descriptor would be enough, and none is kept",
     .call = toggle,
     .limits = {.units = 1},
     .verdict = CALLS_LEVEL,
     .calls = 1024,
     .site = 1},
    {.name = "one call would be enough",
     .call = leak,
     .limits = {.enough = 1},
     .verdict = CALLS_UNSURE,
     .calls = 4,
     .site = 1},
    {.name = "256 descriptors are enough",
     .call = descriptors,
     .verdict = CALLS_GROWS,
     .calls = 160,
     .growers = 1,
     .site = 6,
     .per_call = 2},
    {.name = "as many as the limit has room for",
     .call = descriptors,
     .limits = {.units = 58},
     .verdict = CALLS_GROWS,
     .calls = 32,
     .growers = 1,
     .site = 6,
     .per_call = 2},
    {.name = "one descriptor less than that",
     .call = descriptors,
     .limits = {.units = 59},
     .verdict = CALLS_GROWS,
     .calls = 40,
     .growers = 1,
     .site = 6,
     .per_call = 2},
    {.name = "threads",
     .call = threads_kept,
     .verdict = CALLS_GROWS,
     .calls = 321,
     .growers = 1,
     .site = 6,
     .per_call = 1},
    {.name = "files", .call = files_kept, .verdict = CALLS_GROWS, .calls = 320},
    {.name = "processes that nobody waits for",
     .call = children_kept,
     .verdict = CALLS_GROWS,
     .calls = 320},
    {.name = "32 processes that stay",
     .call = some_children,
     .verdict = CALLS_LEVEL,
     .calls = 1024,
     .site = 1},
    {.name = "processes that stay",
     .call = children,
     .verdict = CALLS_UNSURE,
     .calls = 40,
     .site = 1},
};

START_TEST(limits_end_a_test)
{
    rows_check(rows, sizeof rows / sizeof rows[0]);
}
END_TEST

SUITE("repeat_limit", &limits_end_a_test)
