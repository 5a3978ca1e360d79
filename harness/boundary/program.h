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

/* The program has a static copy of this framework, whose adapter serves its tests somewhere in
 * main. If main ends and it has not, the whole program is one test after all. */
void program_serve_later(const char *framework);

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
