/*
 * collector.h - the collector: fetches all models and their deployments, 1 + N requests, and hands
 * out a snapshot that several readers can share. Whatever fails on the way, nothing stays behind.
 */
#ifndef COLLECTOR_COLLECTOR_H
#define COLLECTOR_COLLECTOR_H

#include "transport.h"

#include <stdatomic.h>

struct deployment {
    struct deployment *next;
    const struct model *model; /* lives as long as the snapshot */
    char *id, *status;
};

struct model {
    char *id, *name;
    struct deployment *deployments;
};

struct snapshot {
    _Atomic unsigned references;
    size_t count;
    struct model *models;
};

/* Fetches; `width` requests at a time. NULL when anything failed. */
struct snapshot *snapshot_fetch(struct transport *transport, unsigned width);
struct snapshot *snapshot_hold(struct snapshot *snapshot);
void snapshot_release(struct snapshot **snapshot);

/* The function's answer, as text from memory_take: a line for each deployment. NULL: no memory. */
char *snapshot_print(const struct snapshot *snapshot);

#endif
