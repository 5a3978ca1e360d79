/* unit_test.c - sizes, times and counts, read and written. */
#include "harness/base/suite.h"
#include "harness/base/unit.h"

#include <math.h>
#include <string.h>

START_TEST(reads_what_is_right_and_refuses_the_rest)
{
    static const struct {
        enum unit_kind kind;
        const char *text;
        bool bare;
        uint64_t value;
        const char *error; /* NULL: good */
    } rows[] = {
        {UNIT_BYTES, "4 MiB", false, 4194304, NULL},
        {UNIT_BYTES, "4MiB", false, 4194304, NULL},
        {UNIT_BYTES, "500 MB", false, 500000000, NULL},
        {UNIT_BYTES, "1.5 KB", false, 1500, NULL},
        {UNIT_BYTES, "1.50 KiB", false, 1536, NULL},
        {UNIT_BYTES, "0", false, 0, NULL},
        {UNIT_BYTES, "8388607 TiB", false, 9223370937343148032ull, NULL},
        {UNIT_BYTES, "65536", true, 65536, NULL},
        {UNIT_NS, "30 s", false, 30000000000, NULL},
        {UNIT_NS, "1.5 us", false, 1500, NULL},
        {UNIT_NS, "2 h", false, 7200000000000, NULL},
        {UNIT_BYTES, "65536", false, 0, "has no unit; one of B KB KiB MB MiB GB GiB TB TiB"},
        {UNIT_BYTES, "4 Mi", false, 0, "has unknown unit 'Mi'; did you mean 'MiB'?"},
        {UNIT_BYTES, "4 MIB", false, 0, "has unknown unit 'MIB'; did you mean 'MiB'?"},
        {UNIT_BYTES, "30 s", false, 0,
         "has unknown unit 's'; one of B KB KiB MB MiB GB GiB TB TiB"},
        {UNIT_NS, "30 sec", false, 0, "has unknown unit 'sec'; one of ns us ms s min h"},
        {UNIT_NS, "30", false, 0, "has no unit; one of ns us ms s min h"},
        {UNIT_BYTES, "-1 B", false, 0, "is negative"},
        {UNIT_BYTES, "many", false, 0, "is not a size, such as 4 MiB"},
        {UNIT_BYTES, "", false, 0, "is not a size, such as 4 MiB"},
        {UNIT_BYTES, "1. KB", false, 0, "is not a size, such as 4 MiB"},
        {UNIT_NS, "soon", false, 0, "is not a time, such as 30 s"},
        {UNIT_BYTES, "0.5 B", false, 0, "is not a whole number of the base unit"},
        {UNIT_BYTES, "9999999 TiB", false, 0, "is too large"},
        {UNIT_BYTES, "99999999999999999999999999 B", false, 0, "is too large"},
        {UNIT_BYTES, "18446744073709551615.9999 TiB", false, 0, "is too large"},
        {UNIT_BYTES, "0.0000000000000001 GB", false, 0, "has more digits than can be kept"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[UNIT_ERROR_BYTES] = "";
        uint64_t value = 0;
        bool good = unit_parse(rows[i].kind, rows[i].text, rows[i].bare, &value, error);
        ck_assert_msg(good == !rows[i].error, "'%s': %s", rows[i].text, error);
        ck_assert_uint_eq(value, rows[i].value);
        ck_assert_str_eq(error, rows[i].error ? rows[i].error : "");
    }
}
END_TEST

START_TEST(reads_counts_and_numbers)
{
    char error[UNIT_ERROR_BYTES];
    uint64_t count;
    double number;
    ck_assert(unit_parse_count("27000", &count, error) && count == 27000);
    ck_assert(unit_parse_count("27,000", &count, error) && count == 27000);
    ck_assert(unit_parse_count("27_000", &count, error) && count == 27000);
    ck_assert(!unit_parse_count("27,", &count, error));
    ck_assert(!unit_parse_count("", &count, error));
    ck_assert(!unit_parse_count("-3", &count, error));
    ck_assert_str_eq(error, "is negative");
    ck_assert(!unit_parse_count("99999999999999999999", &count, error));
    ck_assert_str_eq(error, "is too large");
    ck_assert(unit_parse_number("0.8", &number, error) && number == 0.8);
    ck_assert(unit_parse_number("-2e3", &number, error) && number == -2000);
    ck_assert(unit_parse_number("98 %", &number, error) && fabs(number - 0.98) < 1e-12);
    ck_assert(!unit_parse_number("0x10", &number, error));
    ck_assert(!unit_parse_number("nan", &number, error));
    ck_assert(!unit_parse_number("1e999", &number, error));
}
END_TEST

START_TEST(writes_three_digits_and_the_right_unit)
{
    static const struct {
        char *(*print)(char *, double);
        double value;
        const char *text;
    } rows[] = {
        {unit_bytes, 0, "0 B"},          {unit_bytes, 812, "812 B"},
        {unit_bytes, 4930, "4.93 KB"},   {unit_bytes, 999600, "1 MB"},
        {unit_bytes, 137.6e6, "138 MB"}, {unit_bytes, 60e9, "60 GB"},
        {unit_bytes, -4930, "-4.93 KB"}, {unit_ns, 49.34, "49.3 ns"},
        {unit_ns, 1500, "1.5 us"},       {unit_ns, 30e9, "30 s"},
        {unit_ns, 123e9, "2 min 3 s"},   {unit_ns, 7260e9, "2 h 1 min"},
        {unit_count, 27000, "27,000"},   {unit_count, -1234567, "-1,234,567"},
        {unit_count, 999, "999"},        {unit_count, 0.25, "0.25"},
        {unit_count, 0.0004, "0.0004"},  {unit_ratio, 0.982, "98.2 %"},
        {unit_ratio, 1, "100.0 %"},      {unit_ratio, 0.99999, "99.99 %"},
        {unit_ratio, 0, "0.0 %"},        {unit_ratio, 0.00004, "0.004 %"},
    };
    char text[UNIT_TEXT_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_str_eq(rows[i].print(text, rows[i].value), rows[i].text);
        ck_assert_str_eq(rows[i].print(text, NAN), "-");
    }
}
END_TEST

START_TEST(writes_a_limit_as_it_was_chosen_and_so_that_it_compares)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {
        {4194304, "4 MiB (4.19 MB)"},
        {536870912, "512 MiB (537 MB)"},
        {1610612736, "1.5 GiB (1.61 GB)"},
        {16384, "16 KiB (16.4 KB)"},
        {500000000, "500 MB"},
        {5000, "5 KB"},
        {512, "512 B"},
        {0, "0 B"},
        {123456789, "123 MB"}, /* round in neither */
    };
    char text[UNIT_TEXT_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_str_eq(unit_limit(text, rows[i].bytes), rows[i].text);
    }
}
END_TEST

