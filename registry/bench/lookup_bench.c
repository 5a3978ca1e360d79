/*
 * lookup_bench.c - the look-up of the registry beside hash tables that are at hand.
 *
 *   lookup_bench [--rounds N] TABLES.so...
 *
 * For each catalogue (compiled in, with tables.c, as a shared object; read from disk anew, huge
 * pages asked for) the contenders take turns in rounds within one process; a figure is the median
 * over the rounds of the thread's CPU time (of wall time where cold). Queries are copies of the
 * keys in the order in which they are asked, so reading them costs every contender the same. Absent
 * keys are real ones with one byte changed. "cold" is a look-up after 96 MiB of other data went
 * through the caches, the query itself warm. Ratios are against the fastest peer present.
 *
 * Every key is looked up by every contender before anything is timed. Single-threaded.
 */
#include "registry/bench/contender.h"
#include "registry/image.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum load { UNIFORM, ZIPF, MISS, DEPENDENT, COLD, LOAD_COUNT };

static const char load_names[LOAD_COUNT][16] = {"uniform", "zipf .99", "miss", "dependent", "cold"};

static const struct contender *const contenders[] = {
    &contender_inline,     &contender_call, &contender_batch, &contender_portable,
#ifdef HAVE_BOOST
    &contender_boost_fold,
#endif
#ifdef HAVE_ABSL
    &contender_absl_fold,  &contender_absl,
#endif
#ifdef HAVE_VERSTABLE
    &contender_verstable,
#endif
#ifdef HAVE_KHASH
    &contender_khash,
#endif
    &contender_std,
#ifdef HAVE_GLIB
    &contender_glib,
#endif
#ifdef HAVE_UTHASH
    &contender_uthash,
#endif
    &contender_bsearch,
};
#define CONTENDERS   (sizeof contenders / sizeof contenders[0])
#define ROUNDS_MOST  121
#define COLD_AT_ONCE 16
#define COLD_ROUNDS  121 /* sixteen look-ups say little: a page walk more or less decides */
#define MIB          1048576.0
#define WASH_BYTES   (UINT64_C(96) << 20)

struct queries {
    struct registry_text *text;
    char *bytes;
    size_t count;
    uint64_t sum; /* what `all` must return */
};

struct bench {
    const struct registry_image *image;
    struct lookup_keys keys;
    struct queries queries[3]; /* UNIFORM, ZIPF, MISS */
    void *table[CONTENDERS];
    double bytes[CONTENDERS]; /* per entry, heap; 0: not a heap table */
    double ns[CONTENDERS][LOAD_COUNT];
    unsigned rounds;
};

static uint64_t state = 88172645463325252u;

static uint64_t random_next(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void die(const char *what)
{
    perror(what);
    exit(99);
}

static void *get(size_t count, size_t size)
{
    void *block = calloc(count > 0 ? count : 1, size);
    if (!block) {
        die("lookup_bench");
    }
    return block;
}

/* CLOCK_THREAD_CPUTIME_ID leaves out what other programs did meanwhile; CLOCK_MONOTONIC is cheaper.
 */
static double now_ns(clockid_t clock)
{
    struct timespec time;
    (void)clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The page cache forgets the file, as it has after the machine's start: what it holds may have been
 * read in small pages. */
static void file_forget(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        perror(path);
        exit(2);
    }
    if (fdatasync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0) {
        die(path);
    }
    (void)close(fd);
}

static const struct registry_image *tables_open(const char *path)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *entry = object != NULL ? dlsym(object, "bench_tables") : NULL;
    if (entry == NULL) {
        (void)fprintf(stderr, "lookup_bench: %s\n", dlerror());
        exit(2);
    }
    const struct registry_image *(*tables)(void);
    memcpy(&tables, &entry, sizeof tables);
    const struct registry_image *image = tables();
    if (!registry_image_valid(image, image->bytes)) {
        (void)fprintf(stderr, "lookup_bench: %s is of another registry-generate\n", path);
        exit(2);
    }
    (void)registry_image_advise_huge_pages(image);
    return image;
}

