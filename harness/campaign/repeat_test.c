/* repeat_test.c - tests repeated by a scripted worker: a function of the number of the call says
 * what each site holds, and the records that a real worker in watch mode would send are made of
 * it. */
#include "harness/campaign/growers.h"
#include "harness/campaign/repeat.h"

#include "harness/base/suite.h"

#include <math.h>
#include <string.h>

#define SITES      8    /* numbers 1 to 7 */
#define CALLS      8192 /* of one answer */
#define UNLIMITED  1e18
#define CALL_NS    1000
#define MOST_BYTES 64000000

struct world { /* what the process holds */
    struct {
        int64_t blocks, bytes;
        uint32_t kind, family;
    } sites[SITES];
    struct boundary at; /* besides the heap, which is the sum of the sites */
    uint64_t wall_ns;   /* of a call; 0: as the processor */
    size_t orphans;
};

struct scripted { /* a worker */
    const struct row *row;
    struct observed seen;
    struct world now;
    unsigned calls, asks, scans;
    uint32_t flags;         /* of the last command */
    uint64_t settle_ns[32]; /* of the first commands */
    unsigned stop_after;    /* no answer comes after so many; 0: all do */
    struct wire_sample samples[CALLS], last, last_next; /* last: of the answer before */
    int64_t blocks[CALLS][SITES], bytes[CALLS][SITES];  /* of the sites at these boundaries */
    size_t sample_count;
    struct {
        int64_t blocks, bytes, floor_blocks, floor_bytes;
        uint32_t family;
        bool told;
    } told[SITES], told_family[SITES];
};

struct row {
    const char *name;
    void (*call)(struct world *world, unsigned call);
    void (*earlier)(struct world *world, unsigned call); /* another test before it; or NULL */
    struct repeat_limits limits; /* zeros: without limits, for 4 calls at least */
    enum calls_verdict verdict;
    unsigned calls;
    size_t growers;
    uint32_t site;   /* of the first place; 0: there is none */
    double per_call; /* of the first place; bytes if it is of heap or mappings */
    bool lost;
    uint32_t unreachable, suppressed; /* bits of sites */
    unsigned fails, ends;             /* the call at which it fails, or the worker ends */
    bool ran;                         /* before it ended it said so */
    unsigned cost_ns;
    uint64_t settles_ns; /* of each answer; the last block is gone then */
};

static void heap_add(struct world *world, uint32_t site, int64_t blocks, int64_t bytes)
{
    world->sites[site].blocks += blocks;
    world->sites[site].bytes += bytes;
}

static void sample_add(struct scripted *worker, unsigned repetition)
{
    size_t at = worker->sample_count++;
    struct wire_sample *sample = &worker->samples[at];
    WIRE_INIT(sample, WIRE_SAMPLE);
    sample->repetition = repetition;
    sample->boundaries = 1;
    for (int i = 1; i < SITES; i++) {
        bool heap = worker->now.sites[i].kind == WIRE_SITE_HEAP;
        worker->blocks[at][i] = worker->now.sites[i].blocks;
        worker->bytes[at][i] = worker->now.sites[i].bytes;
        sample->live_blocks += heap ? worker->now.sites[i].blocks : 0;
        sample->live_bytes += heap ? worker->now.sites[i].bytes : 0;
    }
    sample->live_bytes += worker->now.at.live_bytes; /* of no site */
    sample->mappings = worker->now.at.mappings;
    sample->mapped_bytes = worker->now.at.mapped_bytes;
    sample->fds = worker->now.at.fds;
    sample->threads = worker->now.at.threads;
    sample->files = worker->now.at.files;
    sample->wall_ns = worker->now.wall_ns ? worker->now.wall_ns : CALL_NS;
}

static uint32_t root_of(const struct world *world, uint32_t site)
{
    while (world->sites[site].family != 0 && world->sites[site].family != site) {
        site = world->sites[site].family;
    }
    return site;
}

/* What each site or family held least at the boundaries of an answer, and holds now. Families are
 * those of its end. */
