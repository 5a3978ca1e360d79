/* memory.c - see memory.h. Runs in the test program. */
#include "memory.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct memory_count count;
static uint64_t fail_in;

void *memory_take(size_t bytes)
{
    void *block = NULL;
    pthread_mutex_lock(&lock);
    if (fail_in != 1 && (block = malloc(bytes)) != NULL) {
        count.allocs++;
        count.live += (int64_t)malloc_usable_size(block);
        count.peak = count.live > count.peak ? count.live : count.peak;
    }
    fail_in -= fail_in > 0;
    pthread_mutex_unlock(&lock);
    return block;
}

char *memory_text(const char *text, size_t length)
{
    char *copy = memory_take(length + 1);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = 0;
    }
    return copy;
}

void memory_give(void *block)
{
    if (block) {
        pthread_mutex_lock(&lock);
        count.frees++;
        count.live -= (int64_t)malloc_usable_size(block);
        pthread_mutex_unlock(&lock);
        free(block);
    }
}

void memory_reset(void)
{
    pthread_mutex_lock(&lock);
    count = (struct memory_count){.live = count.live, .peak = count.live};
    fail_in = 0;
    pthread_mutex_unlock(&lock);
}

struct memory_count memory_now(void)
{
    pthread_mutex_lock(&lock);
    struct memory_count now = count;
    pthread_mutex_unlock(&lock);
    return now;
}

void memory_fail_at(uint64_t nth)
{
    pthread_mutex_lock(&lock);
    fail_in = nth;
    pthread_mutex_unlock(&lock);
}
