/* shard_protocol.c - see shard_protocol.h. Supervisor only. */
#include "harness/plan/shard_protocol.h"
#include "harness/plan/shard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Innermost first: Bazel or a GoogleTest runner may itself run within a CI job that has a number.
 */
const struct shard_protocol shard_protocols[] = {
    {.name = "Bazel",
     .index = "TEST_SHARD_INDEX",
     .total = "TEST_TOTAL_SHARDS",
     .status = "TEST_SHARD_STATUS_FILE",
     .programs = true},
    {.name = "GoogleTest",
     .index = "GTEST_SHARD_INDEX",
     .total = "GTEST_TOTAL_SHARDS",
     .status = "GTEST_SHARD_STATUS_FILE",
     .programs = true},
    {.name = "Slurm",
     .index = "SLURM_ARRAY_TASK_ID",
     .total = "SLURM_ARRAY_TASK_COUNT",
     .least = "SLURM_ARRAY_TASK_MIN",
     .step = "SLURM_ARRAY_TASK_STEP"},
    /* Kubernetes gives no total: the manifest repeats spec.completions in a variable. */
    {.name = "Kubernetes", .index = "JOB_COMPLETION_INDEX", .total = "JOB_COMPLETIONS"},
    {.name = "Buildkite",
     .index = "BUILDKITE_PARALLEL_JOB",
     .total = "BUILDKITE_PARALLEL_JOB_COUNT"},
    {.name = "CircleCI", .index = "CIRCLE_NODE_INDEX", .total = "CIRCLE_NODE_TOTAL"},
    {.name = "GitLab", .index = "CI_NODE_INDEX", .total = "CI_NODE_TOTAL", .first = 1},
    {0},
};

/* A whole number from 0 to 4,000,000,000. */
static bool number_read(const char *text, unsigned long *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number <= 4000000000u;
}

/* A variable that may be absent or empty. False: it is no number, told. */
static bool variable_read(const char *(*get)(const char *), const char *name, unsigned long *number,
                          char *error, size_t error_bytes)
{
    const char *text = name ? get(name) : NULL;
    if (!text || !text[0] || number_read(text, number)) {
        return true;
    }
    snprintf(error, error_bytes, "%s='%s' is not a whole number", name, text);
    return false;
}

static enum shard_found row_read(const struct shard_protocol *row, const char *(*get)(const char *),
                                 unsigned *shard, unsigned *shards, char *error, size_t error_bytes)
{
    unsigned long index = 0, total = 0, least = row->first, step = 1;
    if (!variable_read(get, row->index, &index, error, error_bytes) ||
        !variable_read(get, row->total, &total, error, error_bytes) ||
        !variable_read(get, row->least, &least, error, error_bytes) ||
        !variable_read(get, row->step, &step, error, error_bytes)) {
        return SHARD_BAD;
    }
    step = step == 0 ? 1 : step;
    if (total == 0 || total > SHARDS_MAX) {
        snprintf(error, error_bytes, "%s=%lu: from 1 to %u shards", row->total, total, SHARDS_MAX);
        return SHARD_BAD;
    }
    if (index < least || (index - least) % step != 0 || (index - least) / step >= total) {
        snprintf(
            error, error_bytes,
            "%s=%lu does not fit %s=%lu (%s counts from %lu in steps of %lu); --shard I/N says "
            "it by hand",
            row->index, index, row->total, total, row->name, least, step);
        return SHARD_BAD;
    }
    *shard = (unsigned)((index - least) / step) + 1;
    *shards = (unsigned)total;
    return total > 1 ? SHARD_FOUND : SHARD_NONE;
}

enum shard_found shard_protocol_find(const char *(*get)(const char *name),
                                     const struct shard_protocol **protocol, unsigned *shard,
                                     unsigned *shards, char *error, size_t error_bytes)
{
    error[0] = '\0';
    for (const struct shard_protocol *row = shard_protocols; row->name; row++) {
        const char *index = get(row->index), *total = get(row->total);
        if (!index || !index[0]) {
            continue;
        }
        if (!total || !total[0]) {
            snprintf(error, error_bytes,
                     "%s is set, but %s is not: all tests are run here (%s needs both)", row->index,
                     row->total, row->name);
            continue;
        }
        enum shard_found found = row_read(row, get, shard, shards, error, error_bytes);
        if (found == SHARD_FOUND) {
            error[0] = '\0';
        }
        if (found != SHARD_NONE) {
            *protocol = row;
            return found;
        }
    }
    return SHARD_NONE;
}
