/* key_name_test.c - names of keys: the digest against the standard's vectors, what is plain and
 * what is not, and that no key can take another one's name. */
#include "harness/base/suite.h"
#include "registry/tiered/key_name.h"

#include <string.h>

static struct store_key key_of(const char *text)
{
    return (struct store_key){text, strlen(text)};
}

START_TEST(the_digest_is_that_of_the_standard)
{
    static const struct {
        const char *text, *digest;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    static char million[1000000];
    char digest[65];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        key_digest(rows[i].text, strlen(rows[i].text), digest);
        ck_assert_str_eq(digest, rows[i].digest);
    }
    memset(million, 'a', sizeof million);
    key_digest(million, sizeof million, digest);
    ck_assert_str_eq(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

START_TEST(a_plain_key_is_its_own_name)
{
    static char longest[KEY_PLAIN_MAX + 1];
    memset(longest, 'k', KEY_PLAIN_MAX);
    const char *const keys[] = {"models",           "user:7/profile", "модели", "模型",
                                "\xf0\x9f\x98\x80", "~sha",           longest};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct key_name name;
        key_name_init(&name, key_of(keys[i]));
        ck_assert_ptr_eq(name.name.text, keys[i]);
        ck_assert_uint_eq(name.name.length, strlen(keys[i]));
    }
}
END_TEST

/* Too long, empty, not UTF-8 (a lone continuation, overlong, cut short, a surrogate, beyond
 * Unicode), with a control character, and one that looks like a name. */
START_TEST(any_other_key_is_named_by_its_digest)
{
    static char long_one[KEY_PLAIN_MAX + 2];
    memset(long_one, 'k', KEY_PLAIN_MAX + 1);
    const char *const keys[] = {"",
                                long_one,
                                "a\x80",
                                "\xc0\xaf",
                                "\xe2\x82",
                                "\xed\xa0\x80",
                                "\xf4\x90\x80\x80",
                                "line\nbreak",
                                "\x7f",
                                "~sha256:abc"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct key_name name, again;
        char digest[65];
        key_digest(keys[i], strlen(keys[i]), digest);
        key_name_init(&name, key_of(keys[i]));
        ck_assert_int_eq(memcmp(name.name.text, "~sha256:", 8), 0);
        ck_assert_int_eq(memcmp(name.name.text + 8, digest, 64), 0);
        ck_assert_uint_lt(name.name.length, KEY_PLAIN_MAX);
        for (size_t b = 0; b < name.name.length; b++) {
            ck_assert_msg(name.text[b] >= 0x20 && name.text[b] < 0x7f, "byte %zu of key %zu", b, i);
        }
        key_name_init(&again, key_of(name.text)); /* a name as a key is another name */
        ck_assert_str_ne(again.text, name.text);
    }
}
END_TEST

START_TEST(long_keys_that_differ_in_the_last_byte_have_two_names)
{
    static char key[100001];
    struct key_name first, second;
    memset(key, 'k', sizeof key - 1);
    key_name_init(&first, key_of(key));
    key[sizeof key - 2] = 'l';
    key_name_init(&second, key_of(key));
    ck_assert_str_ne(first.text, second.text);
}
END_TEST

SUITE("key_name", &the_digest_is_that_of_the_standard, &a_plain_key_is_its_own_name,
      &any_other_key_is_named_by_its_digest, &long_keys_that_differ_in_the_last_byte_have_two_names)
