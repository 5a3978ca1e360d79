/*
 * manual.h - man pages and shell completions, from the tables of command.h, parameter.def and
 * metric.def. `tidemark --manual FORMAT [PAGE]` prints them; `make install` calls it. Supervisor
 * only.
 *
 *   man            tidemark.1
 *   man COMMAND    tidemark-COMMAND.1
 *   man scenario   tidemark-scenario.5
 *   man verdicts   tidemark-verdicts.7
 *   words          the words of words.def and metric.def, one a line: kind, word, meaning and
 * action with tabs between them bash | zsh | fish pages          all man pages but tidemark.1, one
 * a line: name and section
 */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include <stdbool.h>
#include <stdio.h>

/* False when there is no such format or page. */
bool manual_print(const char *format, const char *page, FILE *out);

/* completion.c */
void completion_bash(FILE *out);
void completion_zsh(FILE *out);
void completion_fish(FILE *out);

#endif
