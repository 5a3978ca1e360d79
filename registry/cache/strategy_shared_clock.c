/*
 * strategy_shared_clock.c - a bounded cache for many threads whose hits take no lock: CLOCK in up
 * to 64 shards. A hit reads only, but for a bit that is set once; so hits of all threads go on at
 * once.
 *
 * Each shard has a sequence number: odd while a writer changes the shard. A reader notes it, looks
 * the key up, copies the value to its own thread (thread_copy.h), and looks again: the same even
 * number means that nothing moved. After a few vain tries it takes the lock. All that readers may
 * see is read and written by atomic words, so there is no data race in the sense of C11; a torn
 * value is seen by nobody, because the number has changed. A chain walked while it changes may lead
 * astray, never out of the slab and never for ever: the steps are counted.
 *
 *   shard:  lock, sequence, hand | heads, entries, cells (key, then value)
 *
 * CLOCK, not SIEVE or LRU, since its order is that of the array: no links, nothing to move. The
 * source is asked without the lock.
 */
#include "registry/cache/key_hash.h"
#include "registry/cache/spinlock.h"
#include "registry/cache/thread_copy.h"
#include "registry/cache/thread_lane.h"
#include "registry/strategy.h"

#include <stdlib.h>

#define SHARDS_DEFAULT 16u
#define SHARDS_MAX     64u
#define ENTRIES        1024u
#define KEY_MAX        248u /* longer keys are not held */
#define END            UINT32_MAX
#define TRIES          4
#define STEPS          64 /* of a chain: four times what chance brings even in the longest */

typedef _Atomic uint64_t word;

struct clock_entry {        /* 16 bytes */
    _Atomic uint32_t chain; /* next entry of the bucket, or END */
    _Atomic uint32_t value_bytes;
    _Atomic uint16_t key_bytes; /* 0 and a value of 0 bytes: free; see `held` */
    _Atomic uint8_t tag;
    _Atomic uint8_t visited;                  /* hit since the hand went by */
    uint32_t bucket : 30, held : 1, used : 1; /* writers only; used: hit since it came */
};

struct clock_shard {
    _Alignas(64) struct spinlock lock;
    uint32_t hand;
    uint64_t entries, evictions, evicted_unused;
    _Alignas(64) _Atomic uint64_t sequence; /* on a line that only writers dirty */
    _Atomic uint32_t *heads;
    struct clock_entry *list;
    word *cells;
    uint32_t count;
};

struct clock_lane {
    _Alignas(64) _Atomic uint64_t hits, misses, loads;
};

struct shared_clock {
    const struct strategy_source *source;
    struct clock_shard *shards;
    uint32_t shard_count;
    uint32_t cell_words, key_words, value_words, key_bytes_max;
    uint32_t entry_bytes;
    void *slab;
    void (*evicted)(void *, const char *, size_t, const struct strategy_value *);
    void *listener;
    struct clock_lane lanes[THREAD_LANES];
};

static uint64_t word_read(const word *at)
{
    return atomic_load_explicit(at, memory_order_acquire);
}

/* A text's bytes from `at` on as a word, padded with zeros at its end. */
static inline uint64_t text_word(const char *text, size_t length, size_t at)
{
    if (at + 8 <= length) {
        return key_load64(text + at);
    }
    uint64_t last = 0;
    memcpy(&last, text + at, length - at);
    return last;
}

static void words_write(word *to, const void *from, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += 8) {
        atomic_store_explicit(to++, text_word(from, bytes, at), memory_order_release);
    }
}

static void words_copy(void *to, const word *from, size_t bytes)
{
    unsigned char *out = to;
    for (size_t at = 0; at < bytes; at += 8) { /* the buffer is a multiple of 8 */
        uint64_t value = word_read(from++);
        memcpy(out + at, &value, 8);
    }
}

/* A key of the usual length is kept as the four blocks that it is read in (registry_hash.h): eight
 * words whatever its length, so that the comparison has no loop. Others are kept as they are. */
struct clock_key {
    const char *text;
    size_t length;
    uint64_t hash;
    struct registry_words words; /* of the usual length only */
};

