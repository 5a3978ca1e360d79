/*
 * postgres_link.h - one connection to a PostgreSQL server, for the store of store_postgres.h: libpq
 * loaded when a server is asked for, a deadline on every call, and what went wrong in one line.
 * Runs in the process that caches; one thread at a time.
 *
 * No call waits longer than the deadline, also for a server that is stopped or a network that
 * swallows packets: libpq's own calls would. A query that is given up closes the connection, and
 * the server ends it by its statement_timeout.
 */
#ifndef TIERED_POSTGRES_LINK_H
#define TIERED_POSTGRES_LINK_H

#include "registry/tiered/store.h"

typedef struct pg_result PGresult;
struct pg_conn;

enum link_failure {
    LINK_WELL,    /* the last call succeeded */
    LINK_GONE,    /* no connection, or it broke, or the deadline passed */
    LINK_REFUSED, /* the server lives and does not take this: read-only, not allowed, not JSON, full
                   */
    LINK_FAILED,  /* any other error of the server, a statement that took too long among them */
};

struct postgres_link {
    char *address; /* what libpq takes: "host=... dbname=..." or postgresql://... */
    uint64_t deadline_ns;
    struct pg_conn *connection;
    /* Called once on each new connection; false ends it. */
    bool (*prepare)(struct postgres_link *link, void *context);
    void *context;
    enum link_failure failure; /* of the last call */
    bool late;                 /* it failed because the deadline passed */
    char state[6];             /* its SQLSTATE, if the server gave one */
    char trouble[STORE_TROUBLE_BYTES];
};

#define LINK_VALUES 6
struct link_values {
    int count;
    const char *value[LINK_VALUES];
    int length[LINK_VALUES], binary[LINK_VALUES];
    char number[LINK_VALUES][24];
    char key[STORE_KEY_MAX + 1];
};

/* Values of a statement, $1 first. */
struct link_values *pglink_with_key(struct link_values *values, struct store_key key);
void pglink_with_number(struct link_values *values, uint64_t number);
void pglink_with_bytes(struct link_values *values, const void *data, size_t bytes);

/* Connects where there is no connection. */
bool pglink_ready(struct postgres_link *link);
void pglink_close(struct postgres_link *link);
/* Runs statements without values, of which the last one's result counts; false: see `failure`. */
bool pglink_run(struct postgres_link *link, const char *sql);
/* Runs one statement. Results are binary where `binary`. NULL: see `failure`. */
PGresult *pglink_ask(struct postgres_link *link, const char *sql, const struct link_values *values,
                     bool binary);

/* Of a result. */
int pglink_rows(const PGresult *result);
const char *pglink_value(const PGresult *result, int row, int column, size_t *bytes);
uint64_t pglink_number(const PGresult *result, int row, int column);     /* from text */
uint64_t pglink_big_endian(const PGresult *result, int row, int column); /* from binary; NULL: 0 */
bool pglink_is_null(const PGresult *result, int row, int column);
uint64_t pglink_changed(PGresult *result);
void pglink_clear(PGresult *result);

#endif
