/* source_trace.c - see source_trace.h. Supervisor only. */
#include "harness/bench/source_trace.h"

#include <string.h>

#define PREFIX       "trace/object:"
#define PREFIX_BYTES (sizeof PREFIX - 1)

void source_trace_key(char *key, uint32_t number)
{
    memcpy(key, PREFIX, PREFIX_BYTES);
    for (unsigned i = 0; i < 8; i++) {
        key[PREFIX_BYTES + i] = "0123456789abcdef"[number >> (28 - 4 * i) & 15];
    }
}

static bool load(void *context, const char *key, size_t length, struct strategy_value *value)
{
    static _Thread_local uint32_t number;
    (void)context;
    if (length != SOURCE_TRACE_KEY_BYTES || memcmp(key, PREFIX, PREFIX_BYTES) != 0) {
        return false;
    }
    uint32_t sum = 0;
    for (size_t i = PREFIX_BYTES; i < SOURCE_TRACE_KEY_BYTES; i++) {
        unsigned letter = (unsigned char)key[i];
        unsigned digit = letter - '0' < 10 ? letter - '0' : letter - 'a' + 10;
        if (digit > 15) {
            return false;
        }
        sum = sum << 4 | digit;
    }
    number = sum;
    *value = (struct strategy_value){.data = &number, .bytes = sizeof number};
    return true;
}

const struct strategy_source source_trace = {
    .name = "of the trace",
    .load = load,
    .value_bytes_max = sizeof(uint32_t),
    .key_bytes_max = SOURCE_TRACE_KEY_BYTES,
};