static inline void clock_key_init(struct clock_key *key, const char *text, size_t length)
{
    key->text = text;
    key->length = length;
    key->hash = key_hash(text, length);
    if (key_usual(length)) {
        registry_words_load(&key->words, text, registry_hash_second(length),
                            registry_hash_third(length), length - 16);
    }
}

static inline bool cell_key_equal(const word *cell, const struct clock_key *key)
{
    uint64_t differs = 0;
    if (key_usual(key->length)) {
        for (unsigned i = 0; i < 8; i++) {
            differs |= word_read(&cell[i]) ^ key->words.word[i];
        }
    } else {
        for (size_t at = 0; at < key->length; at += 8) {
            differs |= word_read(cell++) ^ text_word(key->text, key->length, at);
        }
    }
    return differs == 0;
}

static void cell_key_write(word *cell, const struct clock_key *key)
{
    if (key_usual(key->length)) {
        words_write(cell, key->words.word, sizeof key->words.word);
    } else {
        words_write(cell, key->text, key->length);
    }
}

/* The key of a cell as text, for the listener. */
static void cell_key_read(const word *cell, char *text, size_t length)
{
    struct registry_words words;
    if (!key_usual(length)) {
        words_copy(text, cell, length);
        return;
    }
    words_copy(&words, cell, sizeof words);
    memcpy(text, &words.word[0], 16);
    memcpy(text + registry_hash_second(length), &words.word[2], 16);
    memcpy(text + registry_hash_third(length), &words.word[4], 16);
    memcpy(text + length - 16, &words.word[6], 16);
}

static struct clock_shard *clock_shard_of(const struct shared_clock *clock, uint64_t hash)
{
    return &clock->shards[((hash >> 32 & 0xffff) * clock->shard_count) >> 16];
}

static uint32_t clock_bucket(const struct clock_shard *shard, uint64_t hash)
{
    return (uint32_t)((uint64_t)(uint32_t)hash * (2 * shard->count) >> 32);
}

/* Key first, then the value. */
static word *clock_cell(const struct shared_clock *clock, const struct clock_shard *shard,
                        uint32_t n)
{
    return shard->cells + (size_t)n * clock->cell_words;
}

/* The entry of a key, or END. Under the lock it is right; without, the caller checks the sequence.
 */
static inline uint32_t clock_find(const struct shared_clock *clock, const struct clock_shard *shard,
                                  const struct clock_key *key, unsigned steps)
{
    uint32_t n =
        atomic_load_explicit(&shard->heads[clock_bucket(shard, key->hash)], memory_order_acquire);
    for (; n != END && steps > 0; steps--) {
        const struct clock_entry *entry = &shard->list[n];
        if (atomic_load_explicit(&entry->tag, memory_order_acquire) == (uint8_t)(key->hash >> 56) &&
            atomic_load_explicit(&entry->key_bytes, memory_order_acquire) == key->length &&
            cell_key_equal(clock_cell(clock, shard, n), key)) {
            return n;
        }
        n = atomic_load_explicit(&entry->chain, memory_order_acquire);
    }
    return END;
}

static inline void clock_take(const struct shared_clock *clock, struct clock_shard *shard,
                              uint32_t n, struct strategy_value *value)
{
    struct clock_entry *entry = &shard->list[n];
    uint32_t bytes = atomic_load_explicit(&entry->value_bytes, memory_order_acquire);
    if (bytes > clock->value_words * 8) { /* torn: the sequence will tell */
        bytes = 0;
    }
    words_copy(thread_copy, clock_cell(clock, shard, n) + clock->key_words, bytes);
    *value = (struct strategy_value){.data = thread_copy, .bytes = bytes};
}

static inline void clock_visit(struct clock_entry *entry)
{
    if (!atomic_load_explicit(&entry->visited, memory_order_relaxed)) {
        atomic_store_explicit(&entry->visited, 1, memory_order_relaxed);
    }
}

/* Without a lock. 1 hit, 0 miss, -1 could not tell. */
static inline int clock_try(const struct shared_clock *clock, struct clock_shard *shard,
                            const struct clock_key *key, struct strategy_value *value)
{
    uint64_t before = atomic_load_explicit(&shard->sequence, memory_order_acquire);
    if (before & 1) {
        return -1;
    }
    uint32_t n = clock_find(clock, shard, key, STEPS);
    if (n != END) {
        clock_take(clock, shard, n, value);
    }
    /* All loads above are acquire, so this one is after them. */
    if (atomic_load_explicit(&shard->sequence, memory_order_relaxed) != before) {
        return -1;
    }
    if (n != END) {
        clock_visit(&shard->list[n]);
        return 1;
    }
    return 0;
}

