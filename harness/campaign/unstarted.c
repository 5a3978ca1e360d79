/* unstarted.c - session_unstarted: a worker that never came to its first test. What was tried, how
 * it ended, and which limits were in force. Supervisor only. */
#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/campaign/session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Limits that keep a program from starting. One below `least` is named whatever happened, and each
 * when its error was seen. */
static const struct limit {
    __rlimit_resource_t resource;
    const char *name; /* as a shell sets it */
    rlim_t least;
    int error;
    bool bytes;
} limits[] = {
    {RLIMIT_AS, "ulimit -v", (rlim_t)4 << 30, ENOMEM, true},
    {RLIMIT_DATA, "ulimit -d", 64 << 20, ENOMEM, true},
    {RLIMIT_STACK, "ulimit -s", 256 << 10, E2BIG, true},
    {RLIMIT_FSIZE, "ulimit -f", 8 << 20, EFBIG, true},
    {RLIMIT_NOFILE, "ulimit -n", 16, EMFILE, false},
    {RLIMIT_NPROC, "ulimit -u", 16, EAGAIN, false},
};

static void limits_put(struct text *text, int error)
{
    const char *join = "; ";
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct rlimit now;
        char number[UNIT_TEXT_BYTES];
        const struct limit *limit = &limits[i];
        if (getrlimit(limit->resource, &now) != 0 || now.rlim_cur == RLIM_INFINITY ||
            (now.rlim_cur >= limit->least && error != limit->error)) {
            continue;
        }
        text_format(text, "%s%s is %s", join, limit->name,
                    limit->bytes ? unit_bytes(number, (double)now.rlim_cur)
                                 : unit_count(number, (double)now.rlim_cur));
        join = ", ";
    }
}

#define EXEC_FAILED 127 /* of a shell, a loader, and of worker.c */

#define SKIPPED 77 /* of a test that cannot be run here */

static void end_put(struct text *text, const struct worker *worker, struct result *result)
{
    char size[UNIT_TEXT_BYTES];
    bool counts;
    int status = worker->status;
    if (cap_killed(&worker->cap, &counts)) {
        text_format(text, "ran out of memory at the cap of %s before its first test",
                    unit_limit(size, worker->cap.bytes));
    } else if (worker->damage) {
        text_format(text,
                    "wrote over the memory that tidemark shares with it, before its first "
                    "test: %s",
                    worker->damage);
    } else if (worker->late_ns) {
        text_format(text, "hung before its first test: killed after %s",
                    unit_ns(size, (double)worker->late_ns));
    } else if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        text_format(text, "was killed by SIG%s before its first test", name ? name : "?");
        if (worker->cap.bytes > 0) {
            text_format(text, ", under the cap of %s", unit_limit(size, worker->cap.bytes));
        }
    } else if (WEXITSTATUS(status) == EXEC_FAILED) {
        text_format(text, "ended with status %d before its first test, as what cannot be loaded",
                    EXEC_FAILED);
    } else {
        result->skips_itself = WEXITSTATUS(status) == SKIPPED;
        result->without_tests = result->skips_itself || WEXITSTATUS(status) == 0;
        text_format(text,
                    result->skips_itself
                        ? "it skipped itself, with status %d before its first test"
                        : "no tests were found: it ended with status %d before the first",
                    WEXITSTATUS(status));
    }
}

char *session_unstarted(const struct session *session, int error)
{
    struct text text = {0};
    const struct worker *worker = &session->link.worker;
    int exec_error = error || !worker->wire ? 0 : atomic_load(&worker->wire->exec_error);
    if (error || exec_error) {
        text_format(&text, "could not be %s: %s", error ? "started" : "executed",
                    strerror(error ? error : exec_error));
    } else {
        end_put(&text, worker, session->result);
    }
    limits_put(&text, error ? error : exec_error);
    text_put(&text, "; tried:");
    for (char **word = session->variant->argv; word && *word; word++) {
        text_put_char(&text, ' ');
        text_put_shell(&text, *word);
    }
    text_put(&text, ", with libtidemark.so preloaded (-v shows what it prints)");
    return text_take(&text);
}
