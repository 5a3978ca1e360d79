/* wire_test.c - the shared memory, as a broken worker leaves it: nothing of it is believed. */
#include "harness/base/wire.h"

#include "harness/base/suite.h"
#include "harness/base/wire_check.h"
#include "harness/base/wire_part.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct wire *wire;
static unsigned char *worker; /* the same memory, as a worker maps it */
static int wire_fd;
static _Alignas(8) unsigned char record[WIRE_RECORD_MAX];

static void begin(void)
{
    wire = wire_new(&wire_fd);
    ck_assert_ptr_nonnull(wire);
    worker = mmap(NULL, sizeof *wire, PROT_READ | PROT_WRITE, MAP_SHARED, wire_fd, 0);
    ck_assert_ptr_ne(worker, MAP_FAILED);
}

static void end(void)
{
    munmap(worker, sizeof *wire);
    wire_free(&wire);
    close(wire_fd);
}

static struct wire *theirs(void)
{
    return (struct wire *)worker;
}

static void note_put(const char *text)
{
    struct wire_note note;
    WIRE_INIT(&note, WIRE_NOTE);
    strcpy(note.text, text); /* NOLINT: of this file */
    wire_put(theirs(), &note);
}

static bool get(bool *broken)
{
    *broken = false;
    return wire_get(wire, record, broken);
}

static void refused(const char *why)
{
    bool broken;
    ck_assert(!get(&broken) && broken);
    ck_assert_ptr_nonnull(strstr(wire_damage(wire), why));
    ck_assert(!get(&broken) && broken); /* for good */
}

START_TEST(what_is_put_is_got)
{
    bool broken;
    begin();
    ck_assert(!get(&broken) && !broken);
    for (int i = 0; i < 10000; i++) { /* several times around the ring */
        note_put("one");
        note_put("two");
        ck_assert(get(&broken));
        ck_assert_str_eq(((struct wire_note *)record)->text, "one");
        ck_assert(get(&broken));
        ck_assert_str_eq(((struct wire_note *)record)->text, "two");
        ck_assert(!get(&broken) && !broken);
    }
    ck_assert_ptr_null(wire_damage(wire));
    end();
}
END_TEST

START_TEST(overwritten_words_are_noticed)
{
    static const struct {
        size_t at;
        uint64_t bits;
        const char *why;
    } rows[] = {
        {offsetof(struct wire, magic), 1, "head"},
        {offsetof(struct wire, bytes), 4096, "head"},
        {offsetof(struct wire, supervisor), 3, "head"},
        {offsetof(struct wire, claimed), 1, "head"},
        {offsetof(struct wire, command_sequence), 1, "command"},
        {offsetof(struct wire, command) + offsetof(struct wire_command, op), 1, "command"},
        {offsetof(struct wire, tail), 8, "positions"},
        {offsetof(struct wire, head), (uint64_t)1 << 40, "positions"},
        {offsetof(struct wire, head), 4, "positions"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t word;
        bool broken;
        begin();
        theirs()->claimed = 4711;
        note_put("before");
        ck_assert(get(&broken));
        memcpy(&word, worker + rows[i].at, sizeof word);
        word ^= rows[i].bits;
        memcpy(worker + rows[i].at, &word, sizeof word);
        refused(rows[i].why);
        ck_assert_int_eq(wire_claimed(wire), 4711);
        end();
    }
}
END_TEST

START_TEST(a_record_of_no_size_ends_the_stream)
{
    begin();
    theirs()->head += sizeof(struct wire_record);
    refused("size");
    end();
}
END_TEST

START_TEST(the_worker_cannot_make_it_smaller)
{
    begin();
    ck_assert_int_ne(ftruncate(wire_fd, 4096), 0);
    ck_assert_int_ne(ftruncate(wire_fd, 1 << 30), 0);
    end();
}
END_TEST

static int status_of_write(const unsigned char *at)
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile unsigned char *)at = 1;
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

START_TEST(a_guard_lies_on_either_side)
{
    begin();
    unsigned char *first = (unsigned char *)wire;
    size_t pages = (sizeof *wire + 4095) / 4096 * 4096;
    ck_assert_int_eq(status_of_write(first), 0);
    ck_assert_int_eq(status_of_write(first + sizeof *wire - 1), 0);
    ck_assert(status_of_write(first - 1) != 0);
    ck_assert(status_of_write(first - 8192) != 0);
    ck_assert(status_of_write(first + pages) != 0);
    ck_assert(status_of_write(first + pages + 8192) != 0);
    end();
}
END_TEST

