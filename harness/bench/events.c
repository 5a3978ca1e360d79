/* events.c - the processor's own counters through perf_event_open, see measure.h. Supervisor only.
 */
#include "harness/bench/measure.h"

#include <linux/perf_event.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int event_open(uint64_t config)
{
    struct perf_event_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.size = sizeof attributes;
    attributes.config = config;
    attributes.disabled = 1;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Over one window, filled before the counter runs. */
static double event_count(struct contender *contender, const struct window *window, uint64_t config)
{
    uint64_t count = 0;
    int event = event_open(config);
    if (event < 0) {
        return (double)NAN;
    }
    ioctl(event, PERF_EVENT_IOC_ENABLE, 0);
    contender_ask(contender, window);
    ioctl(event, PERF_EVENT_IOC_DISABLE, 0);
    bool good = read(event, &count, sizeof count) == (ssize_t)sizeof count;
    close(event);
    return good ? (double)count / WINDOW_REQUESTS : (double)NAN;
}

void measure_events(struct contender *contender, const struct workload *workload,
                    struct measure *measure)
{
    measure->instructions = measure->cache_misses = measure->branch_misses = (double)NAN;
    if (!contender_begin(contender)) {
        return;
    }
    struct window *window = window_new(workload);
    size_t from = workload->count / 4;
    contender_run(contender, window, 0, from);
    window_fill(window, from, WINDOW_REQUESTS);
    measure->instructions = event_count(contender, window, PERF_COUNT_HW_INSTRUCTIONS);
    from += WINDOW_REQUESTS;
    window_fill(window, from, WINDOW_REQUESTS);
    measure->cache_misses = event_count(contender, window, PERF_COUNT_HW_CACHE_MISSES);
    from += WINDOW_REQUESTS;
    window_fill(window, from, WINDOW_REQUESTS);
    measure->branch_misses = event_count(contender, window, PERF_COUNT_HW_BRANCH_MISSES);
    window_free(&window);
    contender_end(contender);
}
