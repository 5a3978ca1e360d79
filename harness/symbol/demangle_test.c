/* demangle_test.c - names of C++ as compilers mangle them. */
#include "harness/symbol/demangle.h"

#include "harness/base/suite.h"

#include <stdlib.h>

START_TEST(shortens_what_a_demangler_says)
{
    static const struct {
        const char *name, *shown;
    } rows[] = {
        {"testing::Test::Run()", "testing::Test::Run"},
        {"app::Cache::get(std::string const&) const", "app::Cache::get"},
        {"main::{lambda(int)#1}::operator()(int) const", "main::{lambda(int)#1}::operator()"},
        {"(anonymous namespace)::fill(int)", "(anonymous namespace)::fill"},
        {"operator new(unsigned long)", "operator new"},
        {"operator new[](unsigned long)", "operator new[]"},
        {"app::operator<<(std::ostream&, app::Key const&)", "app::operator<<"},
        {"app::Key::operator bool() const", "app::Key::operator bool"},
        {"app::Key::operator->()", "app::Key::operator->"},
        {"void app::push<int>(int)", "app::push<int>"},
        {"std::enable_if<std::is_same<int, int>::value, void>::type app::call<int>(int)",
         "app::call<int>"},
        {"std::vector<std::pair<std::string, int>, std::allocator<int> >::push_back(int&&)",
         "std::vector<...>::push_back"},
        {"app::run(int)::inner", "app::run::inner"}, /* a static variable in a function */
        {"operators_count()", "operators_count"},
        {"app::sessions", "app::sessions"},
        {"vtable for app::Key", "app::Key"},
        {"", ""},
        {"broken<(", "broken<("},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *shown = demangle_shorten(rows[i].name);
        ck_assert_str_eq(shown, rows[i].shown);
        free(shown);
    }
}
END_TEST

START_TEST(takes_names_of_both_languages)
{
    static const struct {
        const char *name, *shown;
    } rows[] = {
        {"malloc", "malloc"},
        {"_Z", "_Z"},
        {"_ZN7testing4Test3RunEv", "testing::Test::Run"},
        {"_ZL10body_growsv", "body_grows"},
        {"_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector<...>::push_back"},
        {"_Znwm", "operator new"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *shown = demangle(rows[i].name);
        ck_assert_str_eq(shown, rows[i].shown);
        free(shown);
    }
}
END_TEST

SUITE("demangle", &shortens_what_a_demangler_says, &takes_names_of_both_languages)
