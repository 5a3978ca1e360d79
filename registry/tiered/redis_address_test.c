/* redis_address_test.c - addresses of Redis servers: what each form gives, and what each mistake
 * says. */
#include "harness/base/suite.h"
#include "registry/tiered/redis_address.h"

#include <string.h>

static bool same(const char *one, const char *other)
{
    return one && other ? strcmp(one, other) == 0 : one == other;
}

START_TEST(each_form_is_read)
{
    static const struct {
        const char *text;
        struct redis_address is;
    } rows[] = {
        {"/run/redis.sock", {.path = "/run/redis.sock"}},
        {"unix:///run/a%20b.sock?prefix=app", {.path = "/run/a b.sock", .prefix = "app"}},
        {"redis://cache.example", {.host = "cache.example", .port = "6379"}},
        {"redis://10.0.0.1:7000/3", {.host = "10.0.0.1", .port = "7000", .database = 3}},
        {"redis://[::1]:7000/", {.host = "::1", .port = "7000"}},
        {"redis://:s3cret@h", {.host = "h", .port = "6379", .password = "s3cret"}},
        {"redis://app:a%40b%3A@c@h",
         {.host = "h", .port = "6379", .user = "app", .password = "a@b:@c"}},
        {"rediss://app:x@h:1?ca=/etc/ca.pem&cert=/c&key=/k",
         {.host = "h",
          .port = "1",
          .user = "app",
          .password = "x",
          .tls = true,
          .ca = "/etc/ca.pem",
          .cert = "/c",
          .key = "/k"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct redis_address a;
        const struct redis_address *is = &rows[i].is;
        char why[200] = "";
        ck_assert_msg(redis_address_read(&a, rows[i].text, why, sizeof why), "%s", why);
        ck_assert_msg(same(a.path, is->path) && same(a.host, is->host) && same(a.port, is->port) &&
                          same(a.user, is->user) && same(a.password, is->password) &&
                          same(a.ca, is->ca) && same(a.cert, is->cert) && same(a.key, is->key) &&
                          same(a.prefix, is->prefix ? is->prefix : "tidemark") &&
                          a.database == is->database && a.tls == is->tls,
                      "%s", rows[i].text);
    }
}
END_TEST

START_TEST(each_mistake_says_what_is_wrong_and_not_the_password)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"redi://h",
         "redis: 'redi': expected redis://, rediss://, unix:// or a path that begins with '/'"},
        {"run/redis.sock", "redis: 'run/redis.sock': expected redis://"},
        {"unix://run", "redis: 'run': expected the absolute path of a socket"},
        {"redis://", "redis: '' in the address: expected HOST or HOST:PORT"},
        {"redis://h:port", "redis: 'h' in the address: expected HOST or HOST:PORT"},
        {"redis://h:70000", "redis: 'h' in the address"},
        {"redis://[::1", "redis: '[::1' in the address"},
        {"redis://h/one", "redis: database 'one' of the address: expected a number"},
        {"redis://app:s3cret%4@h", "redis: the login of the address"},
        {"redis://app@h", "redis: the login of the address: expected USER:PASSWORD@"},
        {"redis://h?cafile=/x",
         "redis: option 'cafile' of the address: expected prefix=TEXT, ca=FILE"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct redis_address a;
        char why[200] = "";
        ck_assert_msg(!redis_address_read(&a, rows[i].text, why, sizeof why), "%s", rows[i].text);
        ck_assert_msg(strncmp(why, rows[i].why, strlen(rows[i].why)) == 0, "%s", why);
        ck_assert_ptr_null(strstr(why, "s3cret"));
    }
}
END_TEST

START_TEST(without_an_address_it_is_that_of_the_environment)
{
    struct redis_address a;
    char why[200] = "";
    unsetenv("REDIS_URL");
    ck_assert(!redis_address_read(&a, NULL, why, sizeof why));
    ck_assert_str_eq(why, "redis: no address, and REDIS_URL is not set");
    setenv("REDIS_URL", "redis://h:1", 1);
    ck_assert(redis_address_read(&a, "", why, sizeof why));
    ck_assert_str_eq(a.port, "1");
}
END_TEST

SUITE("redis_address", &each_form_is_read, &each_mistake_says_what_is_wrong_and_not_the_password,
      &without_an_address_it_is_that_of_the_environment)
