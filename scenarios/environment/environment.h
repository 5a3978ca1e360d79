/*
 * environment.h - variables of the environment for a suite, without an allocation. setenv and
 * putenv make room for as many variables as the machine happens to have, so that what a test
 * allocates would not be the same on another. Not for threads.
 */
#ifndef SCENARIOS_ENVIRONMENT_H
#define SCENARIOS_ENVIRONMENT_H

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define ENVIRONMENT_MOST 4096

static char *environment_room[ENVIRONMENT_MOST];

/* Takes NAME, or what stands before the '=' of NAME=VALUE, out of the environment. */
static inline void environment_take(const char *name)
{
    size_t length = strcspn(name, "="), kept = 0;
    for (char **at = environ; *at != NULL && kept + 2 < ENVIRONMENT_MOST; at++) {
        if (strncmp(*at, name, length) != 0 || (*at)[length] != '=') {
            environment_room[kept++] = *at;
        }
    }
    environment_room[kept] = NULL;
    environ = environment_room;
}

/* NAME=VALUE, which has to stay where it is. */
static inline void environment_put(char *assignment)
{
    size_t count = 0;
    environment_take(assignment);
    while (environ[count] != NULL) {
        count++;
    }
    environ[count] = assignment;
    environ[count + 1] = NULL;
}

#endif