struct held {
    int64_t blocks[SITES], bytes[SITES], floor_blocks[SITES], floor_bytes[SITES];
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct held held_make(const struct scripted *worker, bool families)
{
    struct held held;
    for (size_t i = 0; i < worker->sample_count; i++) {
        memset(held.blocks, 0, sizeof held.blocks);
        memset(held.bytes, 0, sizeof held.bytes);
        for (uint32_t site = 1; site < SITES; site++) {
            uint32_t at = families ? root_of(&worker->now, site) : site;
            held.blocks[at] += worker->blocks[i][site];
            held.bytes[at] += worker->bytes[i][site];
        }
        for (uint32_t site = 1; site < SITES; site++) {
            held.floor_blocks[site] =
                i == 0 ? held.blocks[site] : least(held.floor_blocks[site], held.blocks[site]);
            held.floor_bytes[site] =
                i == 0 ? held.bytes[site] : least(held.floor_bytes[site], held.bytes[site]);
        }
    }
    return held;
}

static void sites_send(struct scripted *worker)
{
    const struct held held = held_make(worker, false);
    for (uint32_t i = 1; i < SITES; i++) {
        uint32_t family = root_of(&worker->now, i);
        int64_t blocks = held.blocks[i], bytes = held.bytes[i];
        bool same = worker->told[i].blocks == blocks && worker->told[i].bytes == bytes &&
                    worker->told[i].floor_blocks == held.floor_blocks[i] &&
                    worker->told[i].floor_bytes == held.floor_bytes[i] &&
                    (worker->told[i].family == family || !worker->told[i].told);
        if (same) {
            continue;
        }
        struct wire_site record;
        WIRE_INIT(&record, WIRE_SITE);
        record.site = i;
        record.kind = worker->now.sites[i].kind;
        record.live_blocks = worker->told[i].blocks = blocks;
        record.live_bytes = worker->told[i].bytes = bytes;
        record.floor_blocks = worker->told[i].floor_blocks = held.floor_blocks[i];
        record.floor_bytes = worker->told[i].floor_bytes = held.floor_bytes[i];
        record.family = worker->told[i].family = family;
        record.frame_count = worker->told[i].told ? 0 : 1;
        record.frames[0] = 0x1000 * i;
        worker->told[i].told = true;
        ck_assert(observed_take(&worker->seen, &record.head));
    }
}

static void families_send(struct scripted *worker)
{
    const struct held held = held_make(worker, true);
    for (uint32_t i = 1; i < SITES; i++) {
        bool joined = false;
        for (uint32_t k = i + 1; k < SITES; k++) {
            joined = joined || root_of(&worker->now, k) == i;
        }
        bool same = worker->told_family[i].told &&
                    worker->told_family[i].blocks == held.blocks[i] &&
                    worker->told_family[i].bytes == held.bytes[i] &&
                    worker->told_family[i].floor_blocks == held.floor_blocks[i] &&
                    worker->told_family[i].floor_bytes == held.floor_bytes[i];
        if (!joined || same) {
            continue;
        }
        struct wire_family record;
        WIRE_INIT(&record, WIRE_FAMILY);
        record.family = i;
        record.kind = worker->now.sites[i].kind;
        record.live_blocks = worker->told_family[i].blocks = held.blocks[i];
        record.live_bytes = worker->told_family[i].bytes = held.bytes[i];
        record.floor_blocks = worker->told_family[i].floor_blocks = held.floor_blocks[i];
        record.floor_bytes = worker->told_family[i].floor_bytes = held.floor_bytes[i];
        worker->told_family[i].told = true;
        ck_assert(observed_take(&worker->seen, &record.head));
    }
}

/* As the worker does: no call follows one whose boundary differs from the last one before. */
static bool sample_stops(struct scripted *worker, uint32_t flags)
{
    const struct wire_sample *now = &worker->samples[worker->sample_count - 1];
    bool moved = worker->last.live_blocks != now->live_blocks ||
                 worker->last.live_bytes != now->live_bytes || worker->last.fds != now->fds ||
                 worker->last.threads != now->threads || worker->last.files != now->files ||
                 worker->last.mappings != now->mappings ||
                 worker->last.mapped_bytes != now->mapped_bytes;
    worker->last_next = *now;
    return moved && (flags & WIRE_STOP_ON_MOVE) != 0;
}

/* As the worker does: boundaries in a row that are alike are one sample. */
static size_t samples_join(struct wire_sample *samples, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct wire_sample now = samples[i], *last = kept > 0 ? &samples[kept - 1] : NULL;
        if (last != NULL) { /* all but what differs anyway */
            now.repetition = last->repetition;
            now.wall_ns = last->wall_ns;
            now.boundaries = last->boundaries;
        }
        if (last != NULL && memcmp(&now, last, sizeof now) == 0) {
            last->repetition = samples[i].repetition;
            last->wall_ns += samples[i].wall_ns;
            last->boundaries++;
        } else {
            samples[kept++] = samples[i];
        }
    }
    return kept;
}