static void clock_write_begin(struct clock_shard *shard)
{
    spinlock_lock(&shard->lock);
    /* An exchange, so that no store of the change can be seen before the odd number. */
    atomic_exchange_explicit(&shard->sequence,
                             atomic_load_explicit(&shard->sequence, memory_order_relaxed) + 1,
                             memory_order_acq_rel);
}

static void clock_write_end(struct clock_shard *shard)
{
    atomic_store_explicit(&shard->sequence,
                          atomic_load_explicit(&shard->sequence, memory_order_relaxed) + 1,
                          memory_order_release);
    spinlock_unlock(&shard->lock);
}

static void clock_unlink(struct clock_shard *shard, uint32_t n)
{
    struct clock_entry *entry = &shard->list[n];
    _Atomic uint32_t *link = &shard->heads[entry->bucket];
    while (atomic_load_explicit(link, memory_order_relaxed) != n) {
        link = &shard->list[atomic_load_explicit(link, memory_order_relaxed)].chain;
    }
    atomic_store_explicit(link, atomic_load_explicit(&entry->chain, memory_order_relaxed),
                          memory_order_release);
    entry->held = 0;
    shard->entries--;
}

/* Tells the listener from copies: a cell is words, not bytes that could be lent. */
static void clock_tell(const struct shared_clock *clock, struct clock_shard *shard, uint32_t n)
{
    char key[KEY_MAX + 8];
    struct strategy_value value;
    uint16_t length = atomic_load_explicit(&shard->list[n].key_bytes, memory_order_relaxed);
    cell_key_read(clock_cell(clock, shard, n), key, length);
    clock_take(clock, shard, n, &value);
    clock->evicted(clock->listener, key, length, &value);
}

/* A free entry; the hand clears bits until it finds one, or an entry that was not hit. */
static uint32_t clock_free_entry(const struct shared_clock *clock, struct clock_shard *shard)
{
    for (;;) {
        uint32_t n = shard->hand;
        struct clock_entry *entry = &shard->list[n];
        shard->hand = n + 1 < shard->count ? n + 1 : 0;
        if (!entry->held) {
            return n;
        }
        if (atomic_load_explicit(&entry->visited, memory_order_relaxed)) {
            atomic_store_explicit(&entry->visited, 0, memory_order_relaxed);
            entry->used = 1;
            continue;
        }
        shard->evictions++;
        shard->evicted_unused += !entry->used;
        if (clock->evicted) {
            clock_tell(clock, shard, n);
        }
        clock_unlink(shard, n);
        return n;
    }
}

static void clock_put(const struct shared_clock *clock, struct clock_shard *shard,
                      const struct clock_key *key, const struct strategy_value *value)
{
    uint32_t n = clock_free_entry(clock, shard), bucket = clock_bucket(shard, key->hash);
    struct clock_entry *entry = &shard->list[n];
    word *cell = clock_cell(clock, shard, n);
    cell_key_write(cell, key);
    words_write(cell + clock->key_words, value->data, value->bytes);
    atomic_store_explicit(&entry->value_bytes, (uint32_t)value->bytes, memory_order_release);
    atomic_store_explicit(&entry->key_bytes, (uint16_t)key->length, memory_order_release);
    atomic_store_explicit(&entry->tag, (uint8_t)(key->hash >> 56), memory_order_release);
    atomic_store_explicit(&entry->visited, 0, memory_order_relaxed);
    entry->bucket = bucket & 0x3fffffff;
    entry->held = 1;
    entry->used = 0;
    atomic_store_explicit(&entry->chain,
                          atomic_load_explicit(&shard->heads[bucket], memory_order_relaxed),
                          memory_order_release);
    atomic_store_explicit(&shard->heads[bucket], n, memory_order_release);
    shard->entries++;
}

