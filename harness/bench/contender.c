/* contender.c - see contender.h. Supervisor only. */
#include "harness/bench/contender.h"
#include "harness/base/memory.h"
#include "harness/base/monotonic.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t bench_own_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool contender_begin(struct contender *contender)
{
    size_t bytes = (contender->strategy->state_bytes + 63) & ~(size_t)63;
    contender->state = aligned_alloc(64, bytes ? bytes : 64);
    if (!contender->state) {
        return false;
    }
    if (!contender->strategy->init(contender->state, contender->source, &contender->options)) {
        free(contender->state);
        contender->state = NULL;
        return false;
    }
    return true;
}

void contender_end(struct contender *contender)
{
    if (contender->state) {
        contender->strategy->fini(contender->state);
        free(contender->state);
        contender->state = NULL;
    }
}

/* What the answers amount to; volatile, so that no look-up can be left out. */
static _Thread_local volatile uint64_t sink;

static void ask(const struct contender *contender, const struct window *window)
{
    bool (*get)(void *, const char *, size_t, struct strategy_value *) = contender->strategy->get;
    uint64_t sum = 0;
    for (size_t i = 0; i < window->count; i++) {
        struct registry_text request = window->requests[i];
        struct strategy_value value;
        if (get(contender->state, request.data, request.length, &value)) {
            sum += *(const unsigned char *)value.data;
        }
    }
    sink += sum;
}

void contender_ask(struct contender *contender, const struct window *window)
{
    ask(contender, window);
}

/* Read once, so that neither compiler nor processor knows that the answer before does not say where
 * the next key is. */
static volatile uint64_t nothing = 0;

static void ask_dependent(const struct contender *contender, const struct window *window)
{
    bool (*get)(void *, const char *, size_t, struct strategy_value *) = contender->strategy->get;
    uint64_t sum = 0, mask = nothing;
    for (size_t i = 0; i < window->count; i++) {
        struct registry_text request = window->requests[i];
        struct strategy_value value;
        if (get(contender->state, request.data + (sum & mask), request.length, &value)) {
            sum += *(const unsigned char *)value.data;
        }
    }
    sink += sum;
}

double contender_time(struct contender *contender, const struct window *window)
{
    uint64_t begin = monotonic_ns();
    ask(contender, window);
    uint64_t end = monotonic_ns();
    if (contender->extra > 0) {
        uint64_t until = end + (uint64_t)((double)(end - begin) * contender->extra);
        while (end < until) {
            end = monotonic_ns();
        }
    }
    return (double)(end - begin);
}

double contender_time_dependent(struct contender *contender, const struct window *window)
{
    uint64_t begin = monotonic_ns();
    ask_dependent(contender, window);
    return (double)(monotonic_ns() - begin);
}

double contender_run(struct contender *contender, struct window *window, size_t from, size_t count)
{
    double sum = 0;
    for (size_t done = 0; done < count; done += window->count) {
        size_t left = count - done;
        window_fill(window, from + done, left < WINDOW_REQUESTS ? left : WINDOW_REQUESTS);
        sum += contender_time(contender, window);
    }
    return sum;
}

/* The value is compared with a copy of the source's: a source may lend one buffer again and again.
 */
bool contender_check(struct contender *contender, const struct workload *workload,
                     struct registry_text *wrong)
{
    const struct strategy_source *source = contender->source;
    bool good = true;
    if (!contender_begin(contender)) {
        return true;
    }
    char *copy = memory_new(source->value_bytes_max + 1, 1);
    struct window *window = window_new(workload);
    for (size_t i = 0; good && i < workload->count; i++) {
        struct strategy_value expected, value = {NULL, 0};
        if (i % WINDOW_REQUESTS == 0) {
            window_fill(window, i, WINDOW_REQUESTS);
        }
        struct registry_text key = window->requests[i % WINDOW_REQUESTS];
        bool there = source->load(source->context, key.data, key.length, &expected);
        if (there) {
            memcpy(copy, expected.data, expected.bytes);
        }
        good = contender->strategy->get(contender->state, key.data, key.length, &value) == there &&
               (!there ||
                (value.bytes == expected.bytes && memcmp(value.data, copy, expected.bytes) == 0));
        *wrong = workload->keys[workload->picks[i]];
    }
    window_free(&window);
    free(copy);
    contender_end(contender);
    return good;
}

/* Three multiplications in a chain, 9 to 12 cycles a turn; the fence behind them keeps the next
 * look-up from beginning before. */
static void wait_turns(unsigned turns)
{
    uint64_t chain = turns | 1;
    for (unsigned i = 0; i < turns; i++) {
        chain *= 3;
        chain *= 5;
        chain *= 7;
        __asm__ volatile("" : "+r"(chain));
    }
#if defined(__x86_64__)
    __asm__ volatile("lfence" : "+r"(chain)::"memory");
#elif defined(__aarch64__)
    __asm__ volatile("isb" : "+r"(chain)::"memory");
#else
    __asm__ volatile("" : "+r"(chain)::"memory");
#endif
}

static bool slow_load(void *context, const char *key, size_t length, struct strategy_value *value)
{
    struct slow_source *slow = context;
    if (slow->period && --slow->left == 0) {
        slow->left = slow->period;
        wait_turns(slow->turns);
    }
    return slow->inner->load(slow->inner->context, key, length, value);
}

void slow_source_init(struct slow_source *slow, const struct strategy_source *inner)
{
    slow->inner = inner;
    slow->turns = slow->period = slow->left = 0;
    slow->source = *inner;
    slow->source.load = slow_load;
    slow->source.context = slow;
}
