/* collector.c - see collector.h. Runs in the test program, and in the plugin's process. */
#include "collector.h"

#include "memory.h"

#include <stdio.h>
#include <string.h>

/* "ID REST" of a line; both texts are copies. */
static bool line_split(const char *line, size_t length, char **id, char **rest)
{
    const char *space = memchr(line, ' ', length);
    if (!space) {
        return false;
    }
    *id = memory_text(line, (size_t)(space - line));
    *rest = memory_text(space + 1, length - (size_t)(space + 1 - line));
    return *id && *rest;
}

static size_t lines_count(const char *text)
{
    size_t count = 0;
    for (; *text; text++) {
        count += *text == '\n';
    }
    return count;
}

static bool models_parse(struct snapshot *snapshot, const char *text)
{
    size_t room = lines_count(text);
    snapshot->models = memory_take((room + 1) * sizeof snapshot->models[0]);
    if (!snapshot->models) {
        return false;
    }
    memset(snapshot->models, 0, (room + 1) * sizeof snapshot->models[0]);
    for (const char *line = text; snapshot->count < room; line = strchr(line, '\n') + 1) {
        struct model *model = &snapshot->models[snapshot->count++];
        if (!line_split(line, strcspn(line, "\n"), &model->id, &model->name)) {
            return false;
        }
    }
    return true;
}

static bool deployments_parse(struct model *model, const char *text)
{
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        struct deployment *deployment = memory_take(sizeof *deployment);
        if (!deployment) {
            return false;
        }
        *deployment = (struct deployment){.next = model->deployments, .model = model};
        model->deployments = deployment;
        if (!line_split(line, strcspn(line, "\n"), &deployment->id, &deployment->status)) {
            return false;
        }
    }
    return true;
}

static bool deployments_fetch(struct snapshot *snapshot, struct transport *transport,
                              unsigned width)
{
    char paths[MODELS][32];
    const char *path[MODELS];
    char *bodies[MODELS] = {NULL};
    if (snapshot->count > MODELS) {
        return false;
    }
    for (size_t i = 0; i < snapshot->count; i++) {
        snprintf(paths[i], sizeof paths[i], "/models/%s", snapshot->models[i].id);
        path[i] = paths[i];
    }
    bool ok = transport->batch(transport, path, snapshot->count, width, bodies);
    for (size_t i = 0; i < snapshot->count; i++) {
        ok = ok && deployments_parse(&snapshot->models[i], bodies[i]);
        memory_give(bodies[i]);
    }
    return ok;
}

struct snapshot *snapshot_fetch(struct transport *transport, unsigned width)
{
    const char *const path = "/models";
    char *body = NULL;
    struct snapshot *snapshot = memory_take(sizeof *snapshot);
    if (!snapshot) {
        return NULL;
    }
    *snapshot = (struct snapshot){.references = 1};
    bool ok = transport->batch(transport, &path, 1, 1, &body) && models_parse(snapshot, body);
    memory_give(body);
    if (!ok || !deployments_fetch(snapshot, transport, width)) {
        snapshot_release(&snapshot);
    }
    return snapshot;
}

struct snapshot *snapshot_hold(struct snapshot *snapshot)
{
    atomic_fetch_add(&snapshot->references, 1);
    return snapshot;
}

void snapshot_release(struct snapshot **at)
{
    struct snapshot *snapshot = *at;
    *at = NULL;
    if (!snapshot || atomic_fetch_sub(&snapshot->references, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < snapshot->count; i++) {
        struct model *model = &snapshot->models[i];
        for (struct deployment *deployment = model->deployments, *next; deployment;
             deployment = next) {
            next = deployment->next;
            memory_give(deployment->id);
            memory_give(deployment->status);
            memory_give(deployment);
        }
        memory_give(model->id);
        memory_give(model->name);
    }
    memory_give(snapshot->models);
    memory_give(snapshot);
}

char *snapshot_print(const struct snapshot *snapshot)
{
    size_t room = 1, length = 0;
    for (int pass = 0; pass < 2; pass++) {
        char *text = pass ? memory_take(room) : NULL;
        if (pass && !text) {
            return NULL;
        }
        for (size_t i = 0; i < snapshot->count; i++) {
            const struct deployment *deployment = snapshot->models[i].deployments;
            for (; deployment; deployment = deployment->next) {
                int wide =
                    snprintf(pass ? text + length : NULL, pass ? room - length : 0, "%s %s %s\n",
                             deployment->model->name, deployment->id, deployment->status);
                *(pass ? &length : &room) += (size_t)wide;
            }
        }
        if (pass) {
            text[length] = 0;
            return text;
        }
    }
    return NULL;
}