static __attribute__((noinline)) bool shared_clock_miss(struct shared_clock *clock,
                                                        struct clock_shard *shard,
                                                        const struct clock_key *key,
                                                        struct strategy_value *value)
{
    unsigned lane = thread_lane();
    thread_lane_count(&clock->lanes[lane].misses, lane);
    if (!clock->source->load(clock->source->context, key->text, key->length, value)) {
        return false;
    }
    thread_lane_count(&clock->lanes[lane].loads, lane);
    if (key->length <= clock->key_bytes_max && value->bytes <= clock->value_words * 8) {
        clock_write_begin(shard);
        if (clock_find(clock, shard, key, UINT32_MAX) == END) {
            clock_put(clock, shard, key, value);
        }
        clock_write_end(shard);
    }
    return true; /* the source's own value, which no other thread can touch */
}

static __attribute__((noinline)) bool clock_find_locked(const struct shared_clock *clock,
                                                        struct clock_shard *shard,
                                                        const struct clock_key *key,
                                                        struct strategy_value *value)
{
    spinlock_lock(&shard->lock);
    uint32_t n = clock_find(clock, shard, key, UINT32_MAX);
    if (n != END) {
        clock_take(clock, shard, n, value);
        clock_visit(&shard->list[n]);
    }
    spinlock_unlock(&shard->lock);
    return n != END;
}

static bool shared_clock_get(void *state, const char *text, size_t length,
                             struct strategy_value *value)
{
    struct shared_clock *clock = state;
    struct clock_key key;
    clock_key_init(&key, text, length);
    struct clock_shard *shard = clock_shard_of(clock, key.hash);
    int found = clock_try(clock, shard, &key, value);
    for (int tries = 1; found < 0 && tries < TRIES; tries++) {
        found = clock_try(clock, shard, &key, value);
    }
    if (found < 0) {
        found = clock_find_locked(clock, shard, &key, value);
    }
    if (!found) {
        return shared_clock_miss(clock, shard, &key, value);
    }
    unsigned lane = thread_lane();
    thread_lane_count(&clock->lanes[lane].hits, lane);
    return true;
}

static bool shared_clock_drop(void *state, const char *text, size_t length)
{
    struct shared_clock *clock = state;
    struct clock_key key;
    clock_key_init(&key, text, length);
    struct clock_shard *shard = clock_shard_of(clock, key.hash);
    clock_write_begin(shard);
    uint32_t n = clock_find(clock, shard, &key, UINT32_MAX);
    if (n != END) {
        clock_unlink(shard, n);
    }
    clock_write_end(shard);
    return n != END;
}

static void clock_shard_empty(struct clock_shard *shard)
{
    for (uint32_t i = 0; i < 2 * shard->count; i++) { /* two buckets an entry: short chains */
        atomic_store_explicit(&shard->heads[i], END, memory_order_release);
    }
    for (uint32_t i = 0; i < shard->count; i++) {
        shard->list[i].held = 0;
    }
    shard->hand = 0;
    shard->entries = 0;
}

static void shared_clock_reset(void *state)
{
    struct shared_clock *clock = state;
    for (uint32_t i = 0; i < clock->shard_count; i++) {
        clock_write_begin(&clock->shards[i]);
        clock_shard_empty(&clock->shards[i]);
        clock_write_end(&clock->shards[i]);
    }
}

static void shared_clock_fini(void *state)
{
    struct shared_clock *clock = state;
    free(clock->slab);
    clock->slab = NULL;
}

/* One block: the shards, all cells, all entries, all heads. */
static void shared_clock_divide(struct shared_clock *clock, uint32_t per_shard)
{
    unsigned char *at = clock->slab;
    clock->shards = (struct clock_shard *)at;
    at += sizeof(struct clock_shard) * clock->shard_count;
    for (uint32_t i = 0; i < clock->shard_count; i++) {
        clock->shards[i] = (struct clock_shard){.count = per_shard, .cells = (word *)at};
        at += sizeof(word) * clock->cell_words * per_shard;
    }
    for (uint32_t i = 0; i < clock->shard_count; i++) {
        clock->shards[i].list = (struct clock_entry *)at;
        at += sizeof(struct clock_entry) * per_shard;
    }
    for (uint32_t i = 0; i < clock->shard_count; i++) {
        clock->shards[i].heads = (_Atomic uint32_t *)at;
        at += 2 * sizeof(uint32_t) * per_shard;
        clock_shard_empty(&clock->shards[i]);
    }
}

