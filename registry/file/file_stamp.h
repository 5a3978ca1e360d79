/*
 * file_stamp.h - an instant that two processes, a step of the wall clock and a reboot can agree on:
 * the wall clock, and beside it the time since boot with the name of that boot. A time namespace
 * (time_namespaces(7)) counts as a boot of its own. Thread-safe.
 */
#ifndef FILE_STAMP_H
#define FILE_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#define FILE_BOOT_BYTES  40 /* a UUID, its NUL, and no padding behind it */
#define FILE_AGE_UNKNOWN UINT64_MAX

struct file_stamp {
    uint64_t wall_ns;           /* CLOCK_REALTIME: may be set forward and back */
    uint64_t boot_ns;           /* CLOCK_BOOTTIME: counts in suspend too, is never set */
    char boot[FILE_BOOT_BYTES]; /* which boot that was; "-" where the kernel does not say */
};

void file_stamp_now(struct file_stamp *stamp);

/* Nanoseconds from `then` to `now`. Within one boot the wall clock is not asked, so its steps
 * change nothing. From another boot only the wall clock is there: an instant in the future has no
 * age (FILE_AGE_UNKNOWN) and counts as old, or it would stay fresh for ever. */
uint64_t file_stamp_age(const struct file_stamp *then, const struct file_stamp *now);

#endif
