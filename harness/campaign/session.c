/* session.c - see session.h: records into fields. */
#include "harness/campaign/session.h"

#include "harness/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void session_record(void *context, const struct wire_record *record);

void session_init(struct session *session, const struct plan *plan,
                  const struct plan_variant *variant, const struct runner_options *options,
                  struct result *result)
{
    *session = (struct session){.plan = plan,
                                .variant = variant,
                                .options = options,
                                .result = result,
                                .suite_growth = NAN,
                                .stopped_by = memory_copy(""),
                                .culprit = memory_copy("")};
    observed_init(&session->seen);
    session->seen.program = plan->hunt ? variant->name : NULL;
    link_init(&session->link, session_record, session);
}

void session_fini(struct session *session)
{
    link_fini(&session->link);
    observed_fini(&session->seen);
    free(session->live);
    free(session->live_tests);
    free(session->deaths);
    free(session->once);
    for (size_t i = 0; i < session->failure_count; i++) {
        free(session->failures[i].message);
    }
    free(session->failures);
    accused_fini(&session->accused);
    free(session->gone_by);
    free(session->counters);
    free(session->suite_horizon);
    free(session->unstarted);
    free(session->stopped_by);
    free(session->culprit);
}

bool session_heap_unseen(const struct session *session)
{
    return strcmp(session->seen.hello.allocator, "program") == 0;
}

void session_counter_add(struct session *session, const struct wire_counter *counter)
{
    size_t i = 0;
    if (session->kind != SESSION_MEASURED) {
        return;
    }
    while (i < session->counter_count && strcmp(session->counters[i].name, counter->name) != 0) {
        i++;
    }
    if (i == SESSION_COUNTERS_MAX) {
        if (!session->counters_full) {
            result_note_add(session->result,
                            "%s counts under more than %d names: what it counts as "
                            "%s is left out",
                            session->variant->program, SESSION_COUNTERS_MAX, counter->name);
        }
        session->counters_full = true;
        return;
    }
    if (i == session->counter_count) {
        memory_grow(&session->counters, &session->counter_room, i + 1, sizeof session->counters[0]);
        session->counters[i] = (struct session_counter){.value = 0};
        memcpy(session->counters[i].name, counter->name, sizeof counter->name);
        session->counters[i].name[sizeof counter->name - 1] = 0;
        session->counter_count++;
    }
    session->counters[i].value += (double)counter->value;
}

/* Each worker of a session says the same. */
static void note_take(struct session *session, const char *text)
{
    for (size_t i = 0; i < session->result->note_count; i++) {
        if (strcmp(session->result->notes[i], text) == 0) {
            return;
        }
    }
    if (session->kind == SESSION_MEASURED) {
        result_note_add(session->result, "%s", text);
    }
}

static void session_record(void *context, const struct wire_record *record)
{
    struct session *session = context;
    if (observed_take(&session->seen, record)) {
        return;
    }
    switch (record->type) {
    case WIRE_SAMPLE:
        if (session->passive) {
            memory_grow(&session->gone_by, &session->gone_by_room, session->gone_by_count + 1,
                        sizeof session->gone_by[0]);
            memcpy(&session->gone_by[session->gone_by_count++], record, sizeof session->gone_by[0]);
        }
        break;
    case WIRE_TEST:
        if (session->passive) {
            session_passive_take(session);
        }
        break;
    case WIRE_COUNTER:
        session_counter_add(session, (const struct wire_counter *)record);
        break;
    case WIRE_HISTOGRAM: {
        const struct wire_histogram *histogram = (const struct wire_histogram *)record;
        if (strcmp(histogram->name, "lookup_ns") == 0 && session->kind == SESSION_MEASURED) {
            histogram_merge(session->lookup_ns, histogram->count);
        }
        break;
    }
    case WIRE_NOTE:
        note_take(session, ((const struct wire_note *)record)->text);
        break;
    default:
        break;
    }
}
