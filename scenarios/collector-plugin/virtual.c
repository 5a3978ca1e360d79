/* virtual.c - see transport.h: what the upstream says, and the one that answers in virtual time. */
#include "transport.h"

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t collector_answer(const char *path, uint64_t number, char *text, size_t room)
{
    (void)number;
    size_t length = 0;
    if (strcmp(path, "/models") == 0) {
        for (unsigned i = 0; i < MODELS; i++) {
            length += (size_t)snprintf(text + length, room - length,
                                       "m%02u a-model-with-a-name-of-some-length-%02u\n", i, i);
        }
    } else if (strncmp(path, "/models/m", 9) == 0) {
        unsigned model = (unsigned)atoi(path + 9);
        for (unsigned i = 0; i < 1 + model % 3; i++) {
            length += (size_t)snprintf(text + length, room - length, "d%02u-%u %s\n", model, i,
                                       i == 0 ? "ACTIVE" : "SCALED_TO_ZERO");
        }
    }
    return length;
}

static bool virtual_batch(struct transport *transport, const char *const *paths, size_t count,
                          unsigned width, char **bodies)
{
    struct virtual_upstream *upstream = (struct virtual_upstream *)transport;
    uint64_t lanes[64], begun = upstream->now_ns, latest = begun;
    char text[8192];
    bool ok = true;
    width = width < 1 ? 1 : width > 64 ? 64 : width;
    for (unsigned i = 0; i < width; i++) {
        lanes[i] = begun;
    }
    for (size_t i = 0; i < count; i++) {
        unsigned lane = 0;
        bodies[i] = NULL;
        for (unsigned l = 1; l < width; l++) {
            lane = lanes[l] < lanes[lane] ? l : lane;
        }
        transport->requests++;
        lanes[lane] += upstream->latency_ns;
        if (upstream->hang_at && transport->requests == upstream->hang_at) {
            lanes[lane] = UINT64_MAX / 2;
            ok = false;
        } else if (upstream->fail_at && transport->requests == upstream->fail_at) {
            ok = false;
        } else {
            bodies[i] = memory_text(text, collector_answer(paths[i], 0, text, sizeof text));
            ok = ok && bodies[i] != NULL;
        }
        latest = lanes[lane] > latest ? lanes[lane] : latest;
        if (!ok) {
            break;
        }
    }
    if (transport->deadline_ns && latest - begun > transport->deadline_ns) {
        latest = begun + transport->deadline_ns;
        ok = false;
    }
    upstream->now_ns = latest;
    return ok;
}

void virtual_upstream_init(struct virtual_upstream *upstream)
{
    /* 15 s for 71 requests, as in the report */
    *upstream =
        (struct virtual_upstream){.transport = {.batch = virtual_batch}, .latency_ns = 211000000};
}
