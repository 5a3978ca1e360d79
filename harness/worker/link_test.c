/* link_test.c - answers of a worker. The worker is this program once more: it finds the wire in its
 * environment and plays the tests below instead of running ours. */
#include "harness/worker/link.h"

#include "harness/base/suite.h"
#include "harness/worker/pace.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum played { PASSES, DIES_EARLY, DIES_LATE, LEAVES_A_PROCESS, HANGS, CLAIMS, PLAYED };

static void sample_put(struct wire *wire, uint32_t test, unsigned repetition)
{
    struct wire_sample sample;
    WIRE_INIT(&sample, WIRE_SAMPLE);
    sample.test = test;
    sample.repetition = repetition;
    sample.boundaries = 1;
    sample.live_bytes = 100 + repetition;
    wire_put(wire, &sample);
}

static struct wire *hanging;

static void stack_ask(int number)
{
    atomic_store(&hanging->crash.signal, (uint32_t)number);
}

static void orphan_make(void)
{
    if (fork() == 0) {
        if (fork() == 0) {
            pause();
        }
        _exit(0);
    }
    usleep(50000); /* the one between has ended */
}

static void test_play(struct wire *wire, const struct wire_command *command)
{
    struct wire_test test;
    struct wire_note note;
    for (unsigned i = 0; i < command->repetitions; i++) {
        sample_put(wire, command->test, i);
    }
    WIRE_INIT(&note, WIRE_NOTE);
    strcpy(note.text, "in between");
    wire_put(wire, &note);
    if (command->test == DIES_EARLY) {
        wire_flush(wire);
        _exit(1);
    }
    if (command->test == HANGS) {
        struct timespec now;
        hanging = wire;
        signal(WIRE_STACK_SIGNAL, stack_ask);
        clock_gettime(CLOCK_MONOTONIC, &now);
        atomic_store(&wire->progress.started_ns,
                     (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
        pause();
        pause();
    }
    if (command->test == LEAVES_A_PROCESS) {
        orphan_make();
    }
    WIRE_INIT(&test, WIRE_TEST);
    test.test = command->test;
    test.allocs = 77;
    if (command->test == CLAIMS) { /* what it waited for a processor, and for threads, in ms */
        test.queued_ns = command->site_count * 1000000ull;
        test.settled_ns = command->warmups * 1000000ull;
        usleep(60000);
    }
    wire_put(wire, &test);
    wire_flush(wire);
    if (command->test == DIES_LATE) {
        _exit(1);
    }
}

static __attribute__((constructor)) void worker_play(void)
{
    struct wire *wire = getenv(WIRE_ENV) ? wire_attach() : NULL;
    struct wire_command command;
    struct wire_ready ready;
    struct wire_done done;
    struct wire_record bye = {.type = WIRE_BYE, .bytes = sizeof bye};
    uint32_t sequence = 0;
    if (!wire || !wire_claim(&wire)) {
        return;
    }
    static struct wire_hello hello;
    static struct wire_test_name name;
    WIRE_INIT(&hello, WIRE_HELLO);
    hello.pid = (int32_t)getpid();
    hello.way = WIRE_WAY_HEADER;
    wire_put(wire, &hello);
    for (uint32_t i = 0; i < PLAYED; i++) {
        WIRE_INIT(&name, WIRE_TEST_NAME);
        name.test = i;
        name.id[0] = 'a';
        wire_put(wire, &name);
    }
    WIRE_INIT(&ready, WIRE_READY);
    ready.count = PLAYED;
    wire_put(wire, &ready);
    wire_flush(wire);
    for (;;) {
        wire_command_wait(wire, &sequence, &command);
        if (command.op == WIRE_OP_RUN) {
            test_play(wire, &command);
        }
        WIRE_INIT(&done, WIRE_DONE);
        done.sequence = sequence;
        done.op = command.op;
        done.took_ns = command.child_ns; /* of CLAIMS: what it is told to say */
        done.cpu_ns = command.settle_ns;
        wire_put(wire, &done);
        if (command.op == WIRE_OP_FINISH) {
            wire_put(wire, &bye);
            wire_flush(wire);
            _exit(0);
        }
        wire_flush(wire);
    }
}

static unsigned observed[WIRE_FAMILY + 1];

static void observe(void *context, const struct wire_record *record)
{
    ck_assert_ptr_eq(context, observed);
    observed[record->type]++;
}

static void begin(struct link *link)
{
    static char *argv[] = {"link_test", NULL}, *env[] = {NULL}, name[] = "";
    static const struct worker_options options = {.preload = "", .allocator = PLAN_SYSTEM};
    static char program[4096]; /* by its name: under valgrind the link is valgrind's own */
    ck_assert_int_gt(readlink("/proc/self/exe", program, sizeof program - 1), 0);
    struct plan_variant variant = {.name = name, .program = program, .argv = argv, .env = env};
    memset(observed, 0, sizeof observed);
    link_init(link, observe, observed);
    ck_assert(link_start(link, &variant, &options));
    ck_assert_int_eq(link_wait(link, 0), WORKER_READY);
    ck_assert_uint_eq(link->worker.group.count, PLAYED);
}

static struct answer run(struct link *link, enum played test, unsigned repetitions,
                         uint64_t timeout_ns)
{
    struct wire_command command = {.op = WIRE_OP_RUN, .test = test, .repetitions = repetitions};
    return link_ask(link, &command, timeout_ns);
}

START_TEST(an_answer_has_its_own_samples_and_test)
{
    struct link link;
    begin(&link);
    for (unsigned i = 1; i <= 3; i++) { /* a second answer begins anew */
        struct answer answer = run(&link, PASSES, i, 0);
        ck_assert_int_eq(answer.event, WORKER_DONE);
        ck_assert(answer.ran && answer.test.allocs == 77 && answer.orphans == 0);
        ck_assert_uint_eq(answer.sample_count, i);
        ck_assert_int_eq(answer.samples[i - 1].live_bytes, 100 + i - 1);
    }
    ck_assert_uint_eq(observed[WIRE_NOTE], 3);
    ck_assert_uint_eq(observed[WIRE_SAMPLE], 6);
    ck_assert_uint_eq(observed[WIRE_TEST], 3);
    ck_assert(observed[WIRE_DONE] == 0 && observed[WIRE_READY] == 0);
    struct wire_command sites = {.op = WIRE_OP_SITES};
    struct answer answer = link_ask(&link, &sites, 0);
    ck_assert_int_eq(answer.event, WORKER_DONE);
    ck_assert(!answer.ran && answer.sample_count == 0 && answer.test.allocs == 0);
    struct wire_command finish = {.op = WIRE_OP_FINISH};
    ck_assert_int_eq(link_ask(&link, &finish, 0).event, WORKER_DONE);
    ck_assert_int_eq(link_wait(&link, 0), WORKER_BYE);
    link_fini(&link);
    ck_assert_ptr_null(link.samples);
}
END_TEST

START_TEST(an_end_says_how_far_it_came)
{
    static const struct {
        enum played test;
        enum worker_event event;
        bool ran;
    } rows[] = {{DIES_EARLY, WORKER_GONE, false},
                {DIES_LATE, WORKER_GONE, true},
                {HANGS, WORKER_HUNG, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct link link;
        begin(&link);
        struct answer answer = run(&link, rows[i].test, 2, 50000000);
        ck_assert_int_eq(answer.event, rows[i].event);
        ck_assert_int_eq(answer.ran, rows[i].ran);
        ck_assert_uint_eq(answer.sample_count, 2);
        link_fini(&link);
        begin(&link); /* and another worker can begin */
        ck_assert(run(&link, PASSES, 1, 0).ran);
        link_fini(&link);
    }
}
END_TEST

START_TEST(processes_that_a_test_leaves_are_counted)
{
    struct link link;
    begin(&link);
    ck_assert_uint_eq(run(&link, PASSES, 1, 0).orphans, 0);
    size_t orphans = run(&link, LEAVES_A_PROCESS, 1, 0).orphans;
    size_t children = access("/proc/self/task", R_OK) == 0 ? orphans : 1;
    ck_assert_uint_eq(children, 1);
    link_fini(&link);
}
END_TEST

START_TEST(what_a_worker_spent_is_its_word_within_what_was_waited_for_it)
{
    static const double ms = 1e6;
    static const struct {
        uint32_t op;
        uint64_t took_ms, cpu_ms;
        uint32_t queued_ms, settled_ms;
        double least_ms, most_ms; /* beside what this process runs meanwhile */
    } rows[] = {
        {WIRE_OP_RUN, 50, 1, 20, 0, 30, 45},       /* it sleeps, and waits for a processor */
        {WIRE_OP_RUN, 50, 45, 20, 0, 45, 60},      /* no less than it ran */
        {WIRE_OP_RUN, 1u << 30, 0, 0, 0, 60, 1e9}, /* no more than was waited for it */
        {WIRE_OP_RUN, 50, 1, 1u << 30, 0, 1, 15},
        {WIRE_OP_RUN, 50, 20, 0, 0, 20, 40},  /* the rest is waiting for locks: no sleep */
        {WIRE_OP_RUN, 50, 10, 0, 30, 40, 48}, /* what was waited for threads counts, and is none */
        {WIRE_OP_RUN, 50, 1, 0, 30, 50, 60},
        {WIRE_OP_SITES, 0, 1u << 30, 0, 0, 0, 15},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct link link;
        struct timespec before, after;
        begin(&link);
        struct wire_command command = {.op = rows[i].op,
                                       .test = CLAIMS,
                                       .repetitions = 1,
                                       .child_ns = rows[i].took_ms * 1000000,
                                       .settle_ns = rows[i].cpu_ms * 1000000,
                                       .site_count = rows[i].queued_ms,
                                       .warmups = rows[i].settled_ms};
        double spent = pace_now();
        clock_gettime(CLOCK_MONOTONIC, &before);
        ck_assert_int_eq(link_ask(&link, &command, 0).event, WORKER_DONE);
        clock_gettime(CLOCK_MONOTONIC, &after);
        spent = (pace_now() - spent) / ms;
        double wall = (double)(after.tv_sec - before.tv_sec) * 1e3 +
                      (double)(after.tv_nsec - before.tv_nsec) / ms;
        ck_assert_msg(spent >= rows[i].least_ms && spent <= rows[i].most_ms && spent <= wall + 2,
                      "row %zu: %g ms of %g", i, spent, wall);
        link_fini(&link);
    }
}
END_TEST

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) /* not tried there */
int main(void)
{
    (void)&an_answer_has_its_own_samples_and_test;
    (void)&an_end_says_how_far_it_came;
    (void)&processes_that_a_test_leaves_are_counted;
    (void)&what_a_worker_spent_is_its_word_within_what_was_waited_for_it;
    puts("the worker is this program, and a sanitizer's runtime does not start before its "
         "constructor");
    return 77;
}
#else
SUITE("link", &an_answer_has_its_own_samples_and_test, &an_end_says_how_far_it_came,
      &processes_that_a_test_leaves_are_counted,
      &what_a_worker_spent_is_its_word_within_what_was_waited_for_it)
#endif