START_TEST(writes_the_decimal_size_behind_a_binary_one_of_a_condition)
{
    static const char *const rows[][2] = {
        {"<= 4 MiB", "<= 4 MiB (4.19 MB)"},
        {"<4MiB", "<4MiB (4.19 MB)"},
        {"1 KiB .. 4 KiB", "1 KiB .. 4 KiB (1.02 KB .. 4.1 KB)"},
        {"warn < 1.5 GiB", "warn < 1.5 GiB (1.61 GB)"},
        {"1000 B .. 4 KiB", "1000 B .. 4 KiB (1000 B .. 4.1 KB)"},
        {"< 500 MB", "< 500 MB"},
        {"accumulates", "accumulates"},
        {"x4 MiB", "x4 MiB"},
        {"4 MiBs", "4 MiBs"},
        {"99999999999 TiB", "99999999999 TiB"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = unit_condition(rows[i][0]);
        ck_assert_str_eq(text, rows[i][1]);
        free(text);
    }
}
END_TEST

SUITE("unit", &reads_what_is_right_and_refuses_the_rest, &reads_counts_and_numbers,
      &writes_three_digits_and_the_right_unit,
      &writes_a_limit_as_it_was_chosen_and_so_that_it_compares,
      &writes_the_decimal_size_behind_a_binary_one_of_a_condition)
