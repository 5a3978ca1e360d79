/*
 * birth.h - in which repetition of which test a block was born, as one number: the births within
 * tests are counted, and series of births of the same test are remembered, so that repeating a test
 * takes no memory. Runs in the worker; birth_next on the thread that runs the tests, the others
 * anywhere.
 */
#ifndef LEDGER_BIRTH_H
#define LEDGER_BIRTH_H

#include <stdatomic.h>
#include <stdint.h>

extern _Atomic uint32_t birth_serial_now
    __attribute__((visibility("hidden"))); /* 0 between tests */

/* A new birth begins: what is born from now on belongs to `test` (WIRE_NO_TEST: to none). Returns
 * its number, 0 for none. */
uint32_t birth_next(uint32_t test);
static inline uint32_t birth_now(void)
{
    return atomic_load_explicit(&birth_serial_now, memory_order_relaxed);
}
/* The test of a birth, WIRE_NO_TEST for 0. */
uint32_t birth_of(uint32_t serial);

#endif
