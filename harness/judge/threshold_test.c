/* threshold_test.c - the table of thresholds. What each of them decides is tested where it is used.
 */
#include "harness/judge/threshold.h"

#include "harness/base/suite.h"

#include <string.h>

START_TEST(each_row_has_a_name_a_value_and_a_sentence)
{
    for (size_t i = 0; i < THRESHOLD_COUNT; i++) {
        ck_assert_str_ne(thresholds[i].name, "");
        ck_assert(thresholds[i].value > 0);
        ck_assert_uint_gt(strlen(thresholds[i].decides), 10);
        for (size_t k = 0; k < i; k++) {
            ck_assert_str_ne(thresholds[i].name, thresholds[k].name);
            ck_assert_str_ne(thresholds[i].decides, thresholds[k].decides);
        }
    }
}
END_TEST

START_TEST(a_row_is_found_by_its_name)
{
    ck_assert_str_eq(thresholds[THRESHOLD_ROW_GROWS_SHARE].name, "GROWS_SHARE");
    ck_assert(threshold(GROWS_SHARE) == thresholds[THRESHOLD_ROW_GROWS_SHARE].value);
    ck_assert(threshold_count(WARM_UP) == (unsigned)thresholds[THRESHOLD_ROW_WARM_UP].value);
}
END_TEST

START_TEST(thresholds_stand_in_their_order)
{
    const struct {
        double less, more;
    } rows[] = {
        {threshold(WARM_UP), threshold(IN_A_ROW)},
        {threshold(IN_A_ROW), threshold(JUDGED_CALLS)},
        {threshold(LEVEL_SHARE), threshold(GROWS_SHARE)},
        {threshold(GROWS_SHARE), threshold(CERTAIN_SHARE)},
        {threshold(JUDGED_CALLS), threshold(HELD_CALLS)},
        {threshold(HELD_CALLS), threshold(CERTAIN_CALLS)},
        {threshold(CERTAIN_CALLS), threshold(MOST_CALLS)},
        {threshold(TOUCHED_BY), threshold(LONG_SERIES)},
        {threshold(CLEAN_VOTES), threshold(GUILTY_VOTES)},
        {threshold(AGAIN_SETTLES), threshold(AGAIN_GROWS)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(rows[i].less < rows[i].more, "row %zu", i);
    }
}
END_TEST

/* Those that only whole hunts use. */
START_TEST(hunts_make_five_passes_and_keep_few_units)
{
    ck_assert_double_eq(threshold(ORDERS), 5);
    ck_assert_double_eq(threshold(FEW_UNITS), 256);
}
END_TEST

SUITE("threshold", &each_row_has_a_name_a_value_and_a_sentence, &a_row_is_found_by_its_name,
      &thresholds_stand_in_their_order, &hunts_make_five_passes_and_keep_few_units)
