/* memcheck.c - see memcheck.h: runs, reads, and gives each error and leak to its test. Supervisor
 * only. */
#include "harness/worker/valgrind.h"

#include "harness/base/interrupt.h"
#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/base/unit.h"
#include "harness/campaign/memcheck_read.h"
#include "harness/campaign/phase.h"
#include "harness/campaign/session.h"
#include "harness/result/result_index.h"
#include "harness/result/result_memcheck.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOWER     20u /* so many times the time limit: memcheck takes 10 to 50 times as long */
#define CAP_TIMES  2u  /* and so many times the memory ... */
#define CAP_MORE   (1u << 28) /* ... and that */
#define LISTED_MAX 100        /* findings of a test; the figures count all */
#define AGAIN_MAX  16         /* tests that are run by themselves for what was not told of them */

/* What is known of each test, by its number. */
struct memcheck {
    struct session *session;
    struct result_test *tests; /* only their memcheck is used */
    size_t count;
    struct result_test outside; /* before, between and behind the tests */
    bool again;                 /* a second run: only for errors that the first kept back */
    size_t damaged;             /* files */
    char *own;                  /* libtidemark.so, as the kernel names it */
    /* While a file is read: */
    bool known;      /* it is of the worker or of a child of it: it has marks */
    bool child;      /* of a process that a test forked: its leaks end with it */
    uint32_t now;    /* the test that runs; WIRE_NO_TEST outside */
    uint32_t listed; /* errors of that test so far */
};

static struct result_memcheck *kept_get(struct memcheck *memcheck, uint32_t test)
{
    return result_memcheck_get(test < memcheck->count ? &memcheck->tests[test]
                                                      : &memcheck->outside);
}

static void mark_take(void *context, enum memcheck_mark mark, uint32_t test, uint32_t errors)
{
    struct memcheck *memcheck = context;
    memcheck->known = true;
    memcheck->child = memcheck->child || mark == MEMCHECK_CHILD;
    if (mark == MEMCHECK_END && test != WIRE_NO_TEST && !memcheck->again &&
        errors > memcheck->listed) {
        kept_get(memcheck, test)->errors += errors - memcheck->listed;
    }
    memcheck->listed = 0;
    memcheck->now = mark == MEMCHECK_END ? WIRE_NO_TEST : test;
}

static void leak_add(struct result_memcheck *kept, const struct memcheck_seen *seen)
{
    int64_t *bytes[] = {[MEMCHECK_DEFINITE] = &kept->definite_bytes,
                        [MEMCHECK_INDIRECT] = &kept->indirect_bytes,
                        [MEMCHECK_POSSIBLE] = &kept->possible_bytes};
    int64_t *blocks[] = {[MEMCHECK_DEFINITE] = &kept->definite_blocks,
                         [MEMCHECK_INDIRECT] = &kept->indirect_blocks,
                         [MEMCHECK_POSSIBLE] = &kept->possible_blocks};
    *bytes[seen->leak] += seen->bytes;
    *blocks[seen->leak] += seen->blocks;
}

/* "32 B in 1 block definitely lost": memcheck's own words count since the start. */
static char *leak_text(const struct memcheck_seen *seen)
{
    static const char *const words[] = {[MEMCHECK_DEFINITE] = "definitely lost",
                                        [MEMCHECK_INDIRECT] = "indirectly lost",
                                        [MEMCHECK_POSSIBLE] = "possibly lost"};
    char size[UNIT_TEXT_BYTES], number[UNIT_TEXT_BYTES];
    return memory_format("%s in %s block%s %s", unit_bytes(size, (double)seen->bytes),
                         unit_count(number, (double)seen->blocks), seen->blocks == 1 ? "" : "s",
                         words[seen->leak]);
}

static void seen_take(void *context, struct memcheck_seen *seen)
{
    struct memcheck *memcheck = context;
    struct suppress *suppress = memcheck->session->options->suppress;
    bool leak = seen->leak != MEMCHECK_NO_LEAK;
    if (!memcheck->known || (leak && (memcheck->child || memcheck->again)) ||
        (leak && suppress && suppress_matches(suppress, seen->frames, seen->frame_count))) {
        return;
    }
    struct result_memcheck *kept = kept_get(memcheck, memcheck->now);
    if (leak) {
        leak_add(kept, seen);
    } else if (!memcheck->again) {
        kept->errors++;
        memcheck->listed += !memcheck->child;
    }
    if (kept->list_count >= LISTED_MAX) {
        return;
    }
    struct result_error *error = result_error_add(kept);
    char *what = leak ? leak_text(seen) : memory_copy(seen->what);
    result_set(&error->kind, seen->kind);
    result_set(&error->what, what);
    result_set(&error->detail, seen->detail);
    error->bytes = seen->bytes;
    error->blocks = seen->blocks;
    error->frames = seen->frames;
    error->frame_count = seen->frame_count;
    seen->frames = NULL;
    free(what);
}