static struct answer scripted_ask(void *self, const struct wire_command *command)
{
    struct scripted *worker = self;
    const struct row *row = worker->row;
    ck_assert_uint_eq(command->op, WIRE_OP_RUN);
    ck_assert_uint_eq(command->depth, WIRE_TRACE);
    ck_assert_uint_eq(command->flags & (WIRE_WATCH | WIRE_STOP_ON_FAIL),
                      WIRE_WATCH | WIRE_STOP_ON_FAIL);
    if (worker->asks < 32) {
        worker->settle_ns[worker->asks] = command->settle_ns;
    }
    worker->asks++;
    worker->flags = command->flags;
    worker->sample_count = 0;
    struct answer answer = {.event = WORKER_DONE, .ran = true, .samples = worker->samples};
    WIRE_INIT(&answer.test, WIRE_TEST);
    answer.test.allocs = worker->calls;
    if (worker->asks == worker->stop_after) {
        answer.event = WORKER_HUNG;
        answer.ran = false;
        return answer;
    }
    unsigned calls = command->warmups + command->repetitions, made = 0;
    worker->last = worker->last_next;
    for (unsigned i = 0; i < calls; i++) {
        worker->calls++;
        if (worker->calls == row->ends) {
            answer.event = WORKER_GONE;
            answer.ran = row->ran;
            return answer;
        }
        if (worker->calls == row->fails) {
            answer.test.status = WIRE_FAIL;
            answer.test.passed_before = i;
            break;
        }
        row->call(&worker->now, worker->calls);
        if (i >= command->warmups) { /* of those before nothing is known */
            sample_add(worker, i - command->warmups);
            made++;
            answer.test.cpu_ns += row->cost_ns ? row->cost_ns : CALL_NS;
            if (sample_stops(worker, command->flags)) {
                break;
            }
        }
    }
    if (row->settles_ns > 0) {
        answer.test.settled_ns = row->settles_ns;
        heap_add(&worker->now, 1, -1, -32);
        sample_add(worker, command->repetitions);
    }
    if (worker->sample_count > 0) {
        sites_send(worker);
        families_send(worker);
    }
    heap_add(&worker->now, 1, row->settles_ns > 0, row->settles_ns > 0 ? 32 : 0);
    answer.test.repetitions = made;
    answer.sample_count = samples_join(worker->samples, worker->sample_count);
    answer.orphans = worker->now.orphans;
    return answer;
}

static bool scripted_lost(void *self, uint32_t site)
{
    struct scripted *worker = self;
    worker->scans++;
    return (worker->row->unreachable >> site & 1) != 0;
}

static bool scripted_suppressed(void *self, uint32_t site)
{
    return (((struct scripted *)self)->row->suppressed >> site & 1) != 0;
}

static void scripted_begin(struct scripted *worker)
{
    *worker = (struct scripted){0};
    observed_init(&worker->seen);
    observed_worker_begins(&worker->seen);
}

static void scripted_run(struct scripted *worker, struct repeat *repeat, const struct row *row)
{
    struct repeat_ask ask = {.self = worker,
                             .ask = scripted_ask,
                             .lost = scripted_lost,
                             .suppressed = scripted_suppressed,
                             .seen = &worker->seen};
    struct repeat_limits limits = row->limits;
    limits.least = limits.least ? limits.least : 4;
    limits.most = limits.most ? limits.most : 16384;
    limits.still_ns = limits.still_ns > 0 ? limits.still_ns : UNLIMITED;
    limits.moved_ns = limits.moved_ns > 0 ? limits.moved_ns : UNLIMITED;
    limits.bytes = limits.bytes ? limits.bytes : MOST_BYTES;
    limits.units = limits.units ? limits.units : 256;
    if (row->earlier) {
        struct repeat_limits few = limits;
        const struct row before = {.call = row->earlier};
        few.most = 8;
        worker->row = &before;
        repeat_run(repeat, &ask, 4, &few);
        repeat_fini(repeat);
    }
    worker->row = row;
    worker->calls = worker->asks = worker->scans = 0;
    repeat_run(repeat, &ask, 5, &limits);
}

/* Scripts. ------------------------------------------------------------------------------------- */

static void nothing(struct world *world, unsigned call)
{
    (void)world, (void)call;
}

static void leak(struct world *world, unsigned call)
{
    (void)call;
    heap_add(world, 1, 1, 32);
}

static void leak_sometimes(struct world *world, unsigned call)
{
    heap_add(world, 1, call % 50 == 0, call % 50 == 0 ? 100 : 0);
}

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

