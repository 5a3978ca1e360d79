/* arena_test.c - lists that grow in the arena keep what they held. */
#include "harness/base/suite.h"
#include "harness/boundary/arena.h"

START_TEST(grows_a_list_and_keeps_what_is_in_it)
{
    uint32_t *list = NULL, room = 0;
    for (uint32_t count = 0; count < 5000; count++) {
        uint32_t had = room, *old = list;
        list = arena_grow(list, count, &room, sizeof list[0]);
        ck_assert_uint_gt(room, count);
        ck_assert((list == old) == (room == had)); /* moves only to grow */
        list[count] = count * 7;
    }
    for (uint32_t i = 0; i < 5000; i++) {
        ck_assert_uint_eq(list[i], i * 7);
    }
}
END_TEST

SUITE("arena", &grows_a_list_and_keeps_what_is_in_it)
