/* store.c - see store.h: what the stores share. Any process. */
#include "registry/tiered/store.h"

#include <stdlib.h>
#include <string.h>

enum store_answer store_no_generation(void *store, uint64_t *generation)
{
    (void)store;
    *generation = 0;
    return STORE_NO;
}

enum store_answer store_no_events(void *store, uint64_t since,
                                  void (*each)(void *context, struct store_key key), void *context,
                                  uint64_t *upto)
{
    (void)store;
    (void)each;
    (void)context;
    *upto = since;
    return STORE_NO;
}

enum store_answer store_no_publish(void *store, struct store_key key, uint64_t now_ns)
{
    (void)store;
    (void)key;
    (void)now_ns;
    return STORE_NO;
}

enum store_answer store_no_claim(void *store, struct store_key key, uint64_t owner, uint64_t now_ns,
                                 uint64_t until_ns)
{
    (void)store;
    (void)key;
    (void)owner;
    (void)now_ns;
    (void)until_ns;
    return STORE_NO;
}

enum store_answer store_no_release(void *store, struct store_key key, uint64_t owner)
{
    (void)store;
    (void)key;
    (void)owner;
    return STORE_NO;
}

enum store_answer store_no_totals(void *store, const struct store_totals *part,
                                  struct store_totals *sum)
{
    (void)store;
    (void)part;
    *sum = (struct store_totals){0};
    return STORE_NO;
}

enum store_answer store_no_verify(void *store)
{
    (void)store;
    return STORE_YES;
}

const char *const store_total_names[STORE_TOTALS] = {
#define TOTAL(name, words) #name,
#include "registry/tiered/store_total.def"
#undef TOTAL
};

uint64_t *store_total_at(struct store_totals *totals, unsigned which)
{
    uint64_t *const places[STORE_TOTALS] = {
#define TOTAL(name, words) &totals->name,
#include "registry/tiered/store_total.def"
#undef TOTAL
    };
    return places[which];
}

void store_totals_subtract(struct store_totals *a, const struct store_totals *b)
{
    struct store_totals less = *b;
    for (unsigned i = 0; i < STORE_TOTALS; i++) {
        *store_total_at(a, i) -= *store_total_at(&less, i);
    }
}

const char *store_no_trouble(const void *store)
{
    (void)store;
    return "";
}

/* Eight bytes at a time, each mixed in by a multiplication; against accidents, not against people.
 */
uint64_t store_check(const void *data, size_t bytes)
{
    uint64_t check = 0x9e3779b97f4a7c15u ^ bytes;
    const unsigned char *at = data;
    for (; bytes > 0; at += 8) {
        uint64_t word = 0;
        size_t part = bytes < 8 ? bytes : 8;
        memcpy(&word, at, part);
        check = (check ^ word) * 0xff51afd7ed558ccdu;
        check ^= check >> 32;
        bytes -= part;
    }
    return check & INT64_MAX; /* databases have signed integers */
}

bool store_buffer_fit(struct store_buffer *buffer, size_t bytes)
{
    if (bytes > buffer->room) {
        unsigned char *longer = realloc(buffer->data, bytes);
        if (!longer) {
            return false;
        }
        *buffer = (struct store_buffer){.data = longer, .room = bytes};
    }
    return true;
}
