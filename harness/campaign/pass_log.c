/* pass_log.c - see pass_log.h. */
#include "harness/campaign/pass_log.h"

#include "harness/base/memory.h"

#include <stdlib.h>

void pass_log_fini(struct pass_log *log)
{
    free(log->tests);
    free(log->call_ns);
    free(log->keeps);
    free(log->changes);
    *log = (struct pass_log){0};
}

static void change_add(struct pass_log *log, const struct pass_change *change)
{
    memory_grow(&log->changes, &log->change_room, log->change_count + 1, sizeof log->changes[0]);
    log->changes[log->change_count++] = *change;
}

static uint32_t position_add(struct pass_log *log, uint32_t test)
{
    memory_grow(&log->tests, &log->room, log->count + 1, sizeof log->tests[0]);
    memory_grow(&log->call_ns, &log->call_room, log->count + 1, sizeof log->call_ns[0]);
    memory_grow(&log->keeps, &log->keeps_room, log->count + 1, sizeof log->keeps[0]);
    log->tests[log->count] = test;
    log->call_ns[log->count] = 0;
    log->keeps[log->count] = false;
    return (uint32_t)log->count++;
}

void pass_log_boundary(struct pass_log *log, uint32_t test, const struct observed *seen)
{
    uint32_t position = position_add(log, test);
    for (size_t i = 0; i < seen->site_count; i++) {
        const struct observed_site *site = &seen->sites[i];
        if (site->round == seen->round && site->frame_count > 0) {
            change_add(log, &(struct pass_change){.position = position,
                                                  .site = site->number,
                                                  .blocks = site->blocks,
                                                  .bytes = site->bytes,
                                                  .allocated = site->born_blocks > 0});
        }
    }
}

void pass_log_call(struct pass_log *log, double call_ns, bool keeps)
{
    log->call_ns[log->count - 1] = call_ns;
    log->keeps[log->count - 1] = keeps;
}

void pass_log_survivors(struct pass_log *log, const uint32_t *tests, size_t count,
                        const struct observed *seen)
{
    struct held {
        int64_t blocks, bytes;
    } *held = memory_new(seen->site_count + 1, sizeof *held);
    for (size_t i = 0; i < count; i++) {
        uint32_t position = position_add(log, tests[i]);
        for (size_t k = 0; k < seen->survivor_count; k++) {
            const struct wire_survivor *left = &seen->survivors[k];
            if (left->birth == tests[i] && left->site < seen->site_count) {
                held[left->site].blocks += left->blocks;
                held[left->site].bytes += left->bytes;
                change_add(log, &(struct pass_change){.position = position,
                                                      .site = left->site,
                                                      .blocks = held[left->site].blocks,
                                                      .bytes = held[left->site].bytes,
                                                      .allocated = true});
            }
        }
    }
    log->first_pass = log->count;
    free(held);
}
