/* postgres_link.c - see postgres_link.h. Runs in the process that caches. */
#include "registry/tiered/postgres_link.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is used of libpq, as its manual has it. */
typedef struct pg_conn PGconn;
enum { CONNECTION_OK = 0, COMMAND_OK = 1, TUPLES_OK = 2 };
enum { POLLING_FAILED = 0, POLLING_READING = 1, POLLING_WRITING = 2, POLLING_OK = 3 };
#define DIAG_SQLSTATE 'C'
#define DIAG_PRIMARY  'M'

static struct libpq {
    void *library;
    PGconn *(*connect_start)(const char *info);
    int (*connect_poll)(PGconn *connection);
    int (*status)(const PGconn *connection);
    int (*socket)(const PGconn *connection);
    int (*set_nonblocking)(PGconn *connection, int on);
    char *(*error)(const PGconn *connection);
    void (*finish)(PGconn *connection);
    int (*send)(PGconn *connection, const char *sql);
    int (*send_params)(PGconn *connection, const char *sql, int count, const unsigned *types,
                       const char *const *values, const int *lengths, const int *formats,
                       int result_format);
    int (*flush)(PGconn *connection);
    int (*consume)(PGconn *connection);
    int (*is_busy)(PGconn *connection);
    PGresult *(*get_result)(PGconn *connection);
    int (*result_status)(const PGresult *result);
    char *(*result_field)(const PGresult *result, int field);
    int (*tuples)(const PGresult *result);
    char *(*value)(const PGresult *result, int row, int column);
    int (*length)(const PGresult *result, int row, int column);
    int (*is_null)(const PGresult *result, int row, int column);
    char *(*changed)(PGresult *result);
    void (*clear)(PGresult *result);
} pq;

static const struct {
    const char *name;
    size_t at;
} symbols[] = {
    {"PQconnectStart", offsetof(struct libpq, connect_start)},
    {"PQconnectPoll", offsetof(struct libpq, connect_poll)},
    {"PQstatus", offsetof(struct libpq, status)},
    {"PQsocket", offsetof(struct libpq, socket)},
    {"PQsetnonblocking", offsetof(struct libpq, set_nonblocking)},
    {"PQerrorMessage", offsetof(struct libpq, error)},
    {"PQfinish", offsetof(struct libpq, finish)},
    {"PQsendQuery", offsetof(struct libpq, send)},
    {"PQsendQueryParams", offsetof(struct libpq, send_params)},
    {"PQflush", offsetof(struct libpq, flush)},
    {"PQconsumeInput", offsetof(struct libpq, consume)},
    {"PQisBusy", offsetof(struct libpq, is_busy)},
    {"PQgetResult", offsetof(struct libpq, get_result)},
    {"PQresultStatus", offsetof(struct libpq, result_status)},
    {"PQresultErrorField", offsetof(struct libpq, result_field)},
    {"PQntuples", offsetof(struct libpq, tuples)},
    {"PQgetvalue", offsetof(struct libpq, value)},
    {"PQgetlength", offsetof(struct libpq, length)},
    {"PQgetisnull", offsetof(struct libpq, is_null)},
    {"PQcmdTuples", offsetof(struct libpq, changed)},
    {"PQclear", offsetof(struct libpq, clear)},
};

static void library_load(void)
{
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; library && i < sizeof symbols / sizeof symbols[0]; i++) {
        void *symbol = dlsym(library, symbols[i].name);
        if (!symbol) {
            dlclose(library);
            return;
        }
        memcpy((char *)&pq + symbols[i].at, &symbol, sizeof symbol);
    }
    pq.library = library;
}

/* Trouble. --------------------------------------------------------------------------------------
 */

/* Keeps the first line of a message. */
static void trouble(struct postgres_link *link, enum link_failure failure, const char *message)
{
    link->failure = failure;
    link->late = false;
    snprintf(link->trouble, sizeof link->trouble, "postgres: %.*s", (int)strcspn(message, "\n"),
             message);
}

