/* order.c - in which order the tests of a group are run. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/campaign/session.h"

#include <stdlib.h>

static uint64_t mixed(uint64_t number)
{
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
    return number ^ (number >> 31);
}

struct order_key {
    uint64_t group, test;
    uint32_t number;
};

static int compare_keys(const void *a, const void *b)
{
    const struct order_key *x = a, *y = b;
    return x->group != y->group ? (x->group > y->group) - (x->group < y->group)
                                : (x->test > y->test) - (x->test < y->test);
}

uint32_t *session_order_new(const struct session *session, uint32_t first, uint32_t past,
                            uint32_t *last)
{
    uint32_t count = past - first, *order = memory_new(count + 1u, sizeof *order), listed = 0;
    struct order_key *keys = memory_new(count + 1u, sizeof *keys);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = first + i;
        uint32_t group = number < session->name_count ? session->names[number].group : number;
        keys[i].number = number;
        keys[i].group = session->shuffle ? mixed(session->shuffle + group * 2u) : 0;
        keys[i].test = session->shuffle ? mixed(session->shuffle + number * 2u + 1u) : number;
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    for (uint32_t i = 0; i < count; i++) {
        order[i] = keys[i].number;
    }
    for (size_t i = 0; session->list && i < session->list_count; i++) {
        if (session->list[i] >= first && session->list[i] < past && listed < count) {
            order[listed++] = session->list[i];
        }
    }
    *last = session->list ? first + listed : past;
    free(keys);
    return order;
}
