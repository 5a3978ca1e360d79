/*
 * whatif.h - the two halves of `tidemark whatif`: traces (whatif_trace.c) and polling clients
 * (whatif_clients.c). Each prints its tables to stdout, its JSON Lines to `json` if not NULL, and
 * returns an enum command_exit. Supervisor only.
 */
#ifndef CLI_WHATIF_H
#define CLI_WHATIF_H

#include "harness/base/text.h"
#include "harness/cli/command.h"

int whatif_trace(const struct command_line *line, const char *path, FILE *json);
int whatif_clients(const struct command_line *line, FILE *json);

/* Begins a line of JSON in `text`; whatif_json_end writes it. Does nothing without `json`. */
void whatif_json_begin(struct text *text, const char *type);
void whatif_json_end(struct text *text, FILE *json);

/* A paragraph to stdout, wrapped at the terminal's width. */
void whatif_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
