/* wire_check_test.c - which records a worker may send, and when. */
#include "harness/base/wire_check.h"

#include "harness/base/suite.h"

#include <string.h>

static _Alignas(8) unsigned char room[WIRE_RECORD_MAX];

#define RECORD(structure, type_number)                                                             \
    struct structure *record = (struct structure *)room;                                           \
    memset(room, 0, sizeof room);                                                                  \
    *(struct wire_record *)room = (struct wire_record)                                             \
    {                                                                                              \
        .type = (type_number), .bytes = sizeof(struct structure)                                   \
    }

static bool passes(void)
{
    return wire_record_check((struct wire_record *)room) == NULL;
}

/* With the change it is refused, and without it passes. */
#define REFUSED(structure, type_number, valid, change)                                             \
    do {                                                                                           \
        RECORD(structure, type_number);                                                            \
        valid;                                                                                     \
        ck_assert_msg(passes(), #type_number ": " #valid);                                         \
        change;                                                                                    \
        ck_assert_msg(!passes(), #type_number ": " #change);                                       \
    } while (0)

#define REFUSED_SAMPLE(valid, change)                                                              \
    REFUSED(wire_sample, WIRE_SAMPLE, (record->boundaries = 1, valid), change)

#define FULL(field) memset((field), 'x', sizeof(field))

START_TEST(each_field_is_checked)
{
    REFUSED(wire_hello, WIRE_HELLO, record->pid = 1, record->pid = -1);
    REFUSED(wire_hello, WIRE_HELLO, record->pid = 1, record->way = 99);
    REFUSED(wire_hello, WIRE_HELLO, record->pid = 1, FULL(record->framework));
    REFUSED(wire_hello, WIRE_HELLO, record->pid = 1, FULL(record->allocator));
    REFUSED(wire_module, WIRE_MODULE, record->end = 1, record->start = 2);
    REFUSED(wire_module, WIRE_MODULE, record->end = 1, record->build_id_bytes = 21);
    REFUSED(wire_module, WIRE_MODULE, record->end = 1, FULL(record->path));
    REFUSED(wire_test_name, WIRE_TEST_NAME, record->test = 1, record->test = WIRE_NO_TEST);
    REFUSED(wire_test_name, WIRE_TEST_NAME, record->test = 1, FULL(record->id));
    REFUSED(wire_test_name, WIRE_TEST_NAME, record->test = 1, FULL(record->file));
    REFUSED(wire_ready, WIRE_READY, record->first = 7, record->count = UINT32_MAX);
    REFUSED_SAMPLE(record->status = WIRE_SKIP, record->status++);
    REFUSED_SAMPLE(record->live_bytes = -1, record->live_bytes = INT64_MAX);
    REFUSED_SAMPLE(record->live_blocks = 1, record->live_blocks = INT64_MIN);
    REFUSED_SAMPLE(record->mappings = 1, record->mappings = INT64_MIN);
    REFUSED_SAMPLE(record->wall_ns = 1, record->wall_ns = UINT64_MAX);
    REFUSED_SAMPLE(record->wall_ns = 1, record->boundaries = 0);
    REFUSED(wire_test, WIRE_TEST, record->status = WIRE_SKIP, record->status = UINT32_MAX);
    REFUSED(wire_test, WIRE_TEST, record->signal = 64, record->signal = 65);
    REFUSED(wire_test, WIRE_TEST, record->signal = 9, record->signal = -9);
    REFUSED(wire_test, WIRE_TEST, record->allocs = 1, record->allocs = UINT64_MAX);
    REFUSED(wire_test, WIRE_TEST, record->bytes = 1, record->bytes = UINT64_MAX);
    REFUSED(wire_test, WIRE_TEST, record->line = 1, FULL(record->message));
    REFUSED(wire_test, WIRE_TEST, record->line = 1, FULL(record->file));
    REFUSED(wire_site, WIRE_SITE, record->frame_count = WIRE_FRAMES_MAX, record->frame_count++);
    REFUSED(wire_site, WIRE_SITE, record->site = WIRE_SITE_MOST, record->site++);
    REFUSED(wire_site, WIRE_SITE, record->kind = WIRE_SITE_FILE, record->kind = 99);
    REFUSED(wire_site, WIRE_SITE, record->frame_count = 1,
            record->head.bytes = offsetof(struct wire_site, frames));
    REFUSED(wire_survivor, WIRE_SURVIVOR, record->site = 1, record->site = UINT32_MAX);
    REFUSED(wire_held, WIRE_HELD, record->chain_count = WIRE_CHAIN_MAX, record->chain_count++);
    REFUSED(wire_held, WIRE_HELD, record->root = WIRE_ROOT_REGISTER, record->root++);
    REFUSED(wire_held, WIRE_HELD, record->chain_count = 1, record->chain[0].site = UINT32_MAX);
    REFUSED(wire_counter, WIRE_COUNTER, record->value = 1, FULL(record->name));
    REFUSED(wire_histogram, WIRE_HISTOGRAM, record->count[0] = 1, FULL(record->name));
    REFUSED(wire_note, WIRE_NOTE, record->text[0] = 'x', FULL(record->text));
    REFUSED(wire_done, WIRE_DONE, record->op = WIRE_OP_FINISH, record->op = 99);
    REFUSED(wire_release, WIRE_RELEASE, record->relation = 0, record->relation = 77);
    REFUSED(wire_release, WIRE_RELEASE, record->born = 1, record->born = UINT32_MAX);
    REFUSED(wire_heap_error, WIRE_HEAP_ERROR, record->kind = 1, record->kind = 99);
    REFUSED(wire_heap_error, WIRE_HEAP_ERROR, record->kind = 1, record->here_count = UINT32_MAX);
    REFUSED(wire_heap_error, WIRE_HEAP_ERROR, record->kind = 1, record->born_count = UINT32_MAX);
    REFUSED(wire_heap_error, WIRE_HEAP_ERROR, record->kind = 1, record->freed_count = UINT32_MAX);
    REFUSED(wire_children, WIRE_CHILDREN, record->forked = 1, FULL(record->program));
    REFUSED(wire_given, WIRE_GIVEN_TO, record->argument = 0, record->argument = 1u << 31);
    REFUSED(wire_given, WIRE_GIVEN_TO, record->frame_count = 1, record->frame_count = UINT32_MAX);
}
END_TEST

START_TEST(types_and_sizes_are_checked)
{
    for (uint32_t type = 0; type < 64; type++) {
        RECORD(wire_note, type);
        (void)record;
        ck_assert(passes() == (type == WIRE_NOTE));
        ((struct wire_record *)room)->bytes -= 8;
        ck_assert(!passes());
    }
}
END_TEST

/* As an answer, after it passed by itself. */
static bool comes(struct wire_dialogue *dialogue)
{
    ck_assert(passes());
    return wire_dialogue_check(dialogue, (struct wire_record *)room) == NULL;
}

static bool named(struct wire_dialogue *dialogue, uint32_t test)
{
    RECORD(wire_test_name, WIRE_TEST_NAME);
    record->test = test;
    return comes(dialogue);
}

static bool offered(struct wire_dialogue *dialogue, uint32_t first, uint32_t count)
{
    RECORD(wire_ready, WIRE_READY);
    record->first = first;
    record->count = count;
    return comes(dialogue);
}

/* Of so many boundaries in a row, the last of which is `repetition`. */
static bool sampled_alike(struct wire_dialogue *dialogue, uint32_t test, uint32_t repetition,
                          uint32_t boundaries)
{
    RECORD(wire_sample, WIRE_SAMPLE);
    record->test = test;
    record->repetition = repetition;
    record->boundaries = boundaries;
    return comes(dialogue);
}

static bool sampled(struct wire_dialogue *dialogue, uint32_t test, uint32_t repetition)
{
    return sampled_alike(dialogue, test, repetition, 1);
}

static bool ended(struct wire_dialogue *dialogue, uint32_t test)
{
    RECORD(wire_test, WIRE_TEST);
    record->test = test;
    return comes(dialogue);
}

static bool done(struct wire_dialogue *dialogue, uint32_t op, uint32_t sequence)
{
    RECORD(wire_done, WIRE_DONE);
    record->op = op;
    record->sequence = sequence;
    return comes(dialogue);
}

static void ask(struct wire_dialogue *dialogue, uint32_t op, uint32_t test, uint32_t sequence)
{
    struct wire_command command = {.op = op, .test = test, .repetitions = 8};
    wire_dialogue_ask(dialogue, &command, sequence);
}

START_TEST(a_dialogue_goes_through)
{
    struct wire_dialogue dialogue = {0};
    ck_assert(named(&dialogue, 0) && named(&dialogue, 1) && offered(&dialogue, 0, 2));
    ask(&dialogue, WIRE_OP_RUN, 1, 1);
    ck_assert(sampled(&dialogue, 1, 0) && sampled_alike(&dialogue, 1, 7, 7));
    ck_assert(sampled(&dialogue, 1, 8)); /* after the wait */
    ck_assert(ended(&dialogue, 1));
    ck_assert(done(&dialogue, WIRE_OP_RUN, 1));
    ask(&dialogue, WIRE_OP_FINISH, 0, 2);
    ck_assert(done(&dialogue, WIRE_OP_FINISH, 2));
    RECORD(wire_note, WIRE_BYE);
    record->head.bytes = sizeof(struct wire_record);
    ck_assert(comes(&dialogue));
}
END_TEST

START_TEST(what_nobody_asked_for_is_refused)
{
    struct wire_dialogue start = {0}, dialogue;
    ck_assert(!named(&start, 1)); /* not next */
    ck_assert(named(&start, 0) && named(&start, 1));
    ck_assert(!offered(&start, 0, 3) && offered(&start, 0, 2));
    ck_assert(!ended(&start, 0) && !sampled(&start, 0, 0)); /* none was asked for */
    ck_assert(!done(&start, WIRE_OP_RUN, 0));
    ask(&start, WIRE_OP_RUN, 1, 7);
    dialogue = start;
    ck_assert(!ended(&dialogue, 0)); /* of another test */
    ck_assert(!ended(&dialogue, 99));
    ck_assert(!sampled(&dialogue, 1, 1)); /* not its first repetition */
    dialogue = start;
    ck_assert(!sampled_alike(&dialogue, 1, 6, 8)); /* more boundaries than repetitions */
    dialogue = start;
    ck_assert(!sampled_alike(&dialogue, 1, 99, 100)); /* more repetitions than were asked for */
    dialogue = start;
    ck_assert(!done(&dialogue, WIRE_OP_RUN, 6) && !done(&dialogue, WIRE_OP_SITES, 7));
    ck_assert(!named(&dialogue, 2) && !offered(&dialogue, 0, 1));
    ck_assert(ended(&dialogue, 1) && !ended(&dialogue, 1)); /* twice */
    RECORD(wire_survivor, WIRE_SURVIVOR);
    (void)record;
    ck_assert(!comes(&dialogue));
}
END_TEST

START_TEST(tests_that_go_by_need_no_question)
{
    struct wire_dialogue dialogue = {0};
    ck_assert(offered(&dialogue, 0, 0));
    ck_assert(named(&dialogue, 0) && dialogue.begun == 1);
    ck_assert(sampled(&dialogue, 0, 5) && ended(&dialogue, 0) && dialogue.begun == 0);
    ck_assert(!ended(&dialogue, 1)); /* never announced */
}
END_TEST

START_TEST(notes_end_somewhere)
{
    struct wire_dialogue dialogue = {0};
    size_t count = 0;
    RECORD(wire_note, WIRE_NOTE);
    (void)record;
    while (comes(&dialogue) && count < 1000000) {
        count++;
    }
    ck_assert(count > 100 && count < 100000);
}
END_TEST

START_TEST(an_end_is_kept_within_its_bounds)
{
    int fd;
    struct wire *wire = wire_new(&fd);
    struct wire_end end;
    wire->crash.signal = 5000;
    wire->crash.frame_count = UINT32_MAX;
    wire_end_get(wire, &end);
    ck_assert_uint_eq(end.signal, 0);
    ck_assert_uint_eq(end.frame_count, WIRE_CRASH_MAX);
    wire->crash.signal = SIGSEGV;
    wire->crash.frame_count = 3;
    wire_end_get(wire, &end);
    ck_assert_uint_eq(end.signal, SIGSEGV);
    ck_assert_uint_eq(end.frame_count, 3);
    wire_free(&wire);
}
END_TEST

SUITE("wire_check", &each_field_is_checked, &types_and_sizes_are_checked, &a_dialogue_goes_through,
      &what_nobody_asked_for_is_refused, &tests_that_go_by_need_no_question, &notes_end_somewhere,
      &an_end_is_kept_within_its_bounds)
