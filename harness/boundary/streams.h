/*
 * streams.h - the standard streams of the program, kept when its tests begin and put back after a
 * test that closed them or pointed them elsewhere. A framework that forks for each test gives each
 * one fresh streams; here the next test in the process would write to nobody, or wait for ever for
 * what it wrote. Runs in the worker, between repetitions, on the main thread.
 */
#ifndef BOUNDARY_STREAMS_H
#define BOUNDARY_STREAMS_H

/* Keeps a copy of descriptors 0 to 2, once: a later call does nothing. */
void streams_keep(void);

/* Puts back what differs. The FILE itself is opened again, and what is left in the buffer of a
 * stream that points elsewhere is dropped: whoever kept the pointer still has it. errno is kept. */
void streams_put_back(void);

/* The same, only when a hook has seen one of the three change: no system call otherwise. */
void streams_put_back_touched(void);

#endif
