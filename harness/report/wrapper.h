/*
 * wrapper.h - functions that only pass an allocation on (xmalloc, my_strdup, an allocator's
 * layers): what a person wants named is who calls them. A function is one when it allocates at a
 * single line and at least three functions reach the allocation through it. Supervisor only.
 */
#ifndef REPORT_WRAPPER_H
#define REPORT_WRAPPER_H

#include "harness/result/result.h"

struct wrappers;

/* From the births of both, which must outlive it. */
struct wrappers *wrappers_new(const struct result *base, const struct result *head);
void wrappers_free(struct wrappers **wrappers);

/* The frame to name: as describe_place, but behind the wrappers; what a test calls is named rather
 * than the test, whose source file is `tests`. NULL without frames. */
const struct result_frame *wrappers_place(const struct wrappers *wrappers, const char *tests,
                                          const struct result_frame *frames, size_t count);

#endif