static int is_xml(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".xml") == 0;
}

/* All files of the folder, which is empty then. */
static void folder_read(struct memcheck *memcheck, const char *folder)
{
    struct dirent **entries = NULL;
    struct memcheck_events events = {mark_take, seen_take, memcheck};
    int count = scandir(folder, &entries, is_xml, versionsort);
    for (int i = 0; i < count; i++) {
        char *path = memory_format("%s/%s", folder, entries[i]->d_name);
        memcheck->known = memcheck->child = false;
        memcheck->now = WIRE_NO_TEST;
        memcheck->listed = 0;
        memcheck->damaged += !memcheck_read(path, memcheck->own, &events);
        unlink(path);
        free(path);
        free(entries[i]);
    }
    free(entries);
}

/* How each test of a pass ended. */
static void statuses_take(struct memcheck *memcheck, const struct session *pass)
{
    for (size_t i = 0; i < pass->live_count; i++) {
        kept_get(memcheck, pass->live_tests[i]);
    }
    for (size_t i = 0; i < pass->failure_count; i++) {
        struct result_memcheck *kept = kept_get(memcheck, pass->failures[i].test);
        kept->status = RESULT_FAIL;
        result_set(&kept->message, pass->failures[i].message);
        for (size_t k = 0; k < pass->death_count; k++) {
            if (pass->deaths[k] == pass->failures[i].test &&
                result_status_parse(kept->message, &kept->status)) {
                result_set(&kept->message, "");
            }
        }
    }
}

/* All tests, or the one, in a program under memcheck. False: it does not start so. */
static bool pass_run(struct memcheck *memcheck, const struct plan *plan, const char *folder,
                     const uint32_t *only)
{
    struct session *session = memcheck->session, pass;
    session_init(&pass, plan, session->variant, session->options, session->result);
    phase_begin(session, "under memcheck");
    pass.kind = SESSION_COUNTED;
    pass.forks = session->forks;
    pass.memcheck = folder;
    pass.list = only;
    pass.list_count = only ? 1 : 0;
    bool ran = session_run(&pass) && (pass.live_count > 0 || pass.death_count > 0);
    session->strays += pass.strays;
    if (ran && !only) {
        memcheck->count = pass.seen.test_count;
        memcheck->tests = memory_new(pass.seen.test_count, sizeof *memcheck->tests);
        for (size_t i = 0; i < pass.seen.test_count; i++) {
            result_test_start(&memcheck->tests[i]);
            result_set(&memcheck->tests[i].id, pass.seen.tests[i].id);
        }
        statuses_take(memcheck, &pass);
    }
    folder_read(memcheck, folder);
    session_fini(&pass);
    return ran;
}

/* Memcheck tells of an error once, and only counts another whose four innermost frames are the
 * same: a test with such ones alone is run by itself. */
static void kept_back_run(struct memcheck *memcheck, const struct plan *plan, const char *folder)
{
    size_t runs = 0, left = 0;
    memcheck->again = true;
    for (uint32_t i = 0; i < memcheck->count; i++) {
        const struct result_memcheck *kept = memcheck->tests[i].memcheck;
        bool listed = !kept || kept->errors == 0;
        for (size_t k = 0; !listed && k < kept->list_count; k++) {
            listed = !result_error_is_leak(&kept->list[k]);
        }
        if (!listed && runs < AGAIN_MAX) {
            runs++;
            pass_run(memcheck, plan, folder, &i);
        } else {
            left += !listed;
        }
    }
    if (left > 0) {
        result_note_add(memcheck->session->result,
                        "%zu more tests have memcheck errors like those of earlier tests only: "
                        "they are counted, and not listed; --only shows them",
                        left);
    }
}

static bool test_same(const void *context, uint64_t value, const char *id, const char *variant)
{
    const struct result *result = context;
    return strcmp(result->tests[value].id, id) == 0 &&
           strcmp(result->tests[value].variant, variant) == 0;
}

