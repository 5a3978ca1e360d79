/* program.c - see program.h. Runs in the worker, on the main thread. */
#include "harness/boundary/program.h"

#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/child.h"
#include "harness/boundary/passive.h"
#include "harness/boundary/serve.h"
#include "harness/boundary/streams.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HANDLERS = 64 };

static struct {
    main_function *main;
    int argc;
    char **argv, **envp;
    char **saved;               /* argv as it came */
    int status;                 /* of the last call */
    bool calling;               /* exit() may come back */
    bool again;                 /* this call of main is for one test of an adapter */
    const struct adapter *copy; /* whose framework the program has a static copy of; NULL: none */
    bool child;
    void (*handlers[HANDLERS])(void *); /* that main gave to atexit */
    unsigned handler_count;
    sigjmp_buf back;
} program;

const char *program_name(void)
{
    const char *path = program.argc > 0 ? program.saved[0] : "program";
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

int program_argument_count(void)
{
    return program.argc;
}

const char *program_argument(int index)
{
    return program.saved[index];
}

void program_exit(int status)
{
    bool served = program.copy != NULL && !program.again && serve_has_greeted();
    if (program.calling && !served && !boundary_forked &&
        (pid_t)syscall(SYS_gettid) == boundary_pid) {
        program.status = status & 0xff;
        siglongjmp(program.back, 1);
    }
}

bool program_atexit(void (*handler)(void *))
{
    bool first =
        program.copy != NULL && !program.again; /* the call in which the tests are served */
    if (!program.calling || first || boundary_forked || program.handler_count == HANDLERS) {
        return false;
    }
    program.handlers[program.handler_count++] = handler;
    return true;
}

/* What exit would have done at the end of this call of main. */
static void handlers_run(void)
{
    while (program.handler_count > 0) {
        program.handlers[--program.handler_count](NULL);
    }
    fflush(stdout);
}

/* Each call of main finds its standard streams open, and the same arguments, which it may have
 * changed: the same pointers, to the same strings. */
static void program_renew(void)
{
    streams_put_back(); /* programs close them at exit, to learn of a full disk */
    memcpy(program.argv, program.saved, ((size_t)program.argc + 1) * sizeof *program.saved);
    errno = 0;
}

static void main_call(void)
{
    if (sigsetjmp(program.back, 0) == 0) {
        program.calling = true;
        program.status = program.main(program.argc, program.argv, program.envp) & 0xff;
    }
    program.calling = false;
    handlers_run();
    if (boundary_forked && !program.child) {
        exit(program.status); /* a child that main forked and that returned from it */
    }
}

static void program_call(void)
{
    program_renew();
    main_call();
}

static void program_call_in_child(void *unused)
{
    (void)unused;
    program.child = true;
    program_renew();
    program.status = program.main(program.argc, program.argv, program.envp);
    child_note();
    exit(program.status);
}

static void program_outcome(struct outcome *outcome, int status)
{
    static char message[64];
    outcome->status = status == 0 ? WIRE_PASS : status == 77 ? WIRE_SKIP : WIRE_FAIL;
    if (status != 0) {
        snprintf(message, sizeof message, "exit status %d", status);
        outcome->message = message;
    }
}

static void program_describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[WIRE_ID_MAX];
    (void)self;
    (void)index;
    snprintf(id, sizeof id, "program/main/%s", program_name());
    serve_id_set(name, id);
}

static bool program_prepare(void *self, uint32_t index, struct outcome *outcome)
{
    (void)self;
    (void)index;
    (void)outcome;
    return true;
}