static void toggle(struct world *world, unsigned call)
{
    heap_add(world, 1, call % 2 ? 1 : -1, call % 2 ? 64 : -64);
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

static void flood(struct world *world, unsigned call)
{
    (void)call;
    heap_add(world, 1, 1000, 16000);
}

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

static void heap_of_nobody(struct world *world, unsigned call)
{
    (void)call;
    world->at.live_bytes += 24;
}

static void descriptors(struct world *world, unsigned call)
{
    (void)call;
    world->at.fds += 2;
    world->sites[6].kind = WIRE_SITE_FD;
    heap_add(world, 6, 2, 0);
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

/* One block that two functions let grow in turn: neither has a floor that rises. */
static void in_turn(struct world *world, unsigned call)
{
    world->sites[2].family = 1;
    for (uint32_t site = 1; site <= 2; site++) {
        bool here = call % 2 == site - 1;
        world->sites[site].blocks = here;
        world->sites[site].bytes = here ? 1000 * (int64_t)call : 0;
    }
}

/* The same, known for one only from call 100 on; until then it grew at two places. */
static void joins_later(struct world *world, unsigned call)
{
    world->sites[4].family = call > 100 ? 3 : 0;
    heap_add(world, 3 + call % 2, 1, 100);
}

/* The root moves later than the other, so its place is made after the other's. */
static void root_comes_later(struct world *world, unsigned call)
{
    world->sites[4].family = call > 200 ? 3 : 0;
    heap_add(world, call > 100 ? 3 : 4, 1, 100);
}

static void keeps_at_two_sites(struct world *world, unsigned call)
{
    heap_add(world, 3, call == 1, call == 1 ? 70 : 0);
    heap_add(world, 4, call == 1 ? 10 : 0, call == 1 ? 100000 : 0);
}

/* What a family held before it was joined is no growth, whether or not its sites moved. */
static void joins_what_was_there(struct world *world, unsigned call)
{
    if (call == 900) {
        world->sites[4].family = 3;
    }
    heap_add(world, 3, call % 2 ? 1 : -1, call % 2 ? 8 : -8);
}

static void joins_to_what_was_there(struct world *world, unsigned call)
{
    if (call == 900) {
        world->sites[4].family = 3;
    }
    heap_add(world, 4, call % 2 ? 1 : -1, call % 2 ? 8 : -8);
}

static void joins_and_grows(struct world *world, unsigned call)
{
    world->sites[5].family = call > 300 ? 4 : 0;
    world->sites[4].family = call > 500 ? 3 : 0;
    heap_add(world, 5 - call % 2, 1, 100);
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
    {.name = "mapped bytes of no site",
     .call = mapped_by_nobody,
     .limits = {.bytes = 1000000000},
     .verdict = CALLS_GROWS,
     .calls = 4096},
    {.name = "heap of no site", .call = heap_of_nobody, .verdict = CALLS_GROWS, .calls = 4096},
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
    {.name = "the worker ends after it has said how the test ended",
     .call = leak,
     .verdict = CALLS_GO_ON,
     .calls = 96,
     .ends = 100,
     .ran = true,
     .growers = 1,
     .site = 1,
     .per_call = 32},
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
    {.name = "processes that stay",
     .call = children,
     .verdict = CALLS_UNSURE,
     .calls = 40,
     .site = 1},
    {.name = "one block that two sites let grow in turn",
     .call = in_turn,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 1,
     .per_call = 1000},
    {.name = "two sites that become one family",
     .call = joins_later,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 3,
     .per_call = 100},
    {.name = "a family whose first site moves last",
     .call = root_comes_later,
     .earlier = keeps_at_two_sites,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 3,
     .per_call = 100},
    {.name = "a family that joins what did not move",
     .call = joins_what_was_there,
     .earlier = keeps_at_two_sites,
     .verdict = CALLS_LEVEL,
     .calls = 1024,
     .site = 4},
    {.name = "a family that joins to what did not move",
     .call = joins_to_what_was_there,
     .earlier = keeps_at_two_sites,
     .verdict = CALLS_LEVEL,
     .calls = 1024,
     .site = 4},
    {.name = "a family that is joined twice",
     .call = joins_and_grows,
     .earlier = keeps_at_two_sites,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 4,
     .per_call = 100},
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
    static struct scripted worker;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct repeat repeat;
        scripted_begin(&worker);
        scripted_run(&worker, &repeat, row);
        const struct repeat_place *first = repeat.place_count ? &repeat.places[0] : NULL;
        bool bytes = first && (first->kind == WIRE_SITE_HEAP || first->kind == WIRE_SITE_MMAP);
        double rate = !first ? 0 : bytes ? first->bytes_per_call : first->answer.per_call;
        ck_assert_msg(repeat.verdict == row->verdict && repeat.calls == row->calls,
                      "%s: verdict %d after %u calls", row->name, repeat.verdict, repeat.calls);
        ck_assert_msg(repeat_growers(&repeat) == row->growers, "%s: %zu grow", row->name,
                      repeat_growers(&repeat));
        ck_assert_msg(fabs(rate - row->per_call) < 1e-9, "%s: %g per call", row->name, rate);
        ck_assert(!first || bytes || first->bytes_per_call <= 0);
        ck_assert_msg(first ? first->site == row->site || first->answer.total == 0 : row->site == 0,
                      "%s: site %u", row->name, first ? first->site : 0);
        ck_assert_msg(repeat.lost == row->lost, "%s: lost", row->name);
        repeat_fini(&repeat);
        observed_fini(&worker.seen);
    }
}
END_TEST

START_TEST(figures_are_of_the_first_call_after_the_warm_up)
{
    static struct scripted worker;
    static const struct row row = {.call = leak, .limits = {.most = 16, .flags = WIRE_NO_FLOORS}};
    struct repeat repeat;
    scripted_begin(&worker);
    scripted_run(&worker, &repeat, &row);
    ck_assert_uint_eq(repeat.figures.allocs, 3); /* calls before it */
    ck_assert_int_eq(repeat.figures_live, 4 * 32);
    ck_assert_int_eq(repeat.first.live_bytes, 3 * 32);
    ck_assert_int_eq(repeat.first.live_blocks, 3);
    ck_assert_int_eq(repeat.now.live_bytes, 16 * 32);
    ck_assert_uint_eq(repeat.still, 4);
    ck_assert(repeat.moved);
    ck_assert_uint_eq(worker.asks, 10); /* 3, 4 to 8, 10, 12, 14, 16 */
    ck_assert_double_eq(repeat.spent_ns, 16 * CALL_NS);
    ck_assert_double_eq(repeat.call_ns, CALL_NS);
    static const struct {
        unsigned calls;
        int64_t live;
    } points[] = {{3, 96},  {4, 128},  {5, 160},  {6, 192},  {7, 224},
                  {8, 256}, {10, 320}, {12, 384}, {14, 448}, {16, 512}};
    ck_assert_uint_eq(repeat.live_count, sizeof points / sizeof points[0]);
    for (size_t i = 0; i < repeat.live_count; i++) {
        ck_assert_uint_eq(repeat.live_calls[i], points[i].calls);
        ck_assert_int_eq(repeat.live[i], points[i].live);
    }
    ck_assert_uint_eq(repeat.sums[REPEAT_HEAP].count, repeat.live_count);
    ck_assert_uint_eq(repeat.places[0].series.count, repeat.live_count);
    ck_assert_int_eq(repeat.places[0].series.spans[6].floor, 9 * 33); /* the least of 9 and 10 */
    ck_assert_int_eq(repeat.sums[REPEAT_HEAP].spans[6].floor, 9 * 33);
    repeat_fini(&repeat);
    observed_fini(&worker.seen);
}
END_TEST

START_TEST(the_peak_is_asked_for_once)
{
    static struct scripted worker;
    static const struct row rows_of_most[] = {{.call = nothing, .limits = {.most = 3}},
                                              {.call = nothing, .limits = {.most = 5}}};
    for (size_t i = 0; i < 2; i++) {
        struct repeat repeat;
        scripted_begin(&worker);
        worker.stop_after = i == 0 ? 2 : 3; /* answers: 3 calls, then the 4th, then the 5th */
        scripted_run(&worker, &repeat, &rows_of_most[i]);
        ck_assert_uint_eq(worker.flags & WIRE_PEAK_RSS, i == 0 ? WIRE_PEAK_RSS : 0);
        repeat_fini(&repeat);
        observed_fini(&worker.seen);
    }
}
END_TEST

/* The worker waited for threads: the boundary after the wait belongs to the last call, and all
 * waits together are bounded. */
START_TEST(what_is_waited_for_threads_is_bounded)
{
    static struct scripted worker;
    static const struct row row = {.call = leak, .limits = {.most = 8}, .settles_ns = 30000000};
    static const uint64_t allowed[] = {100000000, 70000000, 40000000, 10000000, 0, 0};
    struct repeat repeat;
    scripted_begin(&worker);
    scripted_run(&worker, &repeat, &row);
    ck_assert_uint_eq(worker.asks, 6);
    for (size_t i = 0; i < worker.asks; i++) {
        ck_assert_msg(worker.settle_ns[i] == allowed[i], "answer %zu: %llu", i,
                      (unsigned long long)worker.settle_ns[i]);
    }
    ck_assert_double_eq(repeat.settled_ns, 6 * 30000000.0);
    ck_assert_uint_eq(repeat.calls, 8);
    ck_assert_int_eq(repeat.first.live_blocks, 2); /* after the wait a block less is there */
    ck_assert_int_eq(repeat.places[0].series.spans[1].floor, 3 * 33);
    repeat_fini(&repeat);
    observed_fini(&worker.seen);
}
END_TEST

static void four_growers(struct world *world, unsigned call)
{
    heap_add(world, 1, 1, 10);
    heap_add(world, 2, 1, 500);
    heap_add(world, 3, 1, 100);
    heap_add(world, 4, 1, 100);
    heap_add(world, 5, 1, 9000);
    heap_add(world, 6, call == 30, call == 30 ? 1000000 : 0); /* a step is no growth */
    heap_add(world, 7, call == 2000, call == 2000 ? 2000000 : 0);
}

static uint64_t fourth_takes_ns;

static void fourth_takes(struct world *world, unsigned call)
{
    world->wall_ns = call == 4 ? fourth_takes_ns : 1000000;
}

START_TEST(sleep_is_what_takes_four_times_the_processors_time_and_two_milliseconds)
{
    static struct scripted worker;
    static const struct {
        unsigned cost_ns;
        uint64_t wall_ns;
        double call_ns;
    } calls[] = {{1000000, 6000000, 1000000},
                 {1000000, 6000001, 6000001},
                 {1000, 2004000, 1000},
                 {1000, 2004001, 2004001},
                 {1000000, 500000, 1000000}};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct row row = {
            .call = fourth_takes, .limits = {.still_ns = 1}, .cost_ns = calls[i].cost_ns};
        struct repeat repeat;
        fourth_takes_ns = calls[i].wall_ns;
        scripted_begin(&worker);
        scripted_run(&worker, &repeat, &row);
        ck_assert_uint_eq(repeat.calls, 4);
        ck_assert_msg(fabs(repeat.call_ns - calls[i].call_ns) < 1e-6, "row %zu: %g", i,
                      repeat.call_ns);
        repeat_fini(&repeat);
        observed_fini(&worker.seen);
    }
}
END_TEST

