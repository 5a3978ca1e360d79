/* global.c - see global.h. Runs in the test program; the crashes in children of it, or in its
 * worker. */
#include "global.h"

#include "memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_BYTES = 64 }; /* a name's block is of the same size */

/* As it was. `models` is NULL until the first fetch ends, and everybody may look at it before. */
struct global_model {
    char *name;
    char rest[MODEL_BYTES - sizeof(char *)];
};

static struct {
    struct global_model *models[MODELS];
    size_t count;
} *volatile cache; /* a compiler that sees the null pointer would leave the crash out */

static volatile size_t read_length;

/* The null pointer is the point: UBSan would end it in its own way. */
__attribute__((no_sanitize("undefined"))) void crash_publish_before_init(void)
{
    /* The host calls the function that was registered before the first fetch. */
    for (size_t i = 0; i < cache->count; i++) {
        read_length += strlen(cache->models[i]->name);
    }
}

static void fill(void)
{
    for (size_t i = 0; i < MODELS; i++) {
        struct global_model *model = malloc(sizeof *model);
        char *name = malloc(MODEL_BYTES);
        if (!model || !name) {
            abort();
        }
        memset(name, 'm', MODEL_BYTES - 1);
        name[MODEL_BYTES - 1] = 0;
        model->name = name;
        cache->models[i] = model;
    }
    cache->count = MODELS;
}

void crash_replace_while_reading(void)
{
    cache = calloc(1, sizeof *cache);
    if (!cache) {
        abort();
    }
    fill();
    /* A reader has got as far as the deployment's raw pointer to its model. */
    struct global_model *model = cache->models[MODELS / 2];
    /* The refresher frees the list and fetches it again: where models were, names lie now. */
    for (size_t i = 0; i < MODELS; i++) {
        free(cache->models[i]->name);
        free(cache->models[i]);
    }
    char *names[2 * MODELS];
    for (size_t i = 0; i < 2 * MODELS; i++) {
        names[i] = malloc(MODEL_BYTES);
        if (names[i]) {
            memset(names[i], 'n', MODEL_BYTES);
        }
    }
    /* The reader goes on. Its model's name is at 0x6e6e6e6e6e6e6e6e. */
    read_length += strlen(model->name);
    free(names[0]);
}

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;

static void *race_read(void *unused)
{
    for (int i = 0; i < 1000; i++) {
        read_length += cache->count; /* the lock is there, and the reader does not take it */
    }
    return unused;
}

void race_replace_while_reading(void)
{
    pthread_t reader;
    cache = calloc(1, sizeof *cache);
    if (!cache || pthread_create(&reader, NULL, race_read, NULL) != 0) {
        abort();
    }
    for (size_t i = 0; i < 1000; i++) {
        pthread_mutex_lock(&cache_lock);
        cache->count = i;
        pthread_mutex_unlock(&cache_lock);
    }
    pthread_join(reader, NULL);
    free(cache);
}

struct shared {
    pthread_mutex_t lock;
    struct snapshot *snapshot;
};

struct shared *shared_new(void)
{
    struct shared *shared = memory_take(sizeof *shared);
    if (shared) {
        *shared = (struct shared){.snapshot = NULL};
        pthread_mutex_init(&shared->lock, NULL);
    }
    return shared;
}

void shared_free(struct shared **shared)
{
    if (*shared) {
        snapshot_release(&(*shared)->snapshot);
        pthread_mutex_destroy(&(*shared)->lock);
        memory_give(*shared);
        *shared = NULL;
    }
}

struct snapshot *shared_take(struct shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    struct snapshot *snapshot = shared->snapshot ? snapshot_hold(shared->snapshot) : NULL;
    pthread_mutex_unlock(&shared->lock);
    return snapshot;
}

void shared_put(struct shared *shared, struct snapshot *snapshot)
{
    pthread_mutex_lock(&shared->lock);
    struct snapshot *before = shared->snapshot;
    shared->snapshot = snapshot;
    pthread_mutex_unlock(&shared->lock);
    snapshot_release(&before); /* outside: freeing a list of 70 takes its time */
}
