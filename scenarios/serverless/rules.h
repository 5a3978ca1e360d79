/*
 * rules.h - which cached keys an event of the application makes old: a table, with the names of the
 * event's data in braces.
 */
#ifndef SERVERLESS_RULES_H
#define SERVERLESS_RULES_H

#include <stdbool.h>
#include <stddef.h>

#define RULE_KEYS_MAX  4u
#define RULE_KEY_BYTES 60u

struct event_data {
    const char *user_id; /* NULL: the event has none */
};

/* How many keys; 0: no such event. A key whose data the event has not is left out: better none than
 * "user-profile-undefined". */
size_t rules_keys(const char *event, const struct event_data *data,
                  char keys[RULE_KEYS_MAX][RULE_KEY_BYTES]);

#endif
