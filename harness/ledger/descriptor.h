/*
 * descriptor.h - for whoever interposes a function that opens or closes descriptors or makes files:
 * what to tell the ledger. errno is kept. Runs in the worker, on any thread.
 */
#ifndef LEDGER_DESCRIPTOR_H
#define LEDGER_DESCRIPTOR_H

#include <stdbool.h>
#include <stdio.h>

/* The next definition of an interposed libc function; looked up once, at the first call. */
#define NEXT_FUNCTION(name)                                                                        \
    ({                                                                                             \
        static __typeof__(&name) cached;                                                           \
        if (__builtin_expect(cached == NULL, 0)) {                                                 \
            cached = (__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name);                        \
        }                                                                                          \
        cached;                                                                                    \
    })

/* `frame`: __builtin_frame_address(0) in the interposed function. Negative descriptors are ignored;
 * both return what they are given. */
int descriptor_opened(int fd, const void *frame);
int descriptor_closing(
    int fd); /* before it is closed: afterwards another thread may get the number */

/* Returns whether one of 0, 1 and 2 was opened or closed since the last call. */
bool descriptor_standard_touched(void);

/* Before a file may be made: is there none yet? Then, when it was made: */
bool descriptor_path_is_new(int directory, const char *path);
void descriptor_file_made(int directory, const char *path, const void *frame);

/* The same for streams. `fresh` is what descriptor_stream_is_new said before. */
bool descriptor_stream_is_new(const char *path, const char *mode);
FILE *descriptor_stream_opened(FILE *file, const char *path, bool fresh, const void *frame);
FILE *descriptor_stream_closing(FILE *file);

#endif
