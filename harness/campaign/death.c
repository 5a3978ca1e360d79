/* death.c - the worker is gone in the middle of a test: what became of it, where, and whether the
 * variant goes on. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/campaign/heap_finding.h"
#include "harness/campaign/session.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

/* Killed for memory with more than this part of the cap held since earlier tests: the variant has
 * accumulated, and would again. */
#define ACCUMULATED 0.25

static void frames_fill(struct session *session, struct result_test *test)
{
    struct wire_end end;
    wire_end_get(session->link.worker.wire, &end);
    for (size_t i = 0; i < end.frame_count; i++) {
        bool top = i == 0 && end.signal != 0; /* our own fault would be seen */
        if (top || !symbols_own(session->seen.symbols, end.frames[i] - 1)) {
            symbols_stack(session->seen.symbols, end.frames[i], top, &test->frames,
                          &test->frame_count);
        }
    }
}

#define REFUSED_MOST 16 /* times the cap: more would have been refused anyway */

enum result_status session_dying(const struct session *session, bool hung)
{
    const struct worker *worker = &session->link.worker;
    struct wire_end end;
    bool killed = WIFSIGNALED(worker->status) && WTERMSIG(worker->status) == SIGKILL;
    if (worker->damage) {
        return RESULT_CRASH;
    }
    if (worker->guard.found) {
        return RESULT_OOM;
    }
    if (hung) {
        return RESULT_TIMEOUT;
    }
    wire_end_get(worker->wire, &end);
    /* A group that counts its kills is believed, and one that does not has killed whoever was
     * killed. A limit does not kill: it refuses, and few programs live with that. */
    bool counts, over = cap_killed(&worker->cap, &counts);
    if (worker->cap.folder[0]) {
        over = over || (killed && !counts);
    } else {
        over = end.refused && end.refused / REFUSED_MOST < worker->cap.bytes;
    }
    if (over) {
        return RESULT_OOM;
    }
    if (end.exited || WIFEXITED(worker->status)) {
        return RESULT_EXIT;
    }
    return RESULT_CRASH;
}

static char *death_message(const struct session *session, enum result_status status)
{
    char text[UNIT_TEXT_BYTES], limit[UNIT_TEXT_BYTES];
    const struct worker *worker = &session->link.worker;
    struct wire_end end;
    bool killed = WIFSIGNALED(worker->status) && WTERMSIG(worker->status) == SIGKILL;
    wire_end_get(worker->wire, &end);
    if (worker->damage) {
        return memory_format("wrote over the memory that tidemark shares with it: %s; its worker "
                             "was ended",
                             worker->damage);
    }
    switch (status) {
    case RESULT_OOM:
        if (worker->guard.found) {
            return memory_format("it and its children had %s, more than the %s that are three "
                                 "quarters of what was free; --memory sets another limit",
                                 unit_bytes(text, (double)worker->guard.found),
                                 unit_bytes(limit, (double)worker->guard.bytes));
        }
        return killed || !end.refused ? memory_copy("killed")
                                      : memory_format("refused an allocation of %s",
                                                      unit_bytes(text, (double)end.refused));
    case RESULT_TIMEOUT:
        return session->plan->timeout_ns
                   ? memory_format("killed after %s",
                                   unit_ns(text, (double)session->plan->timeout_ns))
                   : memory_copy("killed");
    case RESULT_EXIT:
        return memory_format("exit status %d%s",
                             WIFEXITED(worker->status) ? WEXITSTATUS(worker->status) : 0,
                             end.exited ? "" : ", by a system call or as another program");
    default:
        return memory_copy("");
    }
}

void session_death_add(struct session *session, uint32_t number)
{
    memory_grow(&session->deaths, &session->death_room, session->death_count + 1,
                sizeof session->deaths[0]);
    session->deaths[session->death_count++] = number;
}

bool session_death_in(const struct session *session, uint32_t test)
{
    for (size_t i = 0; i < session->death_count; i++) {
        if (session->deaths[i] == test) {
            return true;
        }
    }
    return false;
}

static int death_signal(const struct worker *worker)
{
    struct wire_end end;
    wire_end_get(worker->wire, &end);
    return end.signal                    ? (int)end.signal
           : WIFSIGNALED(worker->status) ? WTERMSIG(worker->status)
                                         : 0;
}

/* The worker is gone in the middle of a test. */
enum result_status session_death(struct session *session, uint32_t number, bool hung)
{
    enum result_status status = session_dying(session, hung);
    session_death_add(session, number);
    if (session->kind != SESSION_MEASURED) {
        session_failure_add(session, number, result_status_name(status));
    }
    if (session->kind != SESSION_MEASURED && !session->reports) {
        return status;
    }
    struct result_test *test = session_test_add(session, number);
    const struct worker *worker = &session->link.worker;
    test->status = status;
    test->repetitions = 1;
    test->signal = hung || worker->damage ? 0 : death_signal(worker);
    char *message = death_message(session, status);
    result_set(&test->message, message);
    free(message);
    if (!worker->damage) { /* else they are nobody's */
        frames_fill(session, test);
    }
    if (!worker->damage) {
        heap_finding_fill(session, test);
    }
    session_test_write(session, test);
    session->failed++;
    return status;
}

static void stop(struct session *session, const char *by, uint32_t number)
{
    result_set(&session->stopped_by, by);
    result_set(&session->culprit,
               number < session->seen.test_count ? session->seen.tests[number].id : "");
}

bool session_accumulated(const struct session *session)
{
    return (double)session->live_end > ACCUMULATED * (double)session->link.worker.cap.bytes;
}

/* What a death means for the variant: true if it goes on behind the test. */
bool session_death_goes_on(struct session *session, uint32_t number, enum result_status status)
{
    if (status == RESULT_OOM && session_accumulated(session)) {
        stop(session, "memory", number);
        return false;
    }
    return true;
}

/* A group would have killed here. A limit refuses, and a cache that lives with that looks as if it
 * had levelled off: the test ends as if it had been killed, and so does its worker. */
bool session_limit_reached(const struct session *session)
{
    const struct cap *cap = &session->link.worker.cap;
    uint64_t refused = atomic_load(&session->link.worker.wire->crash.refused);
    return cap->bytes > 0 && !cap->folder[0] && refused > 0 &&
           refused / REFUSED_MOST < cap->bytes && session_accumulated(session);
}