/* Of the mapping that holds `address`: what the kernel maps by huge pages, in bytes. */
static unsigned long huge_bytes(const void *address)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    unsigned long kib = 0;
    bool within = false;
    char line[512];
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        char *end;
        unsigned long from = strtoul(line, &end, 16);
        if (*end == '-') {
            unsigned long to = strtoul(end + 1, NULL, 16);
            within = from <= (uintptr_t)address && (uintptr_t)address < to;
        } else if (within && strncmp(line, "FilePmdMapped:", 14) == 0) {
            kib = strtoul(line + 14, NULL, 10);
        }
    }
    if (maps != NULL) {
        (void)fclose(maps);
    }
    return kib * 1024;
}

static void keys_copy(struct bench *bench)
{
    uint32_t count = registry_image_count(bench->image);
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        bytes += registry_image_key(bench->image, i).length + 1;
    }
    struct registry_text *keys = get(count, sizeof *keys);
    char *to = get(bytes + 64, 1);
    for (uint32_t i = 0; i < count; i++) {
        struct registry_text key = registry_image_key(bench->image, i);
        memcpy(to, key.data, key.length);
        keys[i] = (struct registry_text){to, key.length};
        to += key.length + 1;
    }
    bench->keys = (struct lookup_keys){keys, count, bench->image};
}

/* Ranks by the harmonic sums of i^-0.99; keys are shuffled, so that rank says nothing of order. */
static uint32_t *zipf_draw(uint32_t keys, size_t count)
{
    double *sums = get(keys, sizeof *sums), sum = 0;
    uint32_t *order = get(keys, sizeof *order), *drawn = get(count, sizeof *drawn);
    for (uint32_t i = 0; i < keys; i++) {
        sum += pow(i + 1.0, -0.99);
        sums[i] = sum;
        uint32_t at = (uint32_t)(random_next() % (i + 1));
        order[i] = order[at];
        order[at] = i;
    }
    for (size_t i = 0; i < count; i++) {
        double point = (double)(random_next() >> 11) * 0x1p-53 * sum;
        uint32_t low = 0, high = keys - 1;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (sums[middle] < point) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        drawn[i] = order[low];
    }
    free(order);
    free(sums);
    return drawn;
}

static void queries_fill(struct bench *bench, enum load load, size_t count)
{
    struct queries *queries = &bench->queries[load];
    uint32_t *drawn =
        load == ZIPF ? zipf_draw(bench->keys.count, count) : get(count, sizeof *drawn);
    size_t bytes = 64;
    for (size_t i = 0; i < count; i++) {
        if (load != ZIPF) {
            drawn[i] = (uint32_t)(random_next() % bench->keys.count);
        }
        bytes += bench->keys.key[drawn[i]].length + 1;
    }
    *queries = (struct queries){
        .text = get(count, sizeof *queries->text), .bytes = get(bytes, 1), .count = count};
    char *to = queries->bytes;
    for (size_t i = 0; i < count; i++) {
        struct registry_text key = bench->keys.key[drawn[i]];
        memcpy(to, key.data, key.length);
        queries->text[i] = (struct registry_text){to, key.length};
        while (load == MISS && registry_image_find(bench->image, to, key.length) != REGISTRY_NONE) {
            to[random_next() % key.length] = (char)('a' + random_next() % 26);
        }
        queries->sum += load == MISS ? 0 : (uint64_t)drawn[i] + 1;
        to += key.length + 1;
    }
    free(drawn);
}

static void queries_fini(struct queries *queries)
{
    free(queries->text);
    free(queries->bytes);
}

/* Every key, by every contender. */
static void bench_verify(const struct bench *bench, size_t c)
{
    for (uint32_t i = 0; i < bench->keys.count; i++) {
        if (contenders[c]->all(bench->table[c], &bench->keys.key[i], 1) != (uint64_t)i + 1) {
            (void)fprintf(stderr, "lookup_bench: %s gets key %u wrong\n", contenders[c]->name, i);
            exit(99);
        }
    }
}

static void bench_build(struct bench *bench)
{
    for (size_t c = 0; c < CONTENDERS; c++) {
        struct mallinfo2 before = mallinfo2();
        bench->table[c] = contenders[c]->build(&bench->keys);
        struct mallinfo2 after = mallinfo2();
        double heap =
            (double)(after.uordblks + after.hblkhd) - (double)(before.uordblks + before.hblkhd);
        bench->bytes[c] = heap / bench->keys.count;
        bench_verify(bench, c);
    }
}

