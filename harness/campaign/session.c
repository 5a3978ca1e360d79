/* session.c - see session.h: records into fields. */
#include "harness/campaign/session.h"

#include "harness/base/memory.h"
#include "harness/base/unit.h"

#include <stdlib.h>
#include <string.h>

void session_init(struct session *session, const struct plan *plan,
                  const struct plan_variant *variant, const struct runner_options *options,
                  struct result *result)
{
    *session = (struct session){.plan = plan,
                                .variant = variant,
                                .options = options,
                                .result = result,
                                .stopped_by = memory_copy(""),
                                .culprit = memory_copy("")};
    session->worker.record = session_record;
    session->worker.context = session;
}

static void names_clear(struct session *session)
{
    for (size_t i = 0; i < session->name_count; i++) {
        free(session->names[i].id);
        free(session->names[i].file);
    }
    session->name_count = 0;
}

void session_fini(struct session *session)
{
    names_clear(session);
    symbols_free(&session->symbols);
    free(session->names);
    free(session->live);
    free(session->live_tests);
    free(session->sites);
    free(session->vectors);
    free(session->rss);
    free(session->held);
    free(session->releases);
    free(session->givens);
    free(session->survivors);
    free(session->deaths);
    for (size_t i = 0; i < session->failure_count; i++) {
        free(session->failures[i].message);
    }
    free(session->failures);
    free(session->gone_by);
    free(session->once.at);
    free(session->again.at);
    free(session->suite_horizon);
    free(session->unstarted);
    free(session->stopped_by);
    free(session->culprit);
}

char *session_horizon(const char *text, unsigned count)
{
    char number[UNIT_TEXT_BYTES];
    const char *place = text ? strstr(text, "%u") : NULL;
    return place ? memory_format("%.*s%s%s", (int)(place - text), text, unit_count(number, count),
                                 place + 2)
                 : NULL;
}

bool session_heap_unseen(const struct session *session)
{
    return strcmp(session->hello.allocator, "program") == 0;
}

static void take_name(struct session *session, const struct wire_test_name *name)
{
    if (name->test < session->name_count) {
        return; /* a new worker offers the same tests again */
    }
    memory_grow(&session->names, &session->name_room, session->name_count + 1,
                sizeof session->names[0]);
    session->names[session->name_count++] =
        (struct session_name){.id = memory_copy(name->id),
                              .file = memory_copy(name->file),
                              .line = name->line,
                              .group = name->group,
                              .forked = (name->flags & WIRE_TEST_FORKED) != 0};
}

static void take_counter(struct session *session, const struct wire_counter *counter)
{
    size_t i = 0;
    while (i < session->counter_count && strcmp(session->counters[i].name, counter->name) != 0) {
        i++;
    }
    if (i == sizeof session->counters / sizeof session->counters[0] || session->quiet) {
        return;
    }
    if (i == session->counter_count) {
        memcpy(session->counters[i].name, counter->name, sizeof counter->name);
        session->counters[i].name[sizeof counter->name - 1] = 0;
        session->counters[i].value = 0;
        session->counter_count++;
    }
    session->counters[i].value += (double)counter->value;
}

static void take_site(struct session *session, const struct wire_site *site)
{
    if (site->site > 1u << 24) {
        return;
    }
    memory_grow(&session->sites, &session->site_room, site->site + 1u, sizeof session->sites[0]);
    while (session->site_count <= site->site) {
        session->sites[session->site_count] =
            (struct session_site){.number = (uint32_t)session->site_count};
        session->site_count++;
    }
    struct session_site *kept = &session->sites[site->site];
    kept->kind = site->kind;
    kept->blocks = site->live_blocks;
    kept->bytes = site->live_bytes;
    kept->floor_blocks = site->floor_blocks;
    kept->floor_bytes = site->floor_bytes;
    kept->born_blocks = site->born_blocks;
    kept->born_bytes = site->born_bytes;
    kept->told = session->site_round;
    if (site->frame_count > 0) { /* they come once, and the record ends after them */
        kept->frame_count =
            site->frame_count < WIRE_FRAMES_MAX ? site->frame_count : WIRE_FRAMES_MAX;
        memcpy(kept->frames, site->frames, kept->frame_count * sizeof kept->frames[0]);
    }
}

