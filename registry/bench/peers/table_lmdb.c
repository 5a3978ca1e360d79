/* table_lmdb.c - an LMDB file that keeps all: a read transaction that is renewed for each look-up,
 * a write transaction for each miss, without sync. */
#if __has_include(<lmdb.h>)
#include "registry/bench/peers/lru_peer.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct lmdb_table {
    MDB_env *env;
    MDB_txn *reading; /* reset between look-ups */
    MDB_dbi table;
};

static void must(int status)
{
    if (status != 0) {
        fprintf(stderr, "lmdb: %s\n", mdb_strerror(status));
        abort();
    }
}

static void *lmdb_init(size_t capacity)
{
    struct lmdb_table *lmdb = calloc(1, sizeof *lmdb);
    MDB_txn *writing;
    char path[] = "/tmp/tidemark-lmdb.XXXXXX";
    (void)capacity;
    int file = mkstemp(path);
    must(file < 0);
    close(file);
    must(mdb_env_create(&lmdb->env));
    must(mdb_env_set_mapsize(lmdb->env, (size_t)1 << 30));
    must(
        mdb_env_open(lmdb->env, path, MDB_NOSUBDIR | MDB_NOSYNC | MDB_WRITEMAP | MDB_NOLOCK, 0600));
    unlink(path);
    must(mdb_txn_begin(lmdb->env, NULL, 0, &writing));
    must(mdb_dbi_open(writing, NULL, 0, &lmdb->table));
    must(mdb_txn_commit(writing));
    must(mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &lmdb->reading));
    mdb_txn_reset(lmdb->reading);
    return lmdb;
}

/* The value is borrowed from the map; it stays there, since nothing is ever overwritten but pages
 * that no longer hold it, and that by the next put at the earliest. */
static const void *lmdb_get(void *state, const char *key, size_t length, size_t *bytes)
{
    struct lmdb_table *lmdb = state;
    MDB_val wanted = {length, (void *)key}, value;
    must(mdb_txn_renew(lmdb->reading));
    int status = mdb_get(lmdb->reading, lmdb->table, &wanted, &value);
    mdb_txn_reset(lmdb->reading);
    if (status == MDB_NOTFOUND) {
        return NULL;
    }
    must(status);
    *bytes = value.mv_size;
    return value.mv_data;
}

static void lmdb_put(void *state, const char *key, size_t length, const void *value, size_t bytes)
{
    struct lmdb_table *lmdb = state;
    MDB_val wanted = {length, (void *)key}, data = {bytes, (void *)value};
    MDB_txn *writing;
    must(mdb_txn_begin(lmdb->env, NULL, 0, &writing));
    must(mdb_put(writing, lmdb->table, &wanted, &data, 0));
    must(mdb_txn_commit(writing));
}

static void lmdb_fini(void *state)
{
    struct lmdb_table *lmdb = state;
    mdb_txn_abort(lmdb->reading);
    mdb_env_close(lmdb->env);
    free(lmdb);
}

static size_t lmdb_held(void *state)
{
    struct lmdb_table *lmdb = state;
    MDB_envinfo info;
    MDB_stat statistics;
    mdb_env_info(lmdb->env, &info);
    mdb_env_stat(lmdb->env, &statistics);
    return (info.me_last_pgno + 1) * statistics.ms_psize;
}

const struct lru_peer lru_peer_lmdb = {
    .name = "LMDB",
    .row = "lmdb-table",
    .about = "an LMDB file without sync, keeps all",
    .init = lmdb_init,
    .get = lmdb_get,
    .put = lmdb_put,
    .fini = lmdb_fini,
    .held = lmdb_held,
};
#endif
