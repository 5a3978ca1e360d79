/*
 * describe_answer.h - the answer: what a screen, a page and a summary begin with. One sentence or
 * two: what is wrong, where, how fast, until when it lasts; or that nothing is. The terminal, HTML,
 * Markdown and GitHub's summary take it from here. Supervisor only.
 */
#ifndef REPORT_DESCRIBE_ANSWER_H
#define REPORT_DESCRIBE_ANSWER_H

#include "harness/base/text.h"
#include "harness/result/result.h"

/* What the answer comes to, for a colour; the words say the same. */
enum answer {
    ANSWER_GOOD, /* nothing is wrong */
    ANSWER_OPEN, /* nothing is known to be wrong, and not everything was judged */
    ANSWER_BAD,
};

/* Appends the answer, never nothing: "mine/session/opens_a_session grows 56 B a repetition; held by
 * g_sessions, allocated in session_open (check_mine.c:12). 1 other test leaks or grows." */
enum answer describe_answer(struct text *text, const struct result *result);

#endif
