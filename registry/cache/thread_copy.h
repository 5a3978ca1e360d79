/*
 * thread_copy.h - a buffer per thread for values that a thread-safe strategy hands out: another
 * thread may overwrite the cache's copy at any time, so the caller gets one of its own, good until
 * this thread's next get from any thread-safe strategy. Static thread-local: nothing is allocated,
 * and pages that are never touched are never resident.
 */
#ifndef CACHE_THREAD_COPY_H
#define CACHE_THREAD_COPY_H

#include <stdint.h>

#define THREAD_COPY_BYTES 8192u /* thread-safe strategies refuse sources with longer values */

extern _Thread_local _Alignas(16) unsigned char thread_copy[THREAD_COPY_BYTES];

#endif