void pglink_close(struct postgres_link *link)
{
    if (link->connection) {
        pq.finish(link->connection);
        link->connection = NULL;
    }
}

static void broken(struct postgres_link *link, const char *message)
{
    trouble(link, LINK_GONE, message);
    pglink_close(link);
}

static void too_late(struct postgres_link *link, const char *message)
{
    broken(link, message);
    link->late = true;
}

/* Classes of SQLSTATE, and single ones, with which the server says that this will not do, now or
 * ever: the store is no worse for it. */
static bool is_refusal(const char *state)
{
    static const char *const beginnings[] = {
        "22",    /* the data: not JSON, not UTF-8, a zero byte in JSON */
        "25006", /* read-only */
        "42501", /* not allowed, by a grant or by a policy */
        "53100", /* the disk is full */
        "54000", /* too large for an index, or for the server */
    };
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        if (strncmp(state, beginnings[i], strlen(beginnings[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes a result that is none, and tells why. */
static void failed(struct postgres_link *link, PGresult *result)
{
    const char *state = result ? pq.result_field(result, DIAG_SQLSTATE) : NULL;
    const char *message = result ? pq.result_field(result, DIAG_PRIMARY) : NULL;
    snprintf(link->state, sizeof link->state, "%s", state ? state : "");
    trouble(link, is_refusal(link->state) ? LINK_REFUSED : LINK_FAILED,
            message ? message : pq.error(link->connection));
    pq.clear(result);
    if (pq.status(link->connection) != CONNECTION_OK) {
        link->failure = LINK_GONE;
        pglink_close(link);
    }
}

/* Waiting. --------------------------------------------------------------------------------------
 */

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Waits until the socket is ready for one of `events`; false: the deadline has passed. */
static bool await(const struct postgres_link *link, short events, uint64_t until_ns)
{
    struct pollfd poll_fd = {.fd = pq.socket(link->connection), .events = events};
    for (;;) {
        uint64_t now = clock_ns();
        if (now >= until_ns || poll_fd.fd < 0) {
            return false;
        }
        uint64_t left_ms = (until_ns - now) / 1000000 + 1;
        int ready = poll(&poll_fd, 1, left_ms > 3600000 ? 3600000 : (int)left_ms);
        if (ready > 0) {
            return true;
        }
        if (ready < 0 && errno != EINTR) {
            return false;
        }
    }
}

static bool connect_within(struct postgres_link *link)
{
    uint64_t until = clock_ns() + link->deadline_ns;
    link->connection = pq.connect_start(link->address);
    if (!link->connection) {
        trouble(link, LINK_GONE, "no memory");
        return false;
    }
    int polling = pq.status(link->connection) == 1 /* BAD */ ? POLLING_FAILED : POLLING_WRITING;
    while (polling == POLLING_READING || polling == POLLING_WRITING) {
        if (!await(link, polling == POLLING_READING ? POLLIN : POLLOUT, until)) {
            too_late(link, "no connection within the deadline");
            return false;
        }
        polling = pq.connect_poll(link->connection);
    }
    if (polling != POLLING_OK || pq.set_nonblocking(link->connection, 1) != 0) {
        broken(link, pq.error(link->connection));
        return false;
    }
    return true;
}

bool pglink_ready(struct postgres_link *link)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (link->connection) {
        return true;
    }
    pthread_once(&once, library_load);
    if (!pq.library) {
        trouble(link, LINK_GONE, "libpq.so.5 cannot be loaded (Debian's package libpq5)");
        return false;
    }
    if (!connect_within(link)) {
        return false;
    }
    if (!link->prepare(link, link->context)) {
        pglink_close(link);
        return false;
    }
    return true;
}

/* Statements. -----------------------------------------------------------------------------------
 */

/* Sends what libpq holds back. It must read meanwhile, or both sides could wait for each other. */
static bool flushed(struct postgres_link *link, uint64_t until)
{
    int left;
    while ((left = pq.flush(link->connection)) > 0) {
        if (!await(link, POLLIN | POLLOUT, until) || !pq.consume(link->connection)) {
            break;
        }
    }
    return left == 0;
}

/* The last result of what was sent; NULL, and the connection closed, where there is none in time.
 */
static PGresult *result_within(struct postgres_link *link, uint64_t until)
{
    PGresult *last = NULL, *next;
    if (!flushed(link, until)) {
        goto gone;
    }
    do {
        while (pq.is_busy(link->connection)) {
            if (!await(link, POLLIN, until) || !pq.consume(link->connection)) {
                goto gone;
            }
        }
        next = pq.get_result(link->connection);
        if (next) {
            pq.clear(last);
            last = next;
        }
    } while (next);
    return last;
gone:
    pq.clear(last);
    if (clock_ns() >= until) {
        too_late(link, "no answer within the deadline");
    } else {
        broken(link, pq.error(link->connection));
    }
    return NULL;
}

static PGresult *checked(struct postgres_link *link, PGresult *result)
{
    if (!link->connection) {
        return NULL;
    }
    int status = result ? pq.result_status(result) : -1;
    if (status == COMMAND_OK || status == TUPLES_OK) {
        link->failure = LINK_WELL;
        return result;
    }
    failed(link, result);
    return NULL;
}

bool pglink_run(struct postgres_link *link, const char *sql)
{
    uint64_t until = clock_ns() + link->deadline_ns;
    if (!link->connection) {
        return false;
    }
    if (!pq.send(link->connection, sql)) {
        broken(link, pq.error(link->connection));
        return false;
    }
    PGresult *result = checked(link, result_within(link, until));
    pq.clear(result);
    return result != NULL;
}

PGresult *pglink_ask(struct postgres_link *link, const char *sql, const struct link_values *values,
                     bool binary)
{
    uint64_t until = clock_ns() + link->deadline_ns;
    if (!link->connection) {
        return NULL;
    }
    if (!pq.send_params(link->connection, sql, values->count, NULL, values->value, values->length,
                        values->binary, binary)) {
        broken(link, pq.error(link->connection));
        return NULL;
    }
    return checked(link, result_within(link, until));
}

struct link_values *pglink_with_key(struct link_values *values, struct store_key key)
{
    assert(key.length <= STORE_KEY_MAX);
    values->count = 1;
    values->length[0] = values->binary[0] = 0;
    memcpy(values->key, key.text, key.length);
    values->key[key.length] = 0;
    values->value[0] = values->key;
    return values;
}

void pglink_with_number(struct link_values *values, uint64_t number)
{
    int i = values->count++;
    snprintf(values->number[i], sizeof values->number[i], "%lld", (long long)number);
    values->value[i] = values->number[i];
    values->length[i] = values->binary[i] = 0;
}

void pglink_with_bytes(struct link_values *values, const void *data, size_t bytes)
{
    int i = values->count++;
    values->value[i] = bytes ? data : "";
    values->length[i] = (int)bytes;
    values->binary[i] = 1;
}

int pglink_rows(const PGresult *result)
{
    return pq.tuples(result);
}

const char *pglink_value(const PGresult *result, int row, int column, size_t *bytes)
{
    *bytes = (size_t)pq.length(result, row, column);
    return pq.value(result, row, column);
}

uint64_t pglink_number(const PGresult *result, int row, int column)
{
    return pq.tuples(result) > row ? strtoull(pq.value(result, row, column), NULL, 10) : 0;
}

uint64_t pglink_big_endian(const PGresult *result, int row, int column)
{
    uint64_t value = 0;
    const unsigned char *at = (const unsigned char *)pq.value(result, row, column);
    for (int i = 0; i < pq.length(result, row, column); i++) {
        value = value << 8 | at[i];
    }
    return value;
}

bool pglink_is_null(const PGresult *result, int row, int column)
{
    return pq.is_null(result, row, column) != 0;
}

uint64_t pglink_changed(PGresult *result)
{
    return strtoull(pq.changed(result), NULL, 10);
}

void pglink_clear(PGresult *result)
{
    pq.clear(result);
}
