/*
 * file_state.h - what the processes of a file cache share besides the file: the totals of their
 * counters, and when the source last failed, so that those who waited do not all ask it again.
 *
 * PATH.state is a convenience: unreadable, damaged or not writable it counts as empty. It is read
 * and written under an flock of its own that nobody waits for longer than some milliseconds.
 */
#ifndef FILE_STATE_H
#define FILE_STATE_H

#include "registry/file/file_store.h"

struct file_statistics {
#define METRIC(name, words) uint64_t name;
#include "registry/file/file_metric.def"
#undef METRIC
};
/* Adds each counter of `part`. */
void file_statistics_add(struct file_statistics *sum, const struct file_statistics *part);

struct file_state {
    struct file_stamp failed; /* all zero: never, or it went well since */
    struct file_statistics totals;
};

bool file_state_read(const struct file_store *store, struct file_state *state);
/* Adds to the totals; `failed` NULL leaves the stamp, else replaces it. False: not written. */
bool file_state_add(const struct file_store *store, const struct file_statistics *part,
                    const struct file_stamp *failed);

#endif
