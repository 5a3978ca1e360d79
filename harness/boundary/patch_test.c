/* patch_test.c - the encodings of both machines against their manuals, and a jump in this process.
 */
#include "harness/base/suite.h"
#include "harness/boundary/patch.h"

#include <string.h>
#include <sys/mman.h>

START_TEST(encodes_a_far_jump)
{
    static const struct {
        enum patch_machine machine;
        size_t bytes;
        uint8_t code[16];
    } rows[] = {
        {PATCH_X86_64,
         13,
         {0x49, 0xbb, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12, 0x41, 0xff, 0xe3}},
        {PATCH_AARCH64,
         16,
         {0x50, 0x00, 0x00, 0x58, 0x00, 0x02, 0x1f, 0xd6, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34,
          0x12}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t code[PATCH_FAR_MAX] = {0};
        ck_assert_uint_eq(patch_encode_far(rows[i].machine, code, 0x123456789abcdef0u),
                          rows[i].bytes);
        ck_assert_uint_eq(patch_far_bytes(rows[i].machine), rows[i].bytes);
        ck_assert_mem_eq(code, rows[i].code, rows[i].bytes);
    }
}
END_TEST

START_TEST(encodes_a_near_jump_and_refuses_one_out_of_reach)
{
    static const struct {
        enum patch_machine machine;
        uint64_t at, target;
        size_t bytes;
        uint8_t code[8];
    } rows[] = {
        {PATCH_X86_64, 0x1000, 0x1005, 5, {0xe9, 0, 0, 0, 0}},
        {PATCH_X86_64, 0x1000, 0x0f00, 5, {0xe9, 0xfb, 0xfe, 0xff, 0xff}},
        {PATCH_X86_64, 0x1000, 0x80001004, 5, {0xe9, 0xff, 0xff, 0xff, 0x7f}},
        {PATCH_X86_64, 0x1000, 0x80001005, 0, {0}},
        {PATCH_X86_64, 0x100000000, 0x100000005u - 0x80000001u, 0, {0}},
        {PATCH_AARCH64, 0x1000, 0x1004, 4, {0x01, 0x00, 0x00, 0x14}},
        {PATCH_AARCH64, 0x1000, 0x0ffc, 4, {0xff, 0xff, 0xff, 0x17}},
        {PATCH_AARCH64, 0x10000000, 0x10000000 + (1u << 27) - 4, 4, {0xff, 0xff, 0xff, 0x15}},
        {PATCH_AARCH64, 0x10000000, 0x10000000 + (1u << 27), 0, {0}},
        {PATCH_AARCH64, 0x10000000, 0x10000000 - (1u << 27), 4, {0x00, 0x00, 0x00, 0x16}},
        {PATCH_AARCH64, 0x10000000, 0x10000000 - (1u << 27) - 4, 0, {0}},
        {PATCH_AARCH64, 0x1000, 0x1002, 0, {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t code[PATCH_FAR_MAX] = {0};
        ck_assert_uint_eq(patch_encode_near(rows[i].machine, code, rows[i].at, rows[i].target),
                          rows[i].bytes);
        ck_assert_msg(memcmp(code, rows[i].code, rows[i].bytes) == 0, "row %zu", i);
    }
}
END_TEST

START_TEST(keeps_the_marker_of_an_indirect_branch_target)
{
    static const struct {
        enum patch_machine machine;
        uint8_t code[4];
        size_t room, bytes;
    } rows[] = {
        {PATCH_X86_64, {0xf3, 0x0f, 0x1e, 0xfa}, 16, 4},  /* endbr64 */
        {PATCH_X86_64, {0xf3, 0x0f, 0x1e, 0xfa}, 3, 0},   /* the room ends before it does */
        {PATCH_X86_64, {0x55, 0x48, 0x89, 0xe5}, 16, 0},  /* push rbp; mov rbp, rsp */
        {PATCH_AARCH64, {0x5f, 0x24, 0x03, 0xd5}, 16, 4}, /* bti c */
        {PATCH_AARCH64, {0xdf, 0x24, 0x03, 0xd5}, 16, 4}, /* bti jc */
        {PATCH_AARCH64, {0x3f, 0x23, 0x03, 0xd5}, 16, 0}, /* paciasp: must go */
        {PATCH_AARCH64, {0x1f, 0x20, 0x03, 0xd5}, 16, 0}, /* nop */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_uint_eq(patch_marker_bytes(rows[i].machine, rows[i].code, rows[i].room),
                          rows[i].bytes);
    }
}
END_TEST

static int replacement(int number)
{
    return number * 2;
}

typedef int function(int);

/* A page of "return 7" functions, each `room` bytes before the next. */
static uint8_t *code_page(const uint8_t *body, size_t bytes)
{
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(page, MAP_FAILED);
    memset(page, 0, 4096);
    memcpy(page + 4090 - 4090 % 16, body, bytes); /* the far jump crosses into no other page */
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    return page + 4090 - 4090 % 16;
}

START_TEST(jumps_from_functions_of_any_room)
{
#if defined __x86_64__
    static const uint8_t body[] = {0xb8, 7, 0, 0, 0, 0xc3}; /* mov eax, 7; ret */
    static const struct {
        size_t room;
        bool patched;
    } rows[] = {{16, true}, {13, true}, {12, true}, {6, true}, {5, true}, {4, false}, {1, false}};
#else
    static const uint8_t body[] = {0xe0, 0x00, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
    static const struct {
        size_t room;
        bool patched;
    } rows[] = {{16, true}, {8, true}, {4, true}, {0, false}};
#endif
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t *entry = code_page(body, sizeof body);
        function *called = (function *)(uintptr_t)entry;
        ck_assert_int_eq(called(21), 7);
        ck_assert_int_eq(patch_jump(entry, rows[i].room, (void *)(uintptr_t)replacement),
                         rows[i].patched);
        ck_assert_int_eq(called(21), rows[i].patched ? 42 : 7);
        munmap((void *)((uintptr_t)entry & ~(uintptr_t)4095), 4096);
    }
}
END_TEST

SUITE("patch", &encodes_a_far_jump, &encodes_a_near_jump_and_refuses_one_out_of_reach,
      &keeps_the_marker_of_an_indirect_branch_target, &jumps_from_functions_of_any_room)