static double run_once(const struct bench *bench, size_t c, enum load load)
{
    const struct queries *queries = &bench->queries[load == DEPENDENT ? UNIFORM : load];
    double start = now_ns(CLOCK_THREAD_CPUTIME_ID);
    uint64_t sum = load == DEPENDENT
                       ? contenders[c]->chain(bench->table[c], queries->text, queries->count)
                       : contenders[c]->all(bench->table[c], queries->text, queries->count);
    double ns = (now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)queries->count;
    if (sum != queries->sum) {
        (void)fprintf(stderr, "lookup_bench: %s found the wrong models\n", contenders[c]->name);
        exit(99);
    }
    return ns;
}

static volatile uint64_t sink;

/* Waits until everything before it is done. */
static void fence(void)
{
#if defined(__x86_64__)
    __asm__ volatile("lfence" ::: "memory");
#elif defined(__aarch64__)
    __asm__ volatile("dsb sy\n\tisb" ::: "memory");
#endif
}

static int double_compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, double_compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* One look-up after the wash warms code and header; those timed then are cold in their data alone.
 * The median: now and then the machine takes a microsecond for itself. */
static double run_cold(const struct bench *bench, size_t c, char *wash)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < WASH_BYTES; i += 64) {
        sum += (uint64_t)wash[i]++;
    }
    const struct queries *queries = &bench->queries[UNIFORM];
    size_t at = random_next() % (queries->count - COLD_AT_ONCE - 1);
    for (size_t i = at; i <= at + COLD_AT_ONCE; i++) {
        for (uint32_t k = 0; k < queries->text[i].length; k++) {
            sum += (uint64_t)queries->text[i].data[k];
        }
    }
    sum += contenders[c]->chain(bench->table[c], queries->text + at, 1);
    double ns[COLD_AT_ONCE];
    for (size_t i = 0; i < COLD_AT_ONCE; i++) {
        double start = now_ns(CLOCK_MONOTONIC);
        sum += contenders[c]->chain(bench->table[c], queries->text + at + 1 + i, 1);
        fence(); /* the verified answer is there, not a guess */
        ns[i] = now_ns(CLOCK_MONOTONIC) - start;
    }
    sink = sum;
    return median(ns, COLD_AT_ONCE);
}

static void bench_load(struct bench *bench, enum load load)
{
    double(*ns)[ROUNDS_MOST] = get(CONTENDERS, sizeof *ns);
    char *wash = load == COLD ? get(WASH_BYTES, 1) : NULL;
    for (unsigned round = 0; round < bench->rounds + 1; round++) {
        for (size_t i = 0; i < CONTENDERS; i++) {
            size_t c = round % 2 ? CONTENDERS - 1 - i : i; /* there and back */
            if (!contenders[c]->chain && load >= DEPENDENT) {
                continue;
            }
            double figure = load == COLD ? run_cold(bench, c, wash) : run_once(bench, c, load);
            if (round > 0) { /* the first one warms up */
                ns[c][round - 1] = figure;
            }
        }
    }
    for (size_t c = 0; c < CONTENDERS; c++) {
        bench->ns[c][load] = median(ns[c], bench->rounds);
    }
    free(wash);
    free(ns);
}

static void print_ratios(const struct bench *bench)
{
    for (size_t c = 0; c < CONTENDERS && contenders[c]->ours; c++) {
        (void)printf("%-24s", c == 0 ? "against the best peer" : "");
        for (unsigned load = 0; load < LOAD_COUNT; load++) {
            double best = 0;
            for (size_t p = 0; p < CONTENDERS; p++) {
                double ns = bench->ns[p][load];
                best = !contenders[p]->ours && (best == 0 || ns < best) ? ns : best;
            }
            if (bench->ns[c][load] > 0) {
                (void)printf("%9.2fx", bench->ns[c][load] / best);
            } else {
                (void)printf("%10s", "-");
            }
        }
        (void)printf("  %s\n", contenders[c]->name);
    }
}

