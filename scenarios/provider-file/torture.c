/* torture.c - see torture.h. The supervisor is the test's process (or the program itself, with
 * --torture); the workers are forked from it. */
#include "torture.h"

#include "rows.h"
#include "scenarios/upstream/upstream.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GENERATIONS      65536u
#define KILL_EVERY_NS    10000000u
#define DIE_ONE_IN       3  /* refreshes that die at a point of their own */
#define POINTS           90 /* that a refresh passes, about: 64 of them are pieces written */
#define LOOKUPS_A_HANDLE 32

struct slot {
    pid_t pid; /* the supervisor's */
    _Atomic uint64_t lookups, outcomes[6], corrupt, damaged, went_back;
    _Atomic bool asked; /* the upstream, and that look-up is not over */
    _Atomic bool by_itself;
};

struct arena { /* shared by all */
    struct slot slots[HERD_MOST];
    _Atomic uint64_t begun[GENERATIONS]; /* when a generation's fetch began */
    _Atomic uint64_t conflicts;
    _Atomic bool over;
};

struct worker {
    struct arena *arena;
    struct slot *slot;
    const struct torture *torture;
    int port;
    uint64_t random;
    unsigned die_in; /* points from now on; 0: lives */
    char text[DOCUMENT_BYTES + 64];
};

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void rest_ns(uint64_t ns)
{
    struct timespec pause = {.tv_nsec = (long)ns};
    nanosleep(&pause, NULL);
}

/* A worker. -------------------------------------------------------------------------------------
 */

static bool worker_point(void *context, enum file_point point)
{
    struct worker *worker = context;
    if (point == FILE_POINT_LOCK_TAKEN && random_next(&worker->random) % DIE_ONE_IN == 0) {
        worker->die_in = 1 + (unsigned)(random_next(&worker->random) % POINTS);
    }
    if (worker->die_in > 0 && --worker->die_in == 0) {
        worker->slot->by_itself = true;
        kill(getpid(), SIGKILL);
    }
    return true;
}

static bool worker_fetch(void *context, const char *etag, struct file_answer_of_source *answer)
{
    struct worker *worker = context;
    struct upstream_body body;
    char url[64];
    (void)etag;
    worker->slot->asked = true;
    snprintf(url, sizeof url, "/%u/0/0/providers", worker->torture->latency_ms);
    bool ok = upstream_get(worker->port, url, NULL, 30000, &body) == 200 &&
              body.bytes <= sizeof worker->text;
    if (ok) {
        memcpy(worker->text, body.text, body.bytes);
        *answer = (struct file_answer_of_source){.data = worker->text, .bytes = body.bytes};
    }
    free(body.text);
    return ok;
}

static struct file_options worker_options(struct worker *worker, const char *where)
{
    return (struct file_options){.path = where,
                                 .ttl_ns = worker->torture->ttl_ns,
                                 .grace_ns = 3600000000000u,
                                 .versions = 2,
                                 .piece_bytes = PIECE_BYTES,
                                 .on_timeout = FILE_ON_TIMEOUT_WAIT,
                                 .patience_ns = 600000000000u,
                                 .fetch = worker_fetch,
                                 .context = worker,
                                 .point = worker_point,
                                 .point_context = worker};
}

static void answer_check(struct worker *worker, const struct file_snapshot *snapshot,
                         uint64_t *newest)
{
    struct arena *arena = worker->arena;
    const struct file_head *head = &snapshot->head;
    uint64_t none = 0;
    uint32_t serial;
    if (!document_check(snapshot->data, head->bytes, &serial)) {
        worker->slot->corrupt++;
    }
    worker->slot->went_back += head->generation < *newest;
    *newest = head->generation;
    if (!atomic_compare_exchange_strong(&arena->begun[head->generation % GENERATIONS], &none,
                                        head->begun.boot_ns)) {
        arena->conflicts += none != head->begun.boot_ns;
    }
}

/* What the cache has found damaged since it was last asked. */
static uint64_t damaged_since(struct file_cache *cache, uint64_t *before)
{
    struct file_statistics statistics;
    file_cache_statistics(cache, &statistics);
    uint64_t since = statistics.corrupt - *before;
    *before = statistics.corrupt;
    return since;
}

static void worker_run(struct worker *worker, const char *where)
{
    struct file_options options = worker_options(worker, where);
    uint64_t newest = 0;
    while (!worker->arena->over) {
        struct file_cache *cache = file_cache_new(&options);
        uint64_t damaged = 0;
        for (int i = 0; cache && i < LOOKUPS_A_HANDLE && !worker->arena->over; i++) {
            struct file_answer answer;
            if (file_cache_get(cache, &answer)) {
                answer_check(worker, answer.snapshot, &newest);
            }
            worker->slot->damaged += damaged_since(cache, &damaged);
            worker->slot->asked = false;
            worker->die_in = 0;
            worker->slot->outcomes[answer.outcome]++;
            worker->slot->lookups++;
            file_answer_release(&answer);
            rest_ns(random_next(&worker->random) % 2000000);
        }
        file_cache_free(&cache);
    }
}

