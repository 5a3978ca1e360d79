/*
 * child.h - one repetition in a forked child: for tests that are expected to die by a signal or to
 * exit, and for suites that cannot live without fork. Runs in the worker; the body runs in its
 * child.
 */
#ifndef BOUNDARY_CHILD_H
#define BOUNDARY_CHILD_H

#include <stdbool.h>
#include <stdint.h>

struct child_end {
    int status; /* as waitpid gives it */
    bool timed_out;
    bool failed;                   /* fork itself failed */
    uint64_t allocs, frees, bytes; /* of the child, as far as it lived */
};

/* Most time of each child from now on, whatever its own limit; 0: no other than that. */
void child_limit(uint64_t most_ns);

/* Runs body(data) in a child, which then exits with 0. Kills it, and its process group, after
 * `timeout_ns` (0: never), or after the time of child_limit. */
void child_run(void (*body)(void *), void *data, uint64_t timeout_ns, struct child_end *end);

/* True in a child that child_run made; a child that a test forked by itself is another matter. */
bool child_inside(void);

/* In the child: notes its counts before it ends. Nothing elsewhere. */
void child_note(void);

#endif
