/* hooks_thread.h - for whoever interposes pthread_create: tells the ledger of a new thread. */
#ifndef LEDGER_HOOKS_THREAD_H
#define LEDGER_HOOKS_THREAD_H

#include <pthread.h>

/* `frame`: __builtin_frame_address(0) in the interposed function. */
void hooks_thread_made(pthread_t thread, const pthread_attr_t *attributes, const void *frame);

#endif
