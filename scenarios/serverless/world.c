/* world.c - see world.h. Runs in the test program and in each instance. */
#include "world.h"

#include <check.h>
#include <ftw.h>
#include <math.h>
#include <sched.h>
#include <sys/mman.h>

struct world world = {.fd = -1};

static bool page_map(void)
{
    void *page = mmap(NULL, sizeof *world.page, PROT_READ | PROT_WRITE, MAP_SHARED, world.fd, 0);
    world.page = page == MAP_FAILED ? NULL : page;
    return world.page != NULL;
}

void world_make(void)
{
    const char *where = getenv("TMPDIR");
    world = (struct world){.fd = memfd_create("world", 0)};
    ck_assert_int_ge(world.fd, 0);
    ck_assert_int_eq(ftruncate(world.fd, sizeof *world.page), 0);
    ck_assert(page_map());
    world.page->now_ns = 1700000000 * SECOND;
    snprintf(world.folder, sizeof world.folder, "%.30s/tidemark-serverless-XXXXXX",
             where && strlen(where) <= 30 ? where : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(world.folder));
    snprintf(world.file, sizeof world.file, "%s/cache.db", world.folder);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    remove(path);
    return 0;
}

void world_end(void)
{
    redis_kill(&world.redis);
    nftw(world.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    munmap(world.page, sizeof *world.page);
    close(world.fd);
    world = (struct world){.fd = -1};
}

void world_other_file(void)
{
    snprintf(world.file, sizeof world.file, "%s/other.db", world.folder);
}

bool world_join(int fd, const char *file, const char *redis)
{
    world = (struct world){.fd = fd};
    snprintf(world.file, sizeof world.file, "%s", file);
    if (strcmp(redis, "-") != 0) {
        world.redis.pid = -1; /* another's */
        snprintf(world.redis.socket, sizeof world.redis.socket, "%s", redis);
    }
    return page_map();
}

bool world_redis(void)
{
    const char *missing = redis_missing();
    if (missing) {
        fprintf(stderr, "skipped: without Redis, %s\n", missing);
        return false;
    }
    ck_assert(redis_start(&world.redis, world.folder));
    return true;
}

void world_advance(uint64_t ns)
{
    world.page->now_ns += ns;
}

uint64_t world_now(void *unused)
{
    (void)unused;
    return world.page->now_ns;
}

/* Those who wait must not run the virtual clock ahead of a loader that is slow for real: they move
 * it a hundredth of what they wait. */
void world_wait(void *unused, uint64_t ns)
{
    struct timespec pause = {.tv_nsec = 1000000};
    (void)unused;
    world.page->now_ns += ns / 100;
    nanosleep(&pause, NULL);
}

static void gates_pass(void)
{
    struct timespec pause = {.tv_nsec = 1000000};
    struct page *page = world.page;
    page->inside++;
    while (page->begun < page->gate_begun || page->inside < page->gate_inside) {
        nanosleep(&pause, NULL);
    }
}

bool world_load(void *unused, struct store_key key, const void **data, size_t *bytes)
{
    static char text[1 << 17];
    (void)unused;
    uint32_t state = world.page->state; /* of the moment when it was asked */
    world.page->calls++;
    gates_pass();
    world_advance(SOURCE_NS);
    size_t length =
        (size_t)snprintf(text, sizeof text, "%u %.*s ", state, (int)key.length, key.text);
    size_t wanted = world.page->value_bytes;
    if (wanted > length && wanted <= sizeof text) {
        memset(text + length, '.', wanted - length);
        length = wanted;
    }
    *data = text;
    *bytes = length;
    return !world.page->failing && !(key.length == 6 && memcmp(key.text, "broken", 6) == 0);
}

uint32_t world_state_of(const void *data, size_t bytes)
{
    char start[32] = "";
    memcpy(start, data, bytes < sizeof start - 1 ? bytes : sizeof start - 1);
    return (uint32_t)strtoul(start + strcspn(start, "0123456789"), NULL, 10);
}

double random_unit(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15u; /* SplitMix64 */
    uint64_t z = *seed;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return ((double)((z ^ z >> 31) >> 11) + 0.5) / 9007199254740992.0;
}

uint64_t random_gap(uint64_t *seed, uint64_t mean_ns)
{
    return (uint64_t)(-log(random_unit(seed)) * (double)mean_ns);
}