/* What is to be reached, beside what was: times the best peer, 0 where nothing is asked for. */
static const struct {
    const char *name;
    uint32_t keys; /* from so many on */
    double most[LOAD_COUNT];
} bars[] = {
    {"at most, inline", 0, {0.70, 0.70, 0.65, 1.05, 0.80}},
    {"at most, call", 0, {0.80, 0.80, 0.85, 0, 0}},
    {"at most, batch", 2700000, {0.30, 0.30, 0, 0, 0}},
};

static void print_bars(const struct bench *bench)
{
    for (size_t i = 0; i < sizeof bars / sizeof bars[0]; i++) {
        if (bench->keys.count < bars[i].keys) {
            continue;
        }
        (void)printf("%-24s", bars[i].name);
        for (unsigned load = 0; load < LOAD_COUNT; load++) {
            if (bars[i].most[load] > 0) {
                (void)printf("%9.2fx", bars[i].most[load]);
            } else {
                (void)printf("%10s", "-");
            }
        }
        (void)printf("\n");
    }
}

static void bench_print(const struct bench *bench)
{
    (void)printf("\n%u keys, ns a look-up; %.0f of the tables' %.0f MiB in huge pages\n%-24s",
                 bench->keys.count, (double)huge_bytes(bench->image) / MIB,
                 (double)bench->image->bytes / MIB, "");
    for (unsigned load = 0; load < LOAD_COUNT; load++) {
        (void)printf("%10s", load_names[load]);
    }
    (void)printf("%10s\n", "B/entry");
    size_t key_bytes = 0;
    for (uint32_t i = 0; i < bench->keys.count; i++) {
        key_bytes += bench->keys.key[i].length;
    }
    for (size_t c = 0; c < CONTENDERS; c++) {
        (void)printf("%-24s", contenders[c]->name);
        for (unsigned load = 0; load < LOAD_COUNT; load++) {
            if (bench->ns[c][load] > 0) {
                (void)printf("%10.1f", bench->ns[c][load]);
            } else {
                (void)printf("%10s", "-");
            }
        }
        /* Keys counted for all: ours hold them, peers point to them. */
        double bytes =
            contenders[c]->ours
                ? (double)(bench->image->records - bench->image->pilots) / bench->keys.count
                : bench->bytes[c] + (double)key_bytes / bench->keys.count;
        (void)printf("%10.1f\n", bytes);
    }
    print_ratios(bench);
    print_bars(bench);
    (void)fflush(stdout);
}

static void bench_image(const char *path, unsigned rounds)
{
    struct bench bench = {.image = tables_open(path)};
    keys_copy(&bench);
    size_t count = 65536;
    while (count < bench.keys.count && count < 1048576) {
        count *= 2;
    }
    for (unsigned load = UNIFORM; load <= MISS; load++) {
        queries_fill(&bench, load, count);
    }
    bench_build(&bench);
    for (unsigned load = 0; load < LOAD_COUNT; load++) {
        /* A pass over a small table takes a millisecond: more of them steady the median. */
        bench.rounds = load == COLD ? COLD_ROUNDS : bench.keys.count < 100000 ? rounds * 4 : rounds;
        bench_load(&bench, load);
    }
    bench_print(&bench);
    for (size_t c = 0; c < CONTENDERS; c++) {
        contenders[c]->release(bench.table[c]);
    }
    for (unsigned load = UNIFORM; load <= MISS; load++) {
        queries_fini(&bench.queries[load]);
    }
    free((void *)bench.keys.key[0].data);
    free((void *)bench.keys.key);
}

int main(int argc, char **argv)
{
    unsigned rounds = 9;
    int at = 1;
    if (argc > 2 && strcmp(argv[1], "--rounds") == 0) {
        rounds = (unsigned)strtoul(argv[2], NULL, 10);
        at = 3;
    }
    if (at >= argc || rounds < 1 || rounds > ROUNDS_MOST / 4) {
        (void)fprintf(stderr, "usage: lookup_bench [--rounds 1..%d] TABLES.so...\n",
                      ROUNDS_MOST / 4);
        return 2;
    }
    for (int i = at; i < argc; i++) {
        file_forget(argv[i]); /* all first: what is written to disk disturbs */
    }
    for (; at < argc; at++) {
        bench_image(argv[at], rounds);
    }
    return 0;
}