/* The supervisor. -------------------------------------------------------------------------------
 */

static bool worker_start(struct arena *arena, unsigned i, const struct torture *torture, int port,
                         const char *where, uint64_t seed)
{
    struct slot *slot = &arena->slots[i];
    slot->asked = slot->by_itself = false;
    pid_t pid = fork(); /* not into the slot at once: the child would write its 0 there too */
    if (pid == 0) {
        struct worker worker = {
            .arena = arena, .slot = slot, .torture = torture, .port = port, .random = seed | 1};
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        worker_run(&worker, where);
        _exit(0);
    }
    slot->pid = pid;
    return pid > 0;
}

/* Counts the dead, and puts others in their place unless it is over. False: that failed. */
static bool workers_reap(struct arena *arena, struct torture *torture, int port, const char *where,
                         uint64_t *random, bool replace)
{
    bool ok = true;
    for (unsigned i = 0; ok && i < torture->processes; i++) {
        struct slot *slot = &arena->slots[i];
        int status;
        if (slot->pid <= 0 || waitpid(slot->pid, &status, replace ? WNOHANG : 0) != slot->pid) {
            continue;
        }
        slot->pid = 0;
        if (WIFSIGNALED(status)) {
            torture->kills_inside += slot->by_itself;
            torture->kills_outside += !slot->by_itself;
            torture->died_refreshing += slot->asked;
        }
        ok = !replace || worker_start(arena, i, torture, port, where, random_next(random));
    }
    return ok;
}

static void figures_add(const struct arena *arena, struct torture *torture)
{
    for (unsigned i = 0; i < torture->processes; i++) {
        const struct slot *slot = &arena->slots[i];
        torture->lookups += slot->lookups;
        torture->memory_hits += slot->outcomes[FILE_MEMORY_HIT];
        torture->hits += slot->outcomes[FILE_HIT];
        torture->fetched += slot->outcomes[FILE_FETCHED];
        torture->stale += slot->outcomes[FILE_STALE];
        torture->failed += slot->outcomes[FILE_FAILED];
        torture->corrupt += slot->corrupt;
        torture->damaged += slot->damaged;
        torture->went_back += slot->went_back;
    }
    torture->conflicts = arena->conflicts;
}

/* One last process that lives: what the dead left must not be in its way. */
static bool last_refresh(struct arena *arena, struct torture *torture, int port, const char *where)
{
    struct worker worker = {
        .arena = arena, .slot = &arena->slots[0], .torture = torture, .port = port};
    struct file_options options = worker_options(&worker, where);
    struct file_answer answer;
    options.point = NULL;
    struct file_cache *cache = file_cache_new(&options);
    bool ok = cache && file_cache_refresh(cache, &answer);
    if (ok) {
        uint64_t newest = 0;
        answer_check(&worker, answer.snapshot, &newest);
        torture->published = newest - 1;
        file_answer_release(&answer);
    }
    file_cache_free(&cache);
    torture->temporaries = folder_count(".tmp");
    torture->requests = upstream_count(port) - 1;
    return ok;
}

/* Generations that nobody lived to see
 * are passed over: then the two around them are the further apart. */
static uint64_t publications_too_early(const struct arena *arena, const struct torture *torture)
{
    uint64_t early = 0, before = 0;
    for (uint64_t g = 1; g <= torture->published && g < GENERATIONS; g++) {
        uint64_t begun = arena->begun[g];
        early += begun && before && begun - before < torture->ttl_ns;
        before = begun ? begun : before;
    }
    return early;
}

