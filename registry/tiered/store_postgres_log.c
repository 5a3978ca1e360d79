/*
 * store_postgres_log.c - see store_postgres_inside.h: the log of events in the PostgreSQL level,
 * and the claims by which one process of many loads. Runs in the process that caches.
 *
 * Writers run beside each other here. A put and an event of one key take the key's lock, so that
 * the put sees the event or the event removes what was put. Events take a common lock before it, so
 * that they become visible in the order of their numbers: who has read number 9 has read 8. Both
 * locks end with the transaction, after what it did can be seen; so they also hold behind a pooler
 * that gives each transaction another session.
 */
#include "registry/tiered/store_postgres_inside.h"

#include <string.h>

enum store_answer postgres_generation(void *store, uint64_t *generation)
{
    return postgres_number(store, "SELECT max(generation) FROM tidemark_event", generation);
}

enum store_answer postgres_events(void *store, uint64_t since,
                                  void (*each)(void *context, struct store_key key), void *context,
                                  uint64_t *upto)
{
    struct postgres *postgres = store;
    struct link_values values = {0};
    uint64_t base;
    *upto = since;
    if (postgres_number(postgres, "SELECT generation FROM tidemark_event WHERE key=''", &base) !=
        STORE_YES) {
        return STORE_DOWN;
    }
    if (since < base) {
        return postgres_generation(store, upto) == STORE_YES ? STORE_NO : STORE_DOWN;
    }
    pglink_with_number(&values, since);
    PGresult *result = postgres_ask(postgres,
                                    "SELECT key, generation FROM tidemark_event WHERE generation>$1"
                                    " ORDER BY generation",
                                    &values, false);
    if (!result) {
        return STORE_DOWN;
    }
    for (int i = 0; i < pglink_rows(result); i++) {
        struct store_key key;
        key.text = pglink_value(result, i, 0, &key.length);
        each(context, key);
        *upto = pglink_number(result, i, 1);
    }
    pglink_clear(result);
    return STORE_YES;
}

/* An event that the server refuses has not happened: NO. */
enum store_answer postgres_publish(void *store, struct store_key key, uint64_t now_ns)
{
    static const char event[] =
        "INSERT INTO tidemark_event(key, generation, at)"
        " SELECT $1::text, max(generation)+1, $2::bigint FROM tidemark_event"
        " ON CONFLICT(key) DO UPDATE SET generation=excluded.generation, at=excluded.at";
    struct postgres *postgres = store;
    const char *const sql[] = {event, postgres->table->drop,
                               "DELETE FROM tidemark_claim WHERE key=$1"};
    struct link_values values[3];
    pglink_with_number(pglink_with_key(&values[0], key), now_ns);
    pglink_with_key(&values[1], key);
    pglink_with_key(&values[2], key);
    return postgres_locked(postgres, key, true, sql, values, 3);
}

enum store_answer postgres_claim(void *store, struct store_key key, uint64_t owner, uint64_t now_ns,
                                 uint64_t until_ns)
{
    struct postgres *postgres = store;
    struct link_values values;
    uint64_t changed = 0;
    pglink_with_key(&values, key);
    pglink_with_number(&values, owner);
    pglink_with_number(&values, until_ns);
    pglink_with_number(&values, now_ns);
    enum store_answer answer =
        postgres_change(postgres,
                        "INSERT INTO tidemark_claim AS c VALUES($1, $2::bigint, $3::bigint)"
                        " ON CONFLICT(key) DO UPDATE SET owner=excluded.owner, until=excluded.until"
                        " WHERE c.until<=$4::bigint OR c.until>$4::bigint+2*($3::bigint-$4::bigint)"
                        " OR c.owner=excluded.owner",
                        &values, &changed);
    /* Where a claim cannot be written down nobody has one: to wait for its owner would be in vain.
     */
    bool unwritten = answer == STORE_NO && postgres->link.failure == LINK_REFUSED;
    return unwritten ? STORE_YES : answer;
}

enum store_answer postgres_release(void *store, struct store_key key, uint64_t owner)
{
    struct link_values values;
    uint64_t changed = 0;
    pglink_with_number(pglink_with_key(&values, key), owner);
    return postgres_change(store, "DELETE FROM tidemark_claim WHERE key=$1 AND owner=$2", &values,
                           &changed);
}