/* How many shards of how many entries; 0 entries when the bounds are too small. */
static uint32_t shared_clock_shape(struct shared_clock *clock,
                                   const struct strategy_options *options)
{
    uint64_t entries = options->entries ? options->entries : options->bytes ? UINT32_MAX : ENTRIES;
    uint64_t each = clock->entry_bytes;
    uint32_t shards = options->shards ? options->shards : SHARDS_DEFAULT;
    shards = shards < SHARDS_MAX ? shards : SHARDS_MAX;
    if (options->bytes && entries > options->bytes / each) {
        entries = options->bytes / each;
    }
    while (shards > 1 && entries / shards < 8 && !options->shards) {
        shards /= 2;
    }
    shards = shards > entries ? (uint32_t)entries : shards;
    uint64_t heads = (uint64_t)shards * sizeof(struct clock_shard);
    if (options->bytes && entries > 0) {
        uint64_t fit = options->bytes > heads ? (options->bytes - heads) / each : 0;
        entries = entries < fit ? entries : fit;
    }
    clock->shard_count = shards;
    uint64_t per_shard = shards ? entries / shards : 0;
    return per_shard < 1u << 30 ? (uint32_t)per_shard : 0;
}

static bool shared_clock_init(void *state, const struct strategy_source *source,
                              const struct strategy_options *options)
{
    struct shared_clock *clock = state;
    *clock = (struct shared_clock){
        .source = source, .evicted = options->evicted, .listener = options->listener};
    clock->key_bytes_max = source->key_bytes_max < KEY_MAX ? source->key_bytes_max : KEY_MAX;
    uint32_t key_room = clock->key_bytes_max > sizeof(struct registry_words)
                            ? clock->key_bytes_max
                            : (uint32_t)sizeof(struct registry_words);
    clock->value_words = (source->value_bytes_max + 7) / 8;
    clock->key_words = (key_room + 7) / 8;
    clock->cell_words = clock->key_words + clock->value_words;
    clock->entry_bytes = clock->cell_words * 8 + sizeof(struct clock_entry) + 8;
    uint64_t per_shard = shared_clock_shape(clock, options);
    if (source->value_bytes_max > THREAD_COPY_BYTES || options->weights || per_shard == 0) {
        return false;
    }
    uint64_t bytes =
        clock->shard_count * (sizeof(struct clock_shard) + per_shard * clock->entry_bytes);
    clock->slab = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!clock->slab) {
        return false;
    }
    shared_clock_divide(clock, (uint32_t)per_shard);
    return true;
}

static void shared_clock_statistics(const void *state, struct strategy_statistics *statistics)
{
    const struct shared_clock *clock = state;
    *statistics = (struct strategy_statistics){0};
    for (unsigned i = 0; i < THREAD_LANES; i++) {
        const struct clock_lane *lane = &clock->lanes[i];
        statistics->hits += atomic_load_explicit(&lane->hits, memory_order_relaxed);
        statistics->misses += atomic_load_explicit(&lane->misses, memory_order_relaxed);
        statistics->loads += atomic_load_explicit(&lane->loads, memory_order_relaxed);
    }
    statistics->lookups = statistics->hits + statistics->misses;
    for (uint32_t i = 0; i < clock->shard_count; i++) {
        struct clock_shard *shard = &clock->shards[i];
        spinlock_lock(&shard->lock);
        statistics->entries += shard->entries;
        statistics->evictions += shard->evictions;
        statistics->evicted_unused += shard->evicted_unused;
        spinlock_unlock(&shard->lock);
    }
    statistics->bytes = statistics->entries * clock->entry_bytes;
}

const struct strategy strategy_shared_clock = {
    .name = "shared-clock",
    .about = "bounded CLOCK for many threads: hits take no lock",
    .traits = STRATEGY_THREADS | STRATEGY_BOUNDED | STRATEGY_CACHES,
    .state_bytes = sizeof(struct shared_clock),
    .init = shared_clock_init,
    .get = shared_clock_get,
    .drop = shared_clock_drop,
    .reset = shared_clock_reset,
    .fini = shared_clock_fini,
    .statistics = shared_clock_statistics,
};