struct judge_vector session_vector(const struct wire_sample *sample)
{
    return (struct judge_vector){.live_blocks = sample->live_blocks,
                                 .live_bytes = sample->live_bytes,
                                 .mappings = sample->mappings,
                                 .mapped_bytes = sample->mapped_bytes,
                                 .fds = sample->fds,
                                 .threads = sample->threads,
                                 .files = sample->files};
}

static void take_sample(struct session *session, const struct wire_sample *sample)
{
    session->sample = *sample;
    if (session->passive) {
        memory_grow(&session->gone_by, &session->gone_by_room, session->gone_by_count + 1,
                    sizeof session->gone_by[0]);
        session->gone_by[session->gone_by_count++] = *sample;
    }
    session->has_sample = true;
    memory_grow(&session->vectors, &session->vector_room, session->vector_count + 1,
                sizeof session->vectors[0]);
    memory_grow(&session->rss, &session->rss_room, session->vector_count + 1,
                sizeof session->rss[0]);
    session->rss[session->vector_count] = (int64_t)sample->peak_rss_bytes;
    session->vectors[session->vector_count++] = session_vector(sample);
}

/* Each worker of a session says the same. */
static void note_take(struct session *session, const char *text)
{
    for (size_t i = 0; i < session->result->note_count; i++) {
        if (strcmp(session->result->notes[i], text) == 0) {
            return;
        }
    }
    if (!session->quiet) {
        result_note_add(session->result, "%s", text);
    }
}

void session_record(void *context, const struct wire_record *record)
{
    struct session *session = context;
    switch (record->type) {
    case WIRE_HELLO:
        memcpy(&session->hello, record, sizeof session->hello);
        break;
    case WIRE_MODULE:
        symbols_module(session->symbols, (const struct wire_module *)record);
        break;
    case WIRE_TEST_NAME:
        take_name(session, (const struct wire_test_name *)record);
        break;
    case WIRE_SAMPLE:
        take_sample(session, (const struct wire_sample *)record);
        break;
    case WIRE_TEST:
        memcpy(&session->test, record, sizeof session->test);
        session->has_test = true;
        if (session->passive) {
            session_passive_take(session);
        }
        break;
    case WIRE_COUNTER:
        take_counter(session, (const struct wire_counter *)record);
        break;
    case WIRE_HISTOGRAM: {
        const struct wire_histogram *histogram = (const struct wire_histogram *)record;
        if (strcmp(histogram->name, "lookup_ns") == 0 && !session->quiet) {
            histogram_merge(session->lookup_ns, histogram->count);
        }
        break;
    }
    case WIRE_SITE:
        take_site(session, (const struct wire_site *)record);
        break;
    case WIRE_HELD:
        memory_grow(&session->held, &session->held_room, session->held_count + 1,
                    sizeof session->held[0]);
        memcpy(&session->held[session->held_count++], record, sizeof session->held[0]);
        break;
    case WIRE_RELEASE:
        memory_grow(&session->releases, &session->release_room, session->release_count + 1,
                    sizeof session->releases[0]);
        memcpy(&session->releases[session->release_count++], record, sizeof session->releases[0]);
        break;
    case WIRE_GIVEN_TO:
        memory_grow(&session->givens, &session->given_room, session->given_count + 1,
                    sizeof session->givens[0]);
        memcpy(&session->givens[session->given_count++], record, sizeof session->givens[0]);
        break;
    case WIRE_SURVIVOR:
        memory_grow(&session->survivors, &session->survivor_room, session->survivor_count + 1,
                    sizeof session->survivors[0]);
        memcpy(&session->survivors[session->survivor_count++], record,
               sizeof session->survivors[0]);
        break;
    case WIRE_NOTE:
        note_take(session, ((const struct wire_note *)record)->text);
        break;
    default:
        break;
    }
}
