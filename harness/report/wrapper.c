/* wrapper.c - see wrapper.h. Supervisor only. */
#include "harness/report/wrapper.h"
#include "harness/base/memory.h"
#include "harness/report/describe.h"
#include "harness/report/location.h"

#include <stdlib.h>
#include <string.h>

#define CALLERS_LEAST                                                                              \
    3                  /* that make a wrapper: what two functions call may be what they are about */
#define PRIVATE_MOST 2 /* a wrapper may call layers of its own that no one else calls */

struct layer { /* a function on the way to an allocation, in one of the results */
    const char *function, *file;
    const char *callers[CALLERS_LEAST];
    unsigned caller_count;
    unsigned line;
    bool lines; /* more than one */
    bool side;  /* which of the results: lines are those of one version */
};

struct wrappers {
    struct layer *layers; /* open addressing; `room` is a power of two */
    size_t count, room;
};

static uint64_t text_hash(const char *text, uint64_t hash)
{
    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    }
    return hash;
}

static struct layer *layer_slot(const struct wrappers *wrappers, const char *function,
                                const char *file, bool side)
{
    uint64_t hash = text_hash(file, text_hash(function, 0xcbf29ce484222325u)) + side;
    for (size_t at = hash ^ hash >> 29;; at++) {
        struct layer *layer = &wrappers->layers[at & (wrappers->room - 1)];
        if (!layer->function || (layer->side == side && strcmp(layer->function, function) == 0 &&
                                 strcmp(layer->file, file) == 0)) {
            return layer;
        }
    }
}

static void layers_grow(struct wrappers *wrappers)
{
    struct wrappers bigger = {.count = wrappers->count,
                              .room = wrappers->room ? 2 * wrappers->room : 256};
    bigger.layers = memory_new(bigger.room, sizeof *bigger.layers);
    for (size_t i = 0; i < wrappers->room; i++) {
        const struct layer *old = &wrappers->layers[i];
        if (old->function) {
            *layer_slot(&bigger, old->function, old->file, old->side) = *old;
        }
    }
    free(wrappers->layers);
    *wrappers = bigger;
}

static void layer_see(struct wrappers *wrappers, const struct result_frame *frame,
                      const struct result_frame *caller, bool side)
{
    if (2 * wrappers->count >= wrappers->room) {
        layers_grow(wrappers);
    }
    struct layer *layer = layer_slot(wrappers, frame->function, frame->file, side);
    if (!layer->function) {
        wrappers->count++;
        *layer = (struct layer){
            .function = frame->function, .file = frame->file, .line = frame->line, .side = side};
    }
    layer->lines = layer->lines || layer->line != frame->line;
    for (unsigned i = 0; i < layer->caller_count; i++) {
        if (strcmp(layer->callers[i], caller->function) == 0) {
            return;
        }
    }
    if (layer->caller_count < CALLERS_LEAST) {
        layer->callers[layer->caller_count++] = caller->function;
    }
}

static void births_see(struct wrappers *wrappers, const struct result *result, bool side)
{
    for (size_t i = 0; i < result->birth_count; i++) {
        const struct result_frame *frames = result->births[i].frames;
        for (size_t f = 0; f + 1 < result->births[i].frame_count; f++) {
            layer_see(wrappers, &frames[f], &frames[f + 1], side);
        }
    }
}

struct wrappers *wrappers_new(const struct result *base, const struct result *head)
{
    struct wrappers *wrappers = memory_new(1, sizeof *wrappers);
    layers_grow(wrappers);
    births_see(wrappers, base, false);
    births_see(wrappers, head, true);
    return wrappers;
}

void wrappers_free(struct wrappers **wrappers)
{
    if (*wrappers) {
        free((*wrappers)->layers);
    }
    free(*wrappers);
    *wrappers = NULL;
}

/* In either version: a wrapper does not cease to be one when it loses a caller. */
static bool passes_on(const struct wrappers *wrappers, const struct result_frame *frame,
                      bool *lines)
{
    bool wrapper = false;
    *lines = false;
    for (int side = 0; side < 2; side++) {
        const struct layer *layer = layer_slot(wrappers, frame->function, frame->file, side != 0);
        bool known = layer->function != NULL;
        *lines = *lines || (known && layer->lines);
        wrapper = wrapper || (known && layer->caller_count >= CALLERS_LEAST);
    }
    return wrapper && !*lines;
}

const struct result_frame *wrappers_place(const struct wrappers *wrappers, const char *tests,
                                          const struct result_frame *frames, size_t count)
{
    const struct result_frame *outside = describe_place(frames, count);
    unsigned private = 0; /* layers in a row that only one function calls */
    bool lines = false;
    for (const struct result_frame *frame = outside; outside && frame + 1 < frames + count;
         frame++) {
        bool wrapper = passes_on(wrappers, frame, &lines);
        private = wrapper ? 0 : private + 1;
        if (lines || private > PRIVATE_MOST || !frame[1].file[0] ||
            strcmp(location_name(frame[1].file), location_name(tests)) == 0) {
            break;
        }
        outside = wrapper ? frame + 1 : outside;
    }
    return outside;
}
