/* link.c - see link.h. */
#include "harness/worker/link.h"

#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/worker/pace.h"
#include "harness/worker/stray.h"

#include <stdlib.h>
#include <string.h>

#define ASKING_NS    5e4 /* until each of the two processes runs again */
#define SLEEPS       4.0 /* wall time of so many times the processor's is sleep, not load */
#define SLEEPS_LEAST 2e6

/* On a busy machine a test also waits for locks that others hold while they wait for a processor:
 * that is no sleep of its own. */
static bool is_sleep(double wall, double cpu, size_t boundaries)
{
    return wall > SLEEPS * cpu + SLEEPS_LEAST * (double)boundaries;
}

static size_t boundaries_of(const struct answer *answer)
{
    size_t count = 0;
    for (size_t i = 0; i < answer->sample_count; i++) {
        count += answer->samples[i].boundaries;
    }
    return count;
}

double answer_cost_ns(const struct answer *answer)
{
    double wall = 0, cpu = (double)answer->test.cpu_ns, queued = (double)answer->test.queued_ns;
    for (size_t i = 0; i < answer->sample_count; i++) {
        wall += (double)answer->samples[i].wall_ns;
    }
    return is_sleep(wall - queued, cpu, boundaries_of(answer)) ? wall - queued : cpu;
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

static double at_most(uint64_t ns, double most)
{
    return (double)ns < most ? (double)ns : most;
}

/* What the worker spent on an answer that was waited for so long. It may claim anything. Of a RUN
 * its sleep counts; all else does not sleep, and waits for a processor uncounted. */
static double answer_spent_ns(const struct link *link, uint32_t op, double waited)
{
    const struct answer *answer = &link->answer;
    if (answer->event != WORKER_DONE) {
        return waited;
    }
    double took = at_most(link->worker.took_ns, waited), cpu = at_most(link->worker.cpu_ns, took);
    double queued = answer->ran ? at_most(answer->test.queued_ns, took) : 0;
    double settled = answer->ran ? at_most(answer->test.settled_ns, took - queued) : 0;
    bool sleeps =
        op == WIRE_OP_RUN && is_sleep(took - queued - settled, cpu, boundaries_of(answer));
    return sleeps ? took - queued : cpu + settled;
}

enum worker_event link_wait(struct link *link, uint64_t timeout_ns)
{
    const struct worker *worker = &link->worker;
    pid_t pid = wire_claimed(worker->wire) > 0 ? wire_claimed(worker->wire) : worker->pid;
    double begun = monotonic_ns(), queued = (double)pace_waited_ns(pid);
    enum worker_event event = worker_wait(&link->worker, timeout_ns);
    queued = (double)pace_waited_ns(pid) - queued;
    double waited = monotonic_ns() - begun;
    pace_spend(queued > 0 && queued < waited ? waited - queued : waited);
    return event;
}

struct answer link_ask(struct link *link, const struct wire_command *command, uint64_t timeout_ns)
{
    link->sample_count = 0;
    link->answer = (struct answer){.event = WORKER_DONE};
    double begun = monotonic_ns();
    worker_command(&link->worker, command);
    link->answer.event = worker_wait(&link->worker, timeout_ns);
    link->answer.samples = link->samples;
    link->answer.sample_count = link->sample_count;
    pace_spend(ASKING_NS + answer_spent_ns(link, command->op, monotonic_ns() - begun));
    size_t children = stray_children(), workers = worker_count();
    link->answer.orphans = children > workers ? children - workers : 0;
    return link->answer;
}
