/*
 * session.h - a small supervisor, for the tests of this folder only: starts a program of
 * fixtures/programs under the library, drives it over the wire, keeps what it answers.
 */
#ifndef BOUNDARY_SESSION_H
#define BOUNDARY_SESSION_H

#include "harness/base/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SESSION_TESTS = 2000, SESSION_SAMPLES = 4096, SESSION_SITES = 1024 };

struct session {
    struct wire *wire;
    pid_t pid;
    bool ended; /* the process is gone; status says how */
    int status;
    int output; /* memfd: its stdout and stderr */
    struct wire_hello hello;
    bool ready, done, bye;
    struct wire_ready group;
    uint32_t test_count, sample_count, sample_records, result_count, note_count;
    struct wire_test_name tests[SESSION_TESTS];
    struct wire_sample samples[SESSION_SAMPLES];
    struct wire_test results[SESSION_TESTS];
    char notes[16][WIRE_TEXT_MAX];
    uint32_t site_records,
        site_records_at_test;              /* SITE records, and how many before the last TEST */
    struct wire_site sites[SESSION_SITES]; /* the last of each, by number */
};

static inline const char *session_build(void)
{
    const char *build = getenv("B");
    return build == NULL ? "build" : build;
}

/* environment: NAME=VALUE strings, ended by NULL, or NULL. */
static inline struct session *session_start_env(char *const *arguments, char *const *environment)
{
    struct session *session = calloc(1, sizeof *session);
    int fd;
    session->wire = wire_new(&fd);
    session->output = memfd_create("output", MFD_CLOEXEC);
    fflush(stdout);
    session->pid = fork();
    if (session->pid == 0) {
        char number[16], library[PATH_MAX + 32], root[PATH_MAX];
        snprintf(number, sizeof number, "%d", fd);
        const char *folder = session_build()[0] == '/' ? "" : getcwd(root, sizeof root);
        snprintf(library, sizeof library, "%s/%s/libtidemark.so", folder, session_build());
        setenv(WIRE_ENV, number, 1);
        setenv("LD_PRELOAD", library, 1);
        unsetenv("CK_FORK");
        unsetenv("CK_VERBOSITY");
        for (; environment != NULL && *environment != NULL; environment++) {
            putenv(*environment);
        }
        dup2(session->output, 1);
        dup2(session->output, 2);
        execvp(arguments[0], arguments);
        _exit(126);
    }
    close(fd);
    return session;
}

/* `program` is a name in the build folder's fixtures. */
static inline struct session *session_start(const char *program)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/fixtures/%s", session_build(), program);
    char *arguments[] = {path, NULL};
    return session_start_env(arguments, NULL);
}

static inline void session_take(struct session *session, const unsigned char *record)
{
    struct wire_record head;
    memcpy(&head, record, sizeof head);
    switch (head.type) {
    case WIRE_HELLO:
        memcpy(&session->hello, record, sizeof session->hello);
        break;
    case WIRE_TEST_NAME:
        if (session->test_count < SESSION_TESTS) {
            memcpy(&session->tests[session->test_count++], record, sizeof session->tests[0]);
        }
        break;
    case WIRE_READY:
        memcpy(&session->group, record, sizeof session->group);
        session->ready = true;
        break;
    case WIRE_SAMPLE: { /* one for each boundary that it stands for */
        struct wire_sample sample;
        memcpy(&sample, record, sizeof sample);
        session->sample_records++;
        for (uint32_t i = 0; i < sample.boundaries && session->sample_count < SESSION_SAMPLES;
             i++) {
            session->samples[session->sample_count] = sample;
            session->samples[session->sample_count].repetition -= sample.boundaries - 1 - i;
            session->samples[session->sample_count++].wall_ns /= sample.boundaries;
        }
        break;
    }
    case WIRE_TEST:
        if (session->result_count < SESSION_TESTS) {
            memcpy(&session->results[session->result_count++], record, sizeof session->results[0]);
        }
        session->site_records_at_test = session->site_records;
        break;
    case WIRE_SITE: { /* the record ends after its frames */
        struct wire_site site = {.site = 0};
        memcpy(&site, record, head.bytes < sizeof site ? head.bytes : sizeof site);
        if (site.site < SESSION_SITES) {
            memcpy(&session->sites[site.site], &site,
                   site.frame_count > 0 ? sizeof site : offsetof(struct wire_site, frames));
        }
        session->site_records++;
        break;
    }
    case WIRE_NOTE:
        if (session->note_count < 16) {
            memcpy(session->notes[session->note_count++], record + offsetof(struct wire_note, text),
                   WIRE_TEXT_MAX);
        }
        break;
    case WIRE_DONE:
        session->done = true;
        break;
    case WIRE_BYE:
        session->bye = true;
        break;
    default:
        break;
    }
}

