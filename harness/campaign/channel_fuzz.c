/*
 * channel_fuzz.c - libFuzzer target of what a worker may write into the memory that it shares with
 * the supervisor (make fuzz). The bytes are a script:
 *
 *   0 op test flags      the supervisor asks
 *   1 type cut bytes...  a record of that type, of its own size less `cut`, with these bytes in it
 *   2 offset value       a word of the shared memory is overwritten
 *   3                    the worker is gone, and another begins
 *
 * Whatever the script: no crash, no undefined behaviour, no read outside; damage stays damage.
 */
#include "harness/base/wire_check.h"
#include "harness/base/wire_part.h"
#include "harness/campaign/observed.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

struct script {
    const uint8_t *at, *end;
};

static uint64_t number(struct script *script, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes && script->at < script->end; i++) {
        value |= (uint64_t)*script->at++ << 8 * i;
    }
    return value;
}

struct world {
    struct wire *wire;
    struct wire_dialogue dialogue;
    struct observed observed;
    const char *damage;
};

static void world_begin(struct world *world)
{
    int fd;
    world->wire = wire_new(&fd);
    if (!world->wire) {
        abort();
    }
    close(fd);
    world->dialogue = (struct wire_dialogue){.sequence = 0};
    world->damage = NULL;
    observed_worker_begins(&world->observed);
}

/* What the supervisor reads of one that is gone. */
static void world_end(struct world *world)
{
    struct wire_heap_error left[WIRE_HEAP_MOST];
    struct wire_end end;
    wire_end_get(world->wire, &end);
    size_t count = wire_heap_left(world->wire, left);
    if (count > WIRE_HEAP_MOST || end.frame_count > WIRE_CRASH_MAX) {
        abort();
    }
    wire_free(&world->wire);
}

static void ask(struct world *world, struct script *script)
{
    struct wire_command command = {.repetitions = 4};
    command.op = (uint32_t)number(script, 1) % (WIRE_OP_FINISH + 1);
    command.test = (uint32_t)number(script, 1);
    command.flags = (uint32_t)number(script, 2);
    command.depth = command.flags % 2 == 0 ? WIRE_TRACE : WIRE_COUNT;
    wire_dialogue_ask(&world->dialogue, &command, wire_command_send(world->wire, &command));
    observed_test_begins(&world->observed);
    world->observed.round++;
}

/* As wire_put, but with whatever size. */
static void put(struct world *world, struct script *script)
{
    static _Alignas(8) unsigned char record[WIRE_RECORD_MAX];
    struct wire_record head = {.type = (uint32_t)number(script, 1)};
    uint64_t cut = number(script, 1), given = number(script, 2);
    uint64_t bytes = wire_record_bytes(head.type);
    head.bytes = (uint32_t)(bytes > cut * 8 ? bytes - cut * 8 : cut);
    memset(record, 0, sizeof record);
    memcpy(record, &head, sizeof head);
    for (uint64_t i = sizeof head; i < sizeof head + given && i < sizeof record; i++) {
        record[i] = (unsigned char)number(script, 1);
    }
    uint64_t at = atomic_load(&world->wire->head);
    for (uint64_t i = 0; i < head.bytes && i < sizeof record; i++) {
        world->wire->ring[(at + i) % WIRE_RING_BYTES] = record[i];
    }
    atomic_store(&world->wire->head, at + head.bytes);
}

static void scribble(struct world *world, struct script *script)
{
    uint64_t at = number(script, 2), value = number(script, 8);
    uint64_t most = offsetof(struct wire, ring) + 64 - sizeof value;
    memcpy((unsigned char *)world->wire + at % most, &value, sizeof value);
}

/* The store of sites has room for all up to the largest number, of which there are millions: that
 * takes memory, not care. */
static bool is_far(const struct wire_record *record)
{
    const uint32_t most = 1000;
    return (record->type == WIRE_SITE && ((const struct wire_site *)record)->site > most) ||
           (record->type == WIRE_FAMILY && ((const struct wire_family *)record)->family > most);
}

static void drain(struct world *world)
{
    static _Alignas(8) unsigned char buffer[WIRE_RECORD_MAX];
    bool broken = false;
    while (!world->damage && wire_get(world->wire, buffer, &broken)) {
        const struct wire_record *record = (const struct wire_record *)buffer;
        world->damage = wire_dialogue_check(&world->dialogue, record);
        if (!world->damage && !is_far(record)) {
            observed_take(&world->observed, record);
        }
    }
    if (broken) {
        world->damage = wire_damage(world->wire);
        if (!world->damage) {
            abort();
        }
    }
}

static void sites_look(const struct observed *observed)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < observed->site_count; i++) {
        const struct observed_site *site = &observed->sites[i];
        seen += observed_largest(observed, site->family) + site->frame_count;
        seen += observed_site(observed, site->number) != NULL;
        if (site->frame_count > WIRE_FRAMES_MAX) {
            abort();
        }
    }
    for (size_t i = 0; i < observed->test_count; i++) {
        seen += observed->tests[i].id ? strlen(observed->tests[i].id) : 0;
    }
    static volatile uint64_t kept;
    kept = seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct script script = {data, data + length};
    struct world world = {.damage = NULL};
    observed_init(&world.observed);
    world_begin(&world);
    for (int steps = 0; script.at < script.end && steps < 200; steps++) {
        switch (number(&script, 1) % 4) {
        case 0:
            ask(&world, &script);
            break;
        case 1:
            put(&world, &script);
            break;
        case 2:
            scribble(&world, &script);
            break;
        default:
            world_end(&world);
            world_begin(&world);
            break;
        }
        drain(&world);
    }
    sites_look(&world.observed);
    world_end(&world);
    observed_fini(&world.observed);
    return 0;
}
