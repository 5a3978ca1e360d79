/* serve.c - see serve.h. */
#include "harness/boundary/serve.h"

#include "harness/boundary/allocators.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/repetition.h"
#include "harness/boundary/restore.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <string.h>
#include <sys/syscall.h>
#include <time.h>

static uint32_t serve_next;     /* index of the next group's first test */
static uint32_t serve_sequence; /* of the last command read */
static bool serve_greeted;
static bool *serve_failed; /* of the group's tests */

/* What a way in cannot do, for the person. */
static const char *const way_notes[] = {
    [WIRE_WAY_HEADER] =
        "the program says where its tests begin and end (tidemark.h): they run in its "
        "own order, none can be repeated by itself",
    [WIRE_WAY_LIBC] =
        "the program is stripped: its libcheck tests are seen through libc, in their own order and "
        "unforked, none can be repeated by itself, and libcheck's short-lived allocations are "
        "counted "
        "with them; with its symbol table (not stripped) each test could be run alone",
    [WIRE_WAY_PROGRAM] = "no test framework was found in the program: all of main is one test",
};

void serve_hello(const char *framework, enum wire_way way)
{
    if (boundary_wire == NULL || serve_greeted) {
        return;
    }
    serve_greeted = true;
    struct wire_hello hello;
    WIRE_INIT(&hello, WIRE_HELLO);
    hello.pid = (int32_t)boundary_pid;
    hello.way = way;
    repetition_text(hello.framework, sizeof hello.framework, framework);
    repetition_text(hello.allocator, sizeof hello.allocator, ledger_allocator());
    wire_put(boundary_wire, &hello);
    ledger_modules_put(boundary_wire);
    bool has_copy = way == WIRE_WAY_PROGRAM && strcmp(framework, "none") != 0;
    if (way < sizeof way_notes / sizeof way_notes[0] && way_notes[way] != NULL && !has_copy) {
        serve_note(way_notes[way]); /* else program.c says which framework was found */
    }
    if (strcmp(hello.allocator, "program") == 0) {
        serve_note(
            "the program defines malloc itself: its blocks cannot be seen, and only descriptors, "
            "threads, files and mappings are judged; build it without its allocator, or with a "
            "shared one");
    }
    allocators_note();
    wire_flush(boundary_wire);
}

bool serve_has_greeted(void)
{
    return serve_greeted;
}

void serve_note(const char *text)
{
    static struct wire_note note;
    if (boundary_wire != NULL && boundary_is_worker()) {
        WIRE_INIT(&note, WIRE_NOTE);
        repetition_text(note.text, sizeof note.text, text);
        wire_put(boundary_wire, &note);
        wire_flush(boundary_wire);
    }
}

void serve_bye(void)
{
    struct wire_record bye;
    if (boundary_wire != NULL && serve_greeted && boundary_is_worker()) {
        meter_counters_put(boundary_wire);
        bye = (struct wire_record){.type = WIRE_BYE, .bytes = sizeof bye};
        wire_put(boundary_wire, &bye);
        wire_flush(boundary_wire);
    }
}

/* Of this thread; by a system call, so as not to come by the program's clock_gettime. */
static uint64_t cpu_now_ns(void)
{
    struct timespec now = {0};
    kernel_call(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, (long)&now, 0, 0, 0, 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t begun_ns, begun_cpu_ns; /* the command */

static void serve_done(const struct wire_command *command)
{
    struct wire_done done;
    WIRE_INIT(&done, WIRE_DONE);
    done.sequence = serve_sequence;
    done.op = command->op;
    done.took_ns = meter_now_ns() - begun_ns;
    done.cpu_ns = cpu_now_ns() - begun_cpu_ns;
    wire_put(boundary_wire, &done);
    wire_flush(boundary_wire);
}

/* The questions about named sites. */
static void serve_named(const struct wire_command *command)
{
    uint32_t count = command->site_count < WIRE_SITES_MAX ? command->site_count : WIRE_SITES_MAX;
    if (command->op == WIRE_OP_SCAN) {
        ledger_scan_put(boundary_wire, command->sites, count);
    } else {
        ledger_modules_put(boundary_wire);
        ledger_releases_put(boundary_wire, command->sites, count);
    }
}

/* Serves commands until FINISH. `group` may be NULL: then nothing can be run. */
static void serve_commands(struct test_group *group, struct wire_command *last_run)
{
    static struct wire_command command;
    do {
        wire_command_wait(boundary_wire, &serve_sequence, &command);
        begun_ns = meter_now_ns();
        begun_cpu_ns = cpu_now_ns();
        switch (command.op) {
        case WIRE_OP_RUN:
            if (group != NULL && command.test - group->first < group->count) {
                ledger_modules_put(boundary_wire);
                bool failed = repetition_run(group, &command);
                serve_failed[command.test - group->first] |=
                    failed && (command.flags & WIRE_GIVEN) == 0;
            } else {
                ledger_depth_set(command.depth == WIRE_TRACE ? WIRE_TRACE : WIRE_COUNT);
            }
            if (last_run != NULL) {
                *last_run = command;
            }
            break;
        case WIRE_OP_SITES:
            ledger_modules_put(boundary_wire);
            ledger_sites_put(boundary_wire);
            break;
        case WIRE_OP_SURVIVORS:
            ledger_survivors_put(boundary_wire);
            break;
        case WIRE_OP_SCAN:
        case WIRE_OP_RELEASES:
            serve_named(&command);
            break;
        case WIRE_OP_FINISH:
            if (group != NULL) {
                group->finish(group->self);
            }
            meter_counters_put(boundary_wire);
            break;
        default:
            break;
        }
        serve_done(&command);
    } while (command.op != WIRE_OP_FINISH);
}

static void serve_ready(uint32_t first, uint32_t count)
{
    struct wire_ready ready;
    WIRE_INIT(&ready, WIRE_READY);
    ready.first = first;
    ready.count = count;
    wire_put(boundary_wire, &ready);
    wire_flush(boundary_wire);
}

uint32_t serve_group(struct test_group *group)
{
    static struct wire_test_name name;
    uint32_t failed = 0;
    serve_hello(group->framework, group->way);
    group->first = serve_next;
    serve_next += group->count;
    serve_failed = arena_get(group->count + 1);
    restore_save();
    for (uint32_t i = 0; i < group->count; i++) {
        WIRE_INIT(&name, WIRE_TEST_NAME);
        name.test = group->first + i;
        group->describe(group->self, i, &name);
        wire_put(boundary_wire, &name);
    }
    serve_ready(group->first, group->count);
    serve_commands(group, NULL);
    for (uint32_t i = 0; i < group->count; i++) {
        failed += serve_failed[i];
    }
    return failed;
}

void serve_passive_ready(uint32_t first, uint32_t count, struct wire_command *run)
{
    serve_ready(first, count);
    serve_commands(NULL, run);
}
