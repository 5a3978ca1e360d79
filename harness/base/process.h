/*
 * process.h - what tidemark changes of its own process at the start, and gives back to the programs
 * that it starts. Supervisor only.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

/* First thing in main. A standard stream that is closed is opened (nothing can be read from it, and
 * writing to it fails as it would have), so that no file of ours takes its number. SIGPIPE and
 * SIGXFSZ are ignored: a write that cannot be is an error to report, not the end. */
void process_begin(void);
/* In a child, before exec: those signals as tidemark was given them. */
void process_restore(void);

#endif