START_TEST(places_stand_by_what_they_grow_and_suppressed_ones_after_them)
{
    static struct scripted worker;
    static const struct row row = {.call = four_growers, .suppressed = 1 << 5};
    static const uint32_t order[] = {2, 3, 4, 1, 7, 5, 6};
    struct repeat repeat;
    scripted_begin(&worker);
    scripted_run(&worker, &repeat, &row);
    ck_assert_int_eq(repeat.verdict, CALLS_GROWS);
    ck_assert_uint_eq(repeat.place_count, 7);
    for (size_t i = 0; i < 7; i++) {
        ck_assert_msg(repeat.places[i].family == order[i], "place %zu is of %u", i,
                      repeat.places[i].family);
        ck_assert_int_eq(repeat.places[i].suppressed, order[i] == 5);
        ck_assert_uint_eq(repeat.places[i].series.count, repeat.live_count);
        ck_assert_uint_eq(repeat.places[i].blocks.count, repeat.live_count);
    }
    ck_assert_uint_eq(repeat_growers(&repeat), 4);
    ck_assert_double_eq(repeat.places[0].bytes_per_call, 500);
    ck_assert_double_eq(repeat.places[0].answer.per_call, 501);
    repeat_fini(&repeat);
    observed_fini(&worker.seen);
}
END_TEST

