/* birth.c - see birth.h. Runs in the worker. */
#include "harness/ledger/birth.h"

#include "harness/base/wire.h"
#include "harness/meter/meter.h"

#include <stdatomic.h>
#include <stddef.h>

#define SERIES_PER_CHUNK (1u << 12)
#define SERIES_CHUNKS    4096u

/* Births of the same test one after the other: a test that is repeated takes no more than one. */
struct series {
    uint32_t first; /* serial */
    uint32_t test;
};
static struct series *series[SERIES_CHUNKS];
static uint32_t series_count, serial_last;
_Atomic uint32_t birth_serial_now;

static struct series *series_at(uint32_t index)
{
    struct series *chunk = series[index / SERIES_PER_CHUNK];
    return chunk == NULL ? NULL : &chunk[index % SERIES_PER_CHUNK];
}

static void series_add(uint32_t test)
{
    if (series_count < SERIES_PER_CHUNK * SERIES_CHUNKS) {
        struct series **chunk = &series[series_count / SERIES_PER_CHUNK];
        *chunk = *chunk == NULL ? meter_own_map(SERIES_PER_CHUNK * sizeof **chunk) : *chunk;
        if (*chunk != NULL) {
            (*chunk)[series_count++ % SERIES_PER_CHUNK] =
                (struct series){.first = serial_last, .test = test};
        }
    }
}

uint32_t birth_next(uint32_t test)
{
    uint32_t serial = 0;
    if (test != WIRE_NO_TEST) {
        const struct series *last = series_count == 0 ? NULL : series_at(series_count - 1);
        serial = ++serial_last;
        if (last == NULL || last->test != test) {
            series_add(test);
        }
    }
    atomic_store_explicit(&birth_serial_now, serial, memory_order_relaxed);
    return serial;
}

uint32_t birth_of(uint32_t serial)
{
    uint32_t low = 0, high = series_count;
    while (low < high) { /* the last that begins at or before it */
        uint32_t middle = low + (high - low) / 2;
        if (series_at(middle)->first <= serial) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return serial == 0 || low == 0 ? WIRE_NO_TEST : series_at(low - 1)->test;
}
