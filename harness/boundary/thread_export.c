/*
 * thread_export.c - pthread_create as libtidemark.so exports it: each thread gets a signal stack,
 * so that a stack overflow on any thread can be told with its stack. Passes through outside of the
 * worker.
 *
 *   a piece:  [ struct piece | signal stack ................... ]   reused when its thread ends
 */
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/crash.h"
#include "harness/ledger/hooks_thread.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

struct piece {
    struct piece *next; /* free ones */
    void *(*start)(void *);
    void *argument;
};

typedef int create_function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static atomic_flag pieces_lock = ATOMIC_FLAG_INIT;
static struct piece *pieces_free;
static pthread_key_t piece_key;
static pthread_once_t piece_once = PTHREAD_ONCE_INIT;

static void pieces_put(struct piece *piece)
{
    while (atomic_flag_test_and_set_explicit(&pieces_lock, memory_order_acquire)) {
    }
    piece->next = pieces_free;
    pieces_free = piece;
    atomic_flag_clear_explicit(&pieces_lock, memory_order_release);
}

static struct piece *pieces_take(void)
{
    while (atomic_flag_test_and_set_explicit(&pieces_lock, memory_order_acquire)) {
    }
    struct piece *piece = pieces_free;
    if (piece != NULL) {
        pieces_free = piece->next;
    }
    atomic_flag_clear_explicit(&pieces_lock, memory_order_release);
    return piece != NULL ? piece : arena_get(CRASH_STACK);
}

/* The thread ends, however it ends. */
static void piece_release(void *piece)
{
    stack_t none = {.ss_flags = SS_DISABLE};
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == (void *)((struct piece *)piece + 1)) {
        sigaltstack(&none, NULL);
    }
    pieces_put(piece);
}

static void piece_key_make(void)
{
    pthread_key_create(&piece_key, piece_release);
}

static void *thread_begin(void *argument)
{
    struct piece *piece = argument;
    void *(*start)(void *) = piece->start;
    void *start_argument = piece->argument;
    stack_t stack = {.ss_sp = piece + 1, .ss_size = CRASH_STACK - sizeof *piece};
    sigaltstack(&stack, NULL);
    pthread_setspecific(piece_key, piece);
    return start(start_argument);
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    static _Atomic(create_function *) next;
    create_function *create = atomic_load(&next);
    if (create == NULL) {
        create = (create_function *)(uintptr_t)dlsym(RTLD_NEXT, "pthread_create");
        atomic_store(&next, create);
    }
    if (create == NULL) {
        return EAGAIN;
    }
    if (boundary_wire == NULL || boundary_forked) {
        int error = create(thread, attributes, start, argument);
        if (error == 0) {
            hooks_thread_made(*thread, attributes, __builtin_frame_address(0));
        }
        return error;
    }
    pthread_once(&piece_once, piece_key_make);
    struct piece *piece = pieces_take();
    piece->start = start;
    piece->argument = argument;
    int error = create(thread, attributes, thread_begin, piece);
    if (error != 0) {
        pieces_put(piece);
    } else {
        hooks_thread_made(*thread, attributes, __builtin_frame_address(0));
    }
    return error;
}