START_TEST(growers_are_those_that_grow_or_else_those_that_rose)
{
    static const struct {
        struct series_answer answers[4];
        size_t count, growers;
    } sets[] = {
        {{{.shape = SERIES_GROWS, .per_call = 5},
          {.shape = SERIES_GROWS, .per_call = 4},
          {.shape = SERIES_OPEN, .per_call = 3}},
         3,
         2},
        {{{.shape = SERIES_OPEN, .per_call = 5}, {.shape = SERIES_LEVEL, .per_call = 1}, {0}},
         3,
         2},
        {{{.shape = SERIES_OPEN, .per_call = 5}, {.shape = SERIES_OPEN}}, 2, 1},
        {{{.shape = SERIES_LEVEL}}, 1, 0},
        {{{.shape = SERIES_GROWS, .per_call = 5}}, 1, 1},
        {{{.shape = SERIES_GROWS, .per_call = 5}, {.shape = SERIES_OPEN, .per_call = 4}}, 2, 1},
        {{{0}}, 0, 0},
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct repeat_place places[4];
        for (size_t k = 0; k < 4; k++) {
            places[k] = (struct repeat_place){.answer = sets[i].answers[k]};
        }
        struct repeat repeat = {.places = places, .place_count = sets[i].count};
        ck_assert_msg(repeat_growers(&repeat) == sets[i].growers, "set %zu: %zu", i,
                      repeat_growers(&repeat));
    }
}
END_TEST