static void program_run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    (void)self;
    (void)index;
    if (!forked) {
        program_call();
        program_outcome(outcome, program.status);
        return;
    }
    struct child_end end;
    child_run(program_call_in_child, NULL, 0, &end);
    outcome->forked = true;
    outcome->allocs = end.allocs;
    outcome->frees = end.frees;
    outcome->bytes = end.bytes;
    if (end.timed_out) {
        outcome->status = WIRE_TIMEOUT;
        outcome->message = "its child took too long";
    } else if (WIFSIGNALED(end.status)) {
        outcome->status = WIRE_CRASH;
        outcome->signal = WTERMSIG(end.status);
        outcome->message = strsignal(outcome->signal);
    } else {
        program.status = WEXITSTATUS(end.status);
        program_outcome(outcome, program.status);
    }
}

static void program_finish(void *self)
{
    (void)self;
}

static int program_as_test(void)
{
    struct test_group group = {.framework = "none",
                               .way = WIRE_WAY_PROGRAM,
                               .count = 1,
                               .describe = program_describe,
                               .prepare = program_prepare,
                               .run = program_run,
                               .finish = program_finish};
    serve_group(&group);
    return program.status;
}

void program_serve_later(const struct adapter *copy)
{
    program.copy = copy;
}

bool program_is_again(void)
{
    return program.again;
}

int program_main_again(int argc, char **argv)
{
    int own_argc = program.argc;
    char **own_argv = program.argv;
    program_renew();
    program.argc = argc;
    program.argv = argv;
    program.again = true;
    main_call();
    program.again = false;
    program.argc = own_argc;
    program.argv = own_argv;
    return program.status;
}

static void argument_add(const char *argument)
{
    size_t argc = (size_t)program.argc;
    char **argv = arena_get((argc + 2) * sizeof *argv),
         **saved = arena_get((argc + 2) * sizeof *argv);
    memcpy(saved, program.saved, argc * sizeof *argv);
    saved[argc] = arena_dup(argument);
    program.argv = argv; /* filled from `saved` before each call of main */
    program.saved = saved;
    program.argc++;
}

static int program_after_all(void)
{
    char note[WIRE_TEXT_MAX];
    const char *framework = program.copy->framework;
    snprintf(note, sizeof note,
             "%s was found in the program, but not all that tidemark needs to run one of its tests "
             "alone: all of main is one test",
             framework);
    if (program.copy->in_process != NULL) {
        argument_add(program.copy->in_process);
    }
    boundary_way = WIRE_WAY_PROGRAM;
    program.copy = NULL;
    serve_hello(framework, WIRE_WAY_PROGRAM);
    serve_note(note);
    return program_as_test();
}

static int program_with_copy(void)
{
    if (boundary_way == WIRE_WAY_PROGRAM) { /* its adapter could not be taken */
        return program_after_all();
    }
    int status = program.copy->serve_before_main == NULL ? -1 : program.copy->serve_before_main();
    if (status < 0) {
        program_call();
        status = serve_has_greeted() || boundary_forked   ? program.status
                 : program.copy->serve_after_main == NULL ? -1
                                                          : program.copy->serve_after_main();
    }
    return status >= 0 ? status : program_after_all();
}

static int program_passively(const char *framework)
{
    passive_greet(framework);
    for (uint32_t pass = passive_passes(); pass > 0; pass--) {
        passive_pass_begin();
        program_call();
    }
    passive_close();
    return program.status;
}

int program_main(main_function *main, int argc, char **argv, char **envp)
{
    program.main = main;
    program.argc = argc;
    program.argv = argv;
    program.envp = envp;
    if (boundary_wire != NULL) {
        program.saved = arena_get(((size_t)argc + 1) * sizeof *argv);
        memcpy(program.saved, argv, ((size_t)argc + 1) * sizeof *argv);
    }
    if (boundary_wire != NULL && program.copy != NULL) {
        streams_keep();
        return program_with_copy();
    }
    switch (boundary_wire == NULL ? WIRE_WAY_NONE : boundary_way) {
    case WIRE_WAY_PROGRAM:
        streams_keep();
        return program_as_test();
    case WIRE_WAY_LIBC:
        return program_passively("libcheck");
    case WIRE_WAY_HEADER:
        return program_passively("tidemark.h");
    default:
        return main(argc, argv, envp);
    }
}
