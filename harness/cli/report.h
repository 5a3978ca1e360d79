/* report.h - several results as one file. Supervisor only. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "harness/result/result.h"

/* Writes the result that was merged of these files to `json`: lines are copied from file to file,
 * so memory does not grow with them. Returns false after a message. */
bool report_merged_write(const struct result *result, const char *json, char *const *paths,
                         size_t count);

#endif