static uint64_t random_next(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

/* A plausible head, then words of which some are small, some large and some text. */
static size_t fuzz_record(uint64_t *state)
{
    static const uint32_t sizes[] = {[WIRE_HELLO] = sizeof(struct wire_hello),
                                     [WIRE_MODULE] = sizeof(struct wire_module),
                                     [WIRE_TEST_NAME] = sizeof(struct wire_test_name),
                                     [WIRE_READY] = sizeof(struct wire_ready),
                                     [WIRE_SAMPLE] = sizeof(struct wire_sample),
                                     [WIRE_TEST] = sizeof(struct wire_test),
                                     [WIRE_SITE] = sizeof(struct wire_site),
                                     [WIRE_SURVIVOR] = sizeof(struct wire_survivor),
                                     [WIRE_HELD] = sizeof(struct wire_held),
                                     [WIRE_COUNTER] = sizeof(struct wire_counter),
                                     [WIRE_NOTE] = sizeof(struct wire_note),
                                     [WIRE_DONE] = sizeof(struct wire_done),
                                     [WIRE_BYE] = sizeof(struct wire_record),
                                     [WIRE_RELEASE] = sizeof(struct wire_release),
                                     [WIRE_GIVEN_TO] = sizeof(struct wire_given),
                                     [WIRE_HEAP_ERROR] = sizeof(struct wire_heap_error),
                                     [WIRE_CHILDREN] = sizeof(struct wire_children)};
    static uint64_t words[WIRE_RECORD_MAX / 8];
    struct wire_record head = {.type = (uint32_t)(random_next(state) % 20)};
    bool known = head.type < sizeof sizes / sizeof sizes[0] && sizes[head.type] != 0;
    head.bytes = known ? sizes[head.type] : (uint32_t)(8 + random_next(state) % 300 * 8);
    if (random_next(state) % 16 == 0) {
        head.bytes = (uint32_t)(random_next(state) % 20000);
    }
    size_t put = (head.bytes + 7) / 8 < WIRE_RECORD_MAX / 8 ? (head.bytes + 7) / 8 : 1;
    for (size_t i = 0; i < put; i++) {
        uint64_t word = random_next(state);
        words[i] = word % 4 == 0 ? word : word % 4 == 1 ? word >> 60 : word % 4 == 2 ? 0 : ~0ull;
    }
    memcpy(words, &head, sizeof head);
    memcpy(theirs()->ring + theirs()->head % WIRE_RING_BYTES, words,
           put * 8 < WIRE_RING_BYTES - theirs()->head % WIRE_RING_BYTES ? put * 8 : 8);
    return put * 8;
}

static bool terminated(const char *text, size_t room)
{
    return memchr(text, 0, room) != NULL;
}

/* What a reader relies on, in its own words. */
static void rely_on(const unsigned char *got)
{
    struct wire_record head;
    memcpy(&head, got, sizeof head);
    const struct wire_test *test = (const struct wire_test *)got;
    const struct wire_held *held = (const struct wire_held *)got;
    switch (head.type) {
    case WIRE_TEST:
        ck_assert(test->status <= WIRE_SKIP && terminated(test->message, WIRE_TEXT_MAX) &&
                  terminated(test->file, WIRE_ID_MAX));
        break;
    case WIRE_SITE:
        ck_assert_uint_le(((const struct wire_site *)got)->frame_count, WIRE_FRAMES_MAX);
        break;
    case WIRE_HELD:
        ck_assert_uint_le(held->chain_count, WIRE_CHAIN_MAX);
        ck_assert_uint_le(held->root, WIRE_ROOT_REGISTER);
        break;
    case WIRE_GIVEN_TO:
        ck_assert_uint_le(((const struct wire_given *)got)->frame_count, WIRE_FRAMES_MAX);
        break;
    case WIRE_HEAP_ERROR:
        ck_assert_uint_le(((const struct wire_heap_error *)got)->here_count, WIRE_FRAMES_MAX);
        break;
    case WIRE_CHILDREN:
        ck_assert(terminated(((const struct wire_children *)got)->program, 128));
        break;
    case WIRE_TEST_NAME:
        ck_assert(terminated(((const struct wire_test_name *)got)->id, WIRE_ID_MAX));
        break;
    case WIRE_NOTE:
        ck_assert(terminated(((const struct wire_note *)got)->text, WIRE_TEXT_MAX));
        break;
    default:
        ck_assert(head.type >= WIRE_HELLO && head.type <= WIRE_CHILDREN);
    }
}

/* As with a new worker, without the mapping of memory that would be most of the time. */
static void start_anew(void)
{
    theirs()->head = theirs()->tail = own_of(wire)->tail = 0;
    own_of(wire)->damage = NULL;
}

#define ROUNDS 100000

START_TEST(random_bytes_never_pass_for_more_than_they_are)
{
    uint64_t state = 15;
    size_t passed = 0, denied = 0;
    struct wire_dialogue dialogue = {0};
    begin();
    for (int i = 0; i < ROUNDS; i++) {
        bool broken;
        size_t bytes = fuzz_record(&state);
        theirs()->head += bytes;
        if (get(&broken)) {
            rely_on(record);
            passed += wire_dialogue_check(&dialogue, (struct wire_record *)record) == NULL;
        }
        if (broken) {
            denied++;
            start_anew();
            memset(&dialogue, 0, sizeof dialogue);
        }
    }
    ck_assert_uint_gt(passed, ROUNDS / 1000); /* else it tries too little */
    ck_assert_uint_gt(denied, ROUNDS / 10);
    end();
}
END_TEST

SUITE("wire", &what_is_put_is_got, &overwritten_words_are_noticed,
      &a_record_of_no_size_ends_the_stream, &the_worker_cannot_make_it_smaller,
      &a_guard_lies_on_either_side, &random_bytes_never_pass_for_more_than_they_are)
