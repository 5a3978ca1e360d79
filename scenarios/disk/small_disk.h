/*
 * small_disk.h - a disk of a few kilobytes over a folder, filled to its last byte: for tests of
 * what happens when nothing can be written. A child process of its own, so that nobody else sees
 * the mount; who is not root becomes it in a user namespace, where that is allowed. Runs in a child
 * of the test program.
 */
#ifndef DISK_SMALL_DISK_H
#define DISK_SMALL_DISK_H

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* Exit codes of the child: what did not hold is named, and what cannot be tried here is told. */
#define SMALL_DISK_CANNOT 77
#define SMALL_DISK_MUST(what)                                                                      \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);                             \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* Runs `body` in a child; its exit code, or -1 when it died of a signal. A body that comes back
 * ends with 0. */
int small_disk_child(void (*body)(void *context), void *context);

/* In the child: from now on the folder is a tmpfs of so many kilobytes, and empty. False: that is
 * not allowed here. */
bool small_disk_mount(const char *folder, unsigned kilobytes);

/* Fills it. True: not another byte goes onto it. small_disk_free makes room again. */
bool small_disk_fill(const char *folder);
bool small_disk_free(const char *folder);

#endif
