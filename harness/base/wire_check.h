/*
 * wire_check.h - nothing that a worker writes is believed before it was checked here: a test may
 * write anywhere in its process, so also into the memory that it shares with the supervisor.
 *
 * wire_record_check looks at one record by itself: its size, enumerations, counts, indices that
 * have a largest value, and that each text ends within its array. wire_get calls it, so nobody sees
 * a record that does not pass. wire_dialogue_check looks at a record as an answer: may it come now,
 * and is what it names known? Supervisor only.
 */
#ifndef BASE_WIRE_CHECK_H
#define BASE_WIRE_CHECK_H

#include "harness/base/wire.h"

#define WIRE_SITE_MOST (1u << 22) /* numbers that a worker's ledger can give */

/* The size of a record of this type (a SITE may be shorter); 0: there is none. */
uint32_t wire_record_bytes(uint32_t type);

/* Returns NULL for a record that a worker may send, else what is wrong with it, for a person.
 * `record->bytes` are readable. */
const char *wire_record_check(const struct wire_record *record);

/* What was asked last, and what was said so far. All zero at the beginning. */
struct wire_dialogue {
    struct wire_command command; /* that is being answered; op NONE: none is */
    uint32_t sequence;           /* of it */
    uint32_t names;              /* tests announced: their indices are 0 .. names - 1 */
    uint64_t samples;            /* boundaries of the command, where it chose a test */
    uint32_t asides;             /* notes and modules, which may come at any time */
    uint32_t begun;              /* 1 + the test announced last that has no result yet; 0: none */
    bool greeted, answered, passive;
};

void wire_dialogue_ask(struct wire_dialogue *dialogue, const struct wire_command *command,
                       uint32_t sequence);

/* Returns NULL if this record (which passed wire_record_check) may come now, and takes note of it;
 * else what is wrong with it, as above. */
const char *wire_dialogue_check(struct wire_dialogue *dialogue, const struct wire_record *record);

/* A copy of what the worker left of its end, with all of it in range. */
struct wire_end {
    uint32_t signal; /* 0: none */
    bool exited;
    uint64_t refused;
    uint32_t frame_count;
    uint64_t frames[WIRE_CRASH_MAX];
};
void wire_end_get(const struct wire *wire, struct wire_end *end);

/* Copies heap errors that it had no time to send, at most WIRE_HEAP_MOST. Returns how many. */
size_t wire_heap_left(const struct wire *wire, struct wire_heap_error *errors);

#endif