bool torture_run(struct torture *torture, const char *where)
{
    struct upstream upstream;
    struct arena *arena =
        mmap(NULL, sizeof *arena, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t begun = now_ns(), end = begun + torture->seconds * 1000000000ull;
    uint64_t random = begun | 1;
    if (arena == MAP_FAILED || torture->processes == 0 || torture->processes > HERD_MOST ||
        !upstream_start(&upstream)) {
        return false;
    }
    bool ok = true;
    for (unsigned i = 0; ok && i < torture->processes; i++) {
        ok = worker_start(arena, i, torture, upstream.port, where, random_next(&random));
    }
    while (ok && now_ns() < end) {
        const struct slot *slot = &arena->slots[random_next(&random) % torture->processes];
        rest_ns(KILL_EVERY_NS / 2 + random_next(&random) % KILL_EVERY_NS);
        if (slot->pid > 0) {
            kill(slot->pid, SIGKILL);
        }
        ok = workers_reap(arena, torture, upstream.port, where, &random, true);
    }
    arena->over = true;
    (void)workers_reap(arena, torture, upstream.port, where, &random, false);
    torture->periods = (double)(now_ns() - begun) / (double)torture->ttl_ns;
    figures_add(arena, torture);
    ok = ok && last_refresh(arena, torture, upstream.port, where);
    torture->too_early = publications_too_early(arena, torture);
    upstream_stop(&upstream);
    munmap(arena, sizeof *arena);
    return ok;
}

bool torture_holds(const struct torture *torture)
{
    return torture->corrupt == 0 && torture->damaged == 0 && torture->went_back == 0 &&
           torture->conflicts == 0 && torture->failed == 0 && torture->too_early == 0 &&
           torture->temporaries == 0 && torture->published > 1 && torture->lookups > 0 &&
           torture->requests >= torture->published &&
           torture->requests <= torture->published + torture->died_refreshing &&
           (double)torture->published <= torture->periods + 1;
}

#define FIGURE(words, field) printf("%-46s%12llu\n", words, (unsigned long long)torture.field)

bool torture_main(unsigned processes, unsigned seconds)
{
    struct torture torture = {
        .processes = processes, .seconds = seconds, .ttl_ns = 1000000000, .latency_ms = 20};
    folder_make();
    bool ok = torture_run(&torture, path);
    printf("%u processes, %u s, TTL 1 s, upstream 20 ms\n", processes, seconds);
    FIGURE("look-ups", lookups);
    FIGURE("  from memory", memory_hits);
    FIGURE("  from a fresh file", hits);
    FIGURE("  from the upstream", fetched);
    FIGURE("  from an old file while another refreshes", stale);
    FIGURE("  without an answer", failed);
    FIGURE("corrupt documents", corrupt);
    FIGURE("files found damaged", damaged);
    FIGURE("older documents after newer ones", went_back);
    FIGURE("generations with two documents", conflicts);
    FIGURE("killed from outside", kills_outside);
    FIGURE("killed at a point of a refresh", kills_inside);
    FIGURE("  of all, after asking the upstream", died_refreshing);
    FIGURE("requests that the upstream saw", requests);
    FIGURE("documents published", published);
    FIGURE("  sooner than a TTL after the one before", too_early);
    printf("%-46s%12.2f\n", "TTL periods", torture.periods);
    printf("%-46s%12.2f\n", "published in a TTL period",
           (double)torture.published / torture.periods);
    FIGURE("temporary files left", temporaries);
    ok = ok && torture_holds(&torture);
    printf("%s\n", ok ? "holds" : "DOES NOT HOLD");
    folder_remove();
    return ok;
}

/* The table. ------------------------------------------------------------------------------------
 */

static void herd_line(const struct variant *variant, int port, unsigned latency_ms)
{
    folder_make();
    struct herd *herd = herd_new(path, 14);
    uint64_t before = upstream_count(port), longest = 0;
    herd->port = port;
    herd->latency_ms = latency_ms;
    herd->real = true;
    herd->fallback = true;
    herd_run(herd, variant->load);
    for (unsigned i = 0; i < herd->count; i++) {
        longest = herd->took_ns[i] > longest ? herd->took_ns[i] : longest;
    }
    printf("%-14s%8.1f%9llu%8u%8u%10u%9u%9.2f\n", variant->name, latency_ms / 1000.0,
           (unsigned long long)(upstream_count(port) - before), herd_ended(herd, ENDING_HIT),
           herd_ended(herd, ENDING_OLD), herd_ended(herd, ENDING_TIMEOUT),
           herd_ended(herd, ENDING_NOT_WRITTEN) + herd_ended(herd, ENDING_CORRUPT),
           (double)longest / 1e9);
    fflush(stdout);
    herd_free(&herd);
    folder_remove();
}

bool herd_table_main(void)
{
    static const unsigned latencies[] = {200, 800, 2000};
    struct upstream upstream;
    if (!upstream_start(&upstream)) {
        return false;
    }
    printf("%-14s%8s%9s%8s%8s%10s%9s%9s\n", "14 processes", "source", "fetches", "hits", "old",
           "time-outs", "errors", "longest");
    for (const struct variant *variant = variants; variant->name; variant++) {
        for (size_t i = 0; i < sizeof latencies / sizeof latencies[0]; i++) {
            herd_line(variant, upstream.port, latencies[i]);
        }
    }
    upstream_stop(&upstream);
    return true;
}
