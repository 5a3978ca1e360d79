/*
 * program.h - the program's own main, called by us: once, several times for the passive ways, or as
 * the one test of a program without any (way PROGRAM). exit() in it then comes back here.
 */
#ifndef BOUNDARY_PROGRAM_H
#define BOUNDARY_PROGRAM_H

#include <stdbool.h>

typedef int main_function(int, char **, char **);

/* In place of main. */
int program_main(main_function *program, int argc, char **argv, char **envp);

struct adapter;

/* The program has a static copy of this adapter's framework, whose tests are served before, in or
 * after a call of main. If they have not been then, the whole program is one test after all. */
void program_serve_later(const struct adapter *copy);

/* For adapters that run one test by a call of main which does only that. Returns main's status.
 * What main gave to atexit has run, and a call of exit came back. */
int program_main_again(int argc, char **argv);
/* Such a call is under way. */
bool program_is_again(void);

/* As main found them, before the program took some away. The name is without its folder. */
const char *program_name(void);
int program_argument_count(void);
const char *program_argument(int index);

/* exit(status) was called. Returns when the process must really end. */
void program_exit(int status);

/* atexit in the middle of main: true when taken over. The handler runs when this call of main is
 * over, or each call would leave another one behind. */
bool program_atexit(void (*handler)(void *));

#endif
