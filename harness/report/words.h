/* words.h - the words of verdicts, statuses, findings, columns and metrics, from words.def and
 * metric.def: for the man pages, the glossary and `tidemark explain`. Supervisor only. */
#ifndef REPORT_WORDS_H
#define REPORT_WORDS_H

#include <stddef.h>

struct word {
    const char *kind, *word; /* kinds follow each other */
    const char *means;
    const char *action; /* what to do; "" if there is nothing to say */
    const char *doubt;  /* of a verdict, when it would be wrong; "" */
};

extern const struct word words[];
extern const size_t word_count;

/* NULL: there is none. */
const struct word *word_find(const char *kind, const char *word);

#endif