/* Errors first, then what is lost, the worst kind first; else as they came. */
static void findings_order(struct result_memcheck *memcheck)
{
    static const char *const kinds[] = {"", "Leak_DefinitelyLost", "Leak_IndirectlyLost",
                                        "Leak_PossiblyLost"};
    struct result_error *ordered = memory_new(memcheck->list_count, sizeof *ordered);
    size_t count = 0;
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        for (size_t i = 0; i < memcheck->list_count; i++) {
            const struct result_error *error = &memcheck->list[i];
            if (strcmp(result_error_is_leak(error) ? error->kind : "", kinds[kind]) == 0) {
                ordered[count++] = *error;
            }
        }
    }
    assert(count == memcheck->list_count);
    free(memcheck->list);
    memcheck->list = ordered;
    memcheck->list_room = count;
}

static void memcheck_move(struct session *session, struct result_test *to, struct result_test *from)
{
    result_memcheck_free(&to->memcheck);
    to->memcheck = from->memcheck;
    findings_order(to->memcheck);
    from->memcheck = NULL;
    session_test_write(session, to);
}

/* Into the tests of the result, and what belongs to none of them into one of its own. */
static size_t results_give(struct memcheck *memcheck)
{
    struct session *session = memcheck->session;
    struct result *result = session->result;
    struct result_index index = {0};
    uint64_t at;
    bool fresh;
    size_t given = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        result_index_add(&index, result->tests[i].id, result->tests[i].variant, i, test_same,
                         result, &fresh);
    }
    for (size_t i = 0; i < memcheck->count; i++) {
        if (memcheck->tests[i].memcheck &&
            result_index_find(&index, memcheck->tests[i].id, session->variant->name, test_same,
                              result, &at)) {
            memcheck_move(session, &result->tests[at], &memcheck->tests[i]);
            given++;
        }
        result_test_fini(&memcheck->tests[i]);
    }
    if (result_memcheck_bad(memcheck->outside.memcheck)) {
        struct result_test *outside = result_test_add(result);
        result_set(&outside->id, "(outside any test)");
        result_set(&outside->variant, session->variant->name);
        memcheck_move(session, outside, &memcheck->outside);
    }
    result_index_fini(&index);
    free(memcheck->tests);
    return given;
}

bool session_memcheck(struct session *session)
{
    struct memcheck memcheck = {.session = session};
    struct plan plan = *session->plan; /* borrowed, with limits that a slow program can keep */
    char *folder;
    char took[UNIT_TEXT_BYTES];
    double begun = monotonic_ns();
    bool ran = false;
    plan.timeout_ns *= SLOWER;
    plan.memory_cap = plan.memory_cap ? plan.memory_cap * CAP_TIMES + CAP_MORE : 0;
    plan.allocator = PLAN_SYSTEM;
    plan.births = false;
    memcheck.own = realpath(session->options->preload, NULL);
    memcheck.own = memcheck.own ? memcheck.own : memory_copy(session->options->preload);
    result_test_start(&memcheck.outside);
    interrupt_begin();
    if (!interrupt_folder_new("memcheck", &folder)) {
        result_note_add(session->result, "memcheck was not run: %s: %s", folder, strerror(errno));
    } else if (!(ran = pass_run(&memcheck, &plan, folder, NULL) && memcheck.count > 0)) {
        result_note_add(session->result,
                        "memcheck was not run: %s finds no tests, or does not start, under "
                        "valgrind; `valgrind %s` may tell why",
                        session->variant->program, session->variant->program);
    } else {
        kept_back_run(&memcheck, &plan, folder);
        size_t given = results_give(&memcheck);
        result_note_add(session->result,
                        "memcheck saw %zu test%s once%s, in %s: what only a second run or "
                        "another input shows it has not seen",
                        given, given == 1 ? "" : "s", given == 1 ? "" : " each",
                        unit_ns(took, monotonic_ns() - begun));
    }
    if (memcheck.damaged > 0) {
        result_note_add(session->result, "%zu of memcheck's files could not be read to the end",
                        memcheck.damaged);
    }
    result_test_fini(&memcheck.outside);
    rmdir(folder);
    interrupt_folder(NULL);
    interrupt_end();
    free(folder);
    free(memcheck.own);
    return ran;
}
