/* result_shard.h - are the files that were merged all shards of one run? Supervisor only. */
#ifndef RESULT_RESULT_SHARD_H
#define RESULT_RESULT_SHARD_H

#include "harness/base/diag.h"
#include "harness/result/result_read.h"

/* False: a shard is missing, broke off, is there twice, or is of another partition. `diag` names
 * the shard and its tests, as far as another shard's file knows them; they count as incomplete. */
bool result_shards_complete(struct result *result, const struct result_reader *reader,
                            struct diag *diag);

#endif