/* One text of 50 B more a call, copied into a block of another of three sites each time. Site 4
 * has a larger cache, which is full after 60 calls, and site 5 swings above what it always has. */
static void handed_on(struct world *world, unsigned call)
{
    for (uint32_t site = 1; site <= 3; site++) {
        bool holds = call % 3 + 1 == site;
        world->sites[site].blocks = holds;
        world->sites[site].bytes = holds ? 50 * call : 0;
    }
    heap_add(world, 4, call <= 60, call <= 60 ? 100000 : 0);
    world->sites[5].blocks = 5 + call % 5;
    world->sites[5].bytes = 1000 * (5 + call % 5);
}

static void descriptors_handed_on(struct world *world, unsigned call)
{
    for (uint32_t site = 1; site <= 3; site++) {
        world->sites[site].kind = WIRE_SITE_FD;
        world->sites[site].blocks = call % 3 + 1 == site ? call : 0;
    }
    world->at.fds = 3 + call;
}

static void mappings_handed_on(struct world *world, unsigned call)
{
    for (uint32_t site = 1; site <= 3; site++) {
        bool holds = call % 3 + 1 == site;
        world->sites[site].kind = WIRE_SITE_MMAP;
        world->sites[site].blocks = holds;
        world->sites[site].bytes = holds ? 4096 * call : 0;
    }
    world->at.mappings = 1;
    world->at.mapped_bytes = 4096 * call;
}

/* Slowly, and the suppressed site 1 faster. */
static void two_rise_slowly(struct world *world, unsigned call)
{
    world->sites[1].blocks = call / 3;
    world->sites[2].blocks = call / 5;
}

/* Only the sum moves: there is no site of it. */
static void nowhere(struct world *world, unsigned call)
{
    (void)call;
    world->at.live_bytes += 64;
}

START_TEST(what_no_place_explains_is_carried_by_those_that_hold_it_now)
{
    static const struct {
        const char *name;
        struct row row; /* its verdict, calls and growers; the site and rates of the first */
        int64_t carried;
        double bytes;
    } sets[] = {
        {"a text beside a cache",
         {.call = handed_on,
          .verdict = CALLS_GROWS,
          .calls = 4096,
          .growers = 1,
          .site = 2,
          .per_call = 204801. / 4093},
         204801,
         204800. / 4093},
        {"it is suppressed",
         {.call = handed_on,
          .suppressed = 1 << 2,
          .verdict = CALLS_GROWS,
          .calls = 4096,
          .growers = 1,
          .site = 2,
          .per_call = 204801. / 4093},
         204801,
         204800. / 4093},
        {"others are suppressed",
         {.call = handed_on,
          .suppressed = 1 << 4 | 1 << 5,
          .verdict = CALLS_GROWS,
          .calls = 4096,
          .growers = 1,
          .site = 2,
          .per_call = 204801. / 4093},
         204801,
         204800. / 4093},
        {"in few calls the cache still rises",
         {.call = handed_on,
          .limits = {.most = 100},
          .verdict = CALLS_UNSURE,
          .calls = 96,
          .growers = 1,
          .site = 4,
          .per_call = 100001},
         0,
         100000},
        {"descriptors",
         {.call = descriptors_handed_on,
          .verdict = CALLS_GROWS,
          .calls = 320,
          .growers = 1,
          .site = 3,
          .per_call = 320. / 317},
         320,
         0},
        {"mappings",
         {.call = mappings_handed_on,
          .limits = {.most = 1024},
          .verdict = CALLS_GROWS,
          .calls = 1024,
          .growers = 1,
          .site = 2,
          .per_call = (4096. * 1024 + 1) / 1021},
         4096 * 1024 + 1,
         4096. * 1024 / 1021},
        {"no place at all", {.call = nowhere, .verdict = CALLS_GROWS, .calls = 4096}, 0, 0},
    };
    static struct scripted worker;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        const struct row *row = &sets[i].row;
        struct repeat repeat;
        scripted_begin(&worker);
        scripted_run(&worker, &repeat, row);
        ck_assert_msg(repeat.verdict == row->verdict && repeat.calls == row->calls,
                      "%s: verdict %d after %u calls", sets[i].name, repeat.verdict, repeat.calls);
        ck_assert_msg(repeat_growers(&repeat) == row->growers, "%s: %zu", sets[i].name,
                      repeat_growers(&repeat));
        for (size_t k = 0; k < row->growers; k++) {
            const struct repeat_place *first = &repeat.places[k];
            ck_assert_msg(first->site == row->site, "%s: site %u", sets[i].name, first->site);
            ck_assert_msg(first->carried == sets[i].carried, "%s: %lld", sets[i].name,
                          (long long)first->carried);
            ck_assert_int_eq(first->carries, sets[i].carried > 0);
            ck_assert_int_eq(first->suppressed, row->suppressed >> row->site & 1);
            ck_assert_double_eq_tol(first->answer.per_call, row->per_call, 1e-9);
            ck_assert_double_eq_tol(first->bytes_per_call, sets[i].bytes, 1e-9);
        }
        repeat_fini(&repeat);
        observed_fini(&worker.seen);
    }
    struct repeat repeat;
    static const struct row slow = {
        .call = two_rise_slowly, .suppressed = 1 << 1, .limits = {.most = 30}};
    scripted_begin(&worker);
    scripted_run(&worker, &repeat, &slow);
    ck_assert_int_eq(repeat.verdict, CALLS_UNSURE);
    ck_assert_uint_eq(repeat.places[0].site, 2);
    ck_assert_uint_eq(repeat.places[1].site, 1);
    repeat_fini(&repeat);
    observed_fini(&worker.seen);
}
END_TEST

