/*
 * result_merge.h - several result files as one: shards of one run, parts of a suite, or the
 * programs of a project. Tests must be distinct, the suite the same unless each file is of a named
 * program; counts add up, peaks take the largest, quantiles of look-ups
 * cannot be put together and are left out. Supervisor only.
 */
#ifndef RESULT_RESULT_MERGE_H
#define RESULT_RESULT_MERGE_H

#include "harness/base/diag.h"
#include "harness/result/result_read.h"

enum result_merge {
    RESULT_MERGE_DONE,
    RESULT_MERGE_BAD,     /* a file cannot be read or is no result: exit 2 */
    RESULT_MERGE_REFUSED, /* the same test twice, different suites, a shard missing: exit 99 */
};

/* Reads all files, and those of folders (result_folder.h), into `result` (initialised by the
 * caller). What is wrong is in `diag`. A missing shard is named, counted as incomplete, and
 * everything that is there stays readable. */
enum result_merge result_merge(struct result *result, const char *const *paths, size_t count,
                               size_t sites_max, struct diag *diag);

/* The same for the programs of one hunt, which may be one shard of several: that others are missing
 * is no mistake, the shard stays named, and its partition is made of those of the programs. */
enum result_merge result_merge_programs(struct result *result, const char *const *paths,
                                        size_t count, size_t sites_max, struct diag *diag);

/* Variants of the same name become one, expectations of the same line become one. */
void result_merge_variants(struct result *result);

/* Sites of the whole suite with the same stack become one, with their ranks and shares. After
 * result_merge_variants. */
void result_merge_sites(struct result *result);

#endif
