/*
 * growth_test.c - tidemark itself does not grow: 100,000 boundaries at each depth leave its own
 * memory and the process's private memory where they were, to the byte.
 */
#include "harness/base/suite.h"
#include "harness/boundary/session.h"

enum { BOUNDARIES = 100000, AT_ONCE = 10000, BEFORE = 3000 };

/* Private memory of the process that is in use, bytes. */
static uint64_t anonymous(pid_t pid)
{
    char path[64], line[256];
    unsigned long kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "Anonymous:", 10) == 0) {
            kilobytes = strtoul(line + 10, NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return (uint64_t)kilobytes * 1024;
}

static void repeat(struct session *session, uint32_t test, uint32_t depth, uint32_t count)
{
    for (uint32_t done = 0; done < count; done += AT_ONCE) {
        uint32_t now = count - done < AT_ONCE ? count - done : AT_ONCE;
        struct wire_command command = {
            .op = WIRE_OP_RUN, .test = test, .depth = depth, .repetitions = now};
        ck_assert(session_command(session, &command));
    }
}

START_TEST(takes_no_memory_for_a_boundary)
{
    static const uint32_t depths[] = {WIRE_COUNT, WIRE_TRACE};
    struct session *session = session_start("check_basic");
    ck_assert(session_ready(session));
    uint32_t test = session_test(session, "/is_clean");
    for (size_t i = 0; i < 2; i++) {
        repeat(session, test, depths[i], BEFORE);
        uint64_t own = atomic_load(&session->wire->progress.own_bytes);
        uint64_t whole = anonymous(session->pid);
        ck_assert_uint_gt(own, 0);
        repeat(session, test, depths[i], BOUNDARIES);
        int64_t own_more = (int64_t)(atomic_load(&session->wire->progress.own_bytes) - own);
        int64_t whole_more = (int64_t)(anonymous(session->pid) - whole);
        printf("%d boundaries at depth %u: own memory %+lld B of %llu, private memory %+lld B\n",
               BOUNDARIES, depths[i], (long long)own_more, (unsigned long long)own,
               (long long)whole_more);
        ck_assert_int_eq(own_more, 0);
        ck_assert_int_eq(whole_more, 0);
    }
    session_end(&session);
}
END_TEST

SUITE("growth", &takes_no_memory_for_a_boundary)
