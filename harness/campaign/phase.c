/* phase.c - see phase.h. Supervisor only. */
#include "harness/campaign/phase.h"

#include <stdarg.h>
#include <stdio.h>

static void say(const struct session *session)
{
    if (session->options->progress) {
        session->options->progress(session->options->context);
    }
}

void phase_begin(const struct session *session, const char *format, ...)
{
    struct runner_progress *at = session->options->at;
    va_list arguments;
    if (!at) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(at->phase, sizeof at->phase, format, arguments);
    va_end(arguments);
    at->variant = session->variant->name;
    at->test = "";
    at->done = 0;
    at->count = session->seen.test_count;
    at->before = at->call = at->calls = 0;
    say(session);
}

void phase_budget(const struct session *session, double budget_ns)
{
    if (session->options->at) {
        session->options->at->budget_ns = budget_ns;
    }
}

void phase_test(const struct session *session, uint32_t test, size_t done)
{
    struct runner_progress *at = session->options->at;
    if (!at) {
        return;
    }
    at->variant = session->variant->name;
    at->test = test < session->seen.test_count ? session->seen.tests[test].id : "";
    at->done = done;
    at->count = session->seen.test_count;
    at->before = at->call = at->calls = 0;
    say(session);
}

void phase_calls(const struct session *session, unsigned before, unsigned calls)
{
    struct runner_progress *at = session->options->at;
    if (at) {
        at->before = before;
        at->call = 0;
        at->calls = calls;
    }
}

void phase_tick(void *context, uint32_t repetition)
{
    const struct session *session = context;
    struct runner_progress *at = session->options->at;
    if (at) {
        at->call = at->calls > 0 ? at->before + repetition + 1 : 0;
        at->call =
            at->call > at->calls ? at->calls : at->call; /* what the worker says is no fact */
        say(session);
    }
}
