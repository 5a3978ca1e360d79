/* link.c - see link.h. */
#include "harness/worker/link.h"

#include "harness/base/memory.h"
#include "harness/worker/stray.h"

#include <stdlib.h>
#include <string.h>

#define SLEEPS       4.0 /* wall time of so many times the processor's is sleep, not load */
#define SLEEPS_LEAST 2e6

double answer_cost_ns(const struct answer *answer)
{
    double wall = 0, cpu = (double)answer->test.cpu_ns, queued = (double)answer->test.queued_ns;
    for (size_t i = 0; i < answer->sample_count; i++) {
        wall += (double)answer->samples[i].wall_ns;
    }
    bool sleeps = wall - queued > SLEEPS * cpu + SLEEPS_LEAST * (double)answer->sample_count;
    return sleeps ? wall - queued : cpu;
}

static void link_record(void *context, const struct wire_record *record)
{
    struct link *link = context;
    if (record->type == WIRE_SAMPLE) {
        memory_grow(&link->samples, &link->sample_room, link->sample_count + 1,
                    sizeof link->samples[0]);
        memcpy(&link->samples[link->sample_count++], record, sizeof link->samples[0]);
    } else if (record->type == WIRE_TEST) {
        memcpy(&link->answer.test, record, sizeof link->answer.test);
        link->answer.ran = true;
    }
    link->observe(link->context, record);
}

void link_init(struct link *link, void (*observe)(void *context, const struct wire_record *record),
               void *context)
{
    *link = (struct link){.observe = observe, .context = context};
    link->worker = (struct worker){.record = link_record, .context = link, .pid = -1};
}

void link_fini(struct link *link)
{
    worker_fini(&link->worker);
    free(link->samples);
    link->samples = NULL;
    link->sample_count = link->sample_room = 0;
}

bool link_start(struct link *link, const struct plan_variant *variant,
                const struct worker_options *options)
{
    link->sample_count = 0;
    link->answer = (struct answer){.event = WORKER_DONE};
    return worker_start(&link->worker, variant, options);
}

enum worker_event link_wait(struct link *link, uint64_t timeout_ns)
{
    return worker_wait(&link->worker, timeout_ns);
}

struct answer link_ask(struct link *link, const struct wire_command *command, uint64_t timeout_ns)
{
    link->sample_count = 0;
    link->answer = (struct answer){.event = WORKER_DONE};
    worker_command(&link->worker, command);
    link->answer.event = worker_wait(&link->worker, timeout_ns);
    link->answer.samples = link->samples;
    link->answer.sample_count = link->sample_count;
    size_t children = stray_children(), workers = worker_count();
    link->answer.orphans = children > workers ? children - workers : 0;
    return link->answer;
}