/* One thing at each of two places is what a kind grew by. */
START_TEST(a_single_thing_is_carried)
{
    static struct scripted worker;
    static const struct row row = {.name = "by hand"};
    struct repeat_place places[2] = {{.family = 1, .kind = WIRE_SITE_FD},
                                     {.family = 2, .kind = WIRE_SITE_FD}};
    struct repeat repeat = {.calls = 64, .places = places, .place_count = 2};
    struct repeat_ask ask = {
        .self = &worker, .suppressed = scripted_suppressed, .seen = &worker.seen};
    scripted_begin(&worker);
    worker.row = &row;
    for (uint32_t i = 0; i < 2; i++) {
        struct wire_site site;
        WIRE_INIT(&site, WIRE_SITE);
        site.site = site.family = i + 1;
        site.kind = WIRE_SITE_FD;
        site.live_blocks = i == 0;
        ck_assert(observed_take(&worker.seen, &site.head));
        series_add(&places[i].series, 3, 0);
        series_add(&places[i].blocks, 3, 0);
    }
    repeat.sum_answers[REPEAT_FDS].shape = SERIES_GROWS;
    growers_conclude(&repeat, &ask);
    ck_assert_uint_eq(repeat_growers(&repeat), 1);
    ck_assert_uint_eq(places[0].family, 1);
    ck_assert_int_eq(places[0].carried, 1);
    ck_assert(!places[1].carries);
    observed_fini(&worker.seen);
}
END_TEST

START_TEST(the_scan_for_what_is_lost_is_asked_for_seldom)
{
    static struct scripted worker;
    static const struct {
        struct row row;
        unsigned scans;
    } cases[] = {
        {{.call = leak}, 4},                        /* after 64, 256, 1,024, 4,096 calls */
        {{.call = leak, .unreachable = 1 << 1}, 1}, /* after 64 calls */
        {{.call = leak_sometimes, .unreachable = 1 << 1}, 1},
        {{.call = leak, .limits = {.moved_ns = 8 * CALL_NS}}, 1},
        {{.call = leak, .limits = {.moved_ns = 8 * CALL_NS}, .suppressed = 1 << 1}, 0},
        {{.call = flood}, 2}, /* after 8 and 64 */
        {{.call = toggle, .limits = {.moved_ns = 8 * CALL_NS}}, 0},
        {{.call = descriptors, .limits = {.moved_ns = 8 * CALL_NS}}, 0},
        {{.call = nothing, .limits = {.still_ns = 8 * CALL_NS}}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct repeat repeat;
        scripted_begin(&worker);
        scripted_run(&worker, &repeat, &cases[i].row);
        ck_assert_msg(worker.scans == cases[i].scans, "case %zu: %u scans", i, worker.scans);
        repeat_fini(&repeat);
        observed_fini(&worker.seen);
    }
}
END_TEST

SUITE("repeat", &scripts_come_to_their_verdicts, &figures_are_of_the_first_call_after_the_warm_up,
      &the_peak_is_asked_for_once, &what_is_waited_for_threads_is_bounded,
      &sleep_is_what_takes_four_times_the_processors_time_and_two_milliseconds,
      &places_stand_by_what_they_grow_and_suppressed_ones_after_them,
      &growers_are_those_that_grow_or_else_those_that_rose,
      &what_no_place_explains_is_carried_by_those_that_hold_it_now, &a_single_thing_is_carried,
      &the_scan_for_what_is_lost_is_asked_for_seldom)
