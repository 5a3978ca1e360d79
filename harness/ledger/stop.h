/*
 * stop.h - stops every other thread for the time of a scan, and says where each one's stack,
 * registers and thread-local storage are. Runs in the worker, on the thread that runs the tests.
 *
 * By the signal that libc keeps for itself to change user ids in all threads (SIGSETXID): libc
 * never lets a program block it. A thread that sleeps in a call which a signal would cut short
 * (nanosleep, poll ...) is not disturbed: the kernel tells where its stack is.
 */
#ifndef LEDGER_STOP_H
#define LEDGER_STOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STOP_REGISTERS 24u

struct stopped {
    int32_t tid;
    _Atomic uint32_t state;  /* enum stop_state */
    uint64_t sp;             /* 0: unknown */
    uint64_t thread_pointer; /* 0: unknown */
    uint64_t registers[STOP_REGISTERS];
    uint32_t register_count;
};

struct stop {
    struct stopped *threads;
    uint32_t count, room;
};

/* False when there was no memory for it; then no thread is stopped. */
bool stop_others(struct stop *stop);
void stop_release(struct stop *stop);

#endif
