/* location.h - where in the source a finding belongs: what annotations, code quality and SARIF
 * point at. Paths are relative to the repository, whatever folder the compiler was called in: a
 * host shows no annotation on a file that its repository does not have. Supervisor only. */
#ifndef REPORT_LOCATION_H
#define REPORT_LOCATION_H

#include "harness/base/text.h"
#include "harness/result/result.h"

#include <stdio.h>

struct location {
    const char *file; /* as location_relative gives it; "" if unknown */
    unsigned line;    /* at least 1 */
};

/* The innermost line of the repository that allocated what stayed, or where the test died or
 * failed, else the test itself. */
struct location location_of_test(const struct result *result, const struct result_test *test);
/* The innermost of these frames whose file is in the repository, else the one that a person wants
 * to see first; NULL without frames. */
const struct result_frame *location_frame(const struct result_frame *frames, size_t count);
struct location location_of_frame(const struct result_frame *frame);
/* The last part of a path. Borrowed from `path`. */
const char *location_name(const char *path);

/* The folder that paths are relative to. When it was not set: GITHUB_WORKSPACE, CI_PROJECT_DIR, the
 * folder above the working one that has a .git, the working folder; the first that is there. */
void location_root_set(const char *root);
/* `path` as the repository has it: "src/x.c" for "../src/x.c" of a build folder, or for
 * "/home/somebody/project/src/x.c" of another machine, when there is such a file here. Without one,
 * below the working folder's name and without "./" and "../". Lives as long as the process. */
const char *location_relative(const char *path);
/* Is it a file of the repository? */
bool location_inside(const char *path);
/* Where a browser shows the sources: "https://github.com/o/r/blob/1a2b3c", with a file's path
 * behind it. NULL: what the CI system's environment says of itself, if it is GitHub's or GitLab's.
 * Returns false if it is not https or http: the page would run it. */
bool location_url_set(const char *url);
/* Appends the address of a line of the repository. False, and nothing, if it has none. */
bool location_url(struct text *text, struct location location);
/* The source, to be read: that of the repository, else the one that was compiled. NULL: none of
 * them is a file here. The caller closes it. */
FILE *location_open(const char *path);

#endif