static inline void session_drain(struct session *session)
{
    static unsigned char record[WIRE_RECORD_MAX];
    bool broken = false;
    while (wire_get(session->wire, record, &broken)) {
        session_take(session, record);
    }
}

/* Reads records until *flag or until the process ends. False after `seconds`. */
static inline bool session_wait(struct session *session, const bool *flag, int seconds)
{
    time_t end = time(NULL) + seconds;
    while (time(NULL) <= end) {
        uint32_t seen = atomic_load(&session->wire->record_sequence);
        session_drain(session);
        if (flag != NULL && *flag) {
            return true;
        }
        if (!session->ended && waitpid(session->pid, &session->status, WNOHANG) == session->pid) {
            session->ended = true;
            session_drain(session);
        }
        if (session->ended) {
            return flag == NULL || *flag;
        }
        wire_record_wait(session->wire, seen, 20);
    }
    return false;
}

static inline bool session_ready(struct session *session)
{
    bool ready = session_wait(session, &session->ready, 20);
    session->ready = false;
    return ready;
}

/* False when the worker died of it, or does not answer. */
static inline bool session_command(struct session *session, const struct wire_command *command)
{
    session->done = false;
    wire_command_send(session->wire, command);
    return session_wait(session, &session->done, 20);
}

static inline bool session_run(struct session *session, uint32_t test, uint32_t warmups,
                               uint32_t repetitions, uint32_t flags)
{
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = test,
                                   .depth = WIRE_COUNT,
                                   .flags = flags,
                                   .warmups = warmups,
                                   .repetitions = repetitions};
    return session_command(session, &command);
}

static inline bool session_finish(struct session *session)
{
    struct wire_command command = {.op = WIRE_OP_FINISH};
    return session_command(session, &command);
}

/* Index of the test whose id ends in `name`; WIRE_NO_TEST when there is none. */
static inline uint32_t session_test(const struct session *session, const char *name)
{
    for (uint32_t i = 0; i < session->test_count; i++) {
        size_t id = strlen(session->tests[i].id), bytes = strlen(name);
        if (id >= bytes && strcmp(session->tests[i].id + id - bytes, name) == 0) {
            return session->tests[i].test;
        }
    }
    return WIRE_NO_TEST;
}

static inline const struct wire_test *session_result(const struct session *session, uint32_t test)
{
    for (uint32_t i = session->result_count; i > 0; i--) {
        if (session->results[i - 1].test == test) {
            return &session->results[i - 1];
        }
    }
    return NULL;
}

/* What the program printed so far; static storage. */
static inline const char *session_output(const struct session *session)
{
    static char text[1 << 16];
    ssize_t bytes = pread(session->output, text, sizeof text - 1, 0);
    text[bytes < 0 ? 0 : bytes] = '\0';
    return text;
}

static inline void session_end(struct session **session)
{
    if (!(*session)->ended) {
        kill((*session)->pid, SIGKILL);
        waitpid((*session)->pid, &(*session)->status, 0);
    }
    close((*session)->output);
    wire_free(&(*session)->wire);
    free(*session);
    *session = NULL;
}

#endif
