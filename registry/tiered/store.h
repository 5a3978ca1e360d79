/*
 * store.h - one level of a tiered cache: a place that holds entries, in this process (memory),
 * beside it (Redis) or shared by all processes (SQLite, PostgreSQL).
 *
 * Invalidation goes by a log of events that the shared level keeps. Events are numbered; the number
 * is the log's generation. A value is good *as of* a generation: every event up to it is in the
 * value. A level above the log remembers up to which event it has been purged (applied), when that
 * was last checked (confirmed), and from which generation on its entries may be served at all
 * (floor). So a level that was away while something happened, or came back with old contents, or
 * empty, cannot serve what an event has forbidden.
 *
 * Times are nanoseconds of the caller's clock, a wall clock where processes share a store. Not
 * thread-safe: a store belongs to one thread. Nothing is shared over fork: open after it.
 */
#ifndef TIERED_STORE_H
#define TIERED_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_KEY_MAX       512u /* bytes of a key; key_name.h makes one of any key */
#define STORE_TROUBLE_BYTES 200u

enum store_answer {
    STORE_YES,  /* found, done, ours */
    STORE_NO,   /* not there, refused, another's */
    STORE_DOWN, /* the store cannot be asked: try again later, go on without it */
};

struct store_key {
    const char *text;
    size_t length;
};

struct store_entry {
    const void *data; /* of a get: good until the next call on this store */
    size_t bytes;
    uint64_t loaded_ns;  /* when the source was asked */
    uint64_t expires_ns; /* when the value is too old */
    uint64_t until_ns;   /* how long this level holds it */
    uint64_t as_of;      /* generation */
};

struct store_state { /* of a level above the log */
    bool known;      /* false: new, or lost its memory; nothing in it counts */
    uint64_t floor, applied, confirmed_ns;
};

/* An entry as a list has it. */
struct store_listed {
    struct store_key name; /* as stored, see key_name.h */
    uint64_t bytes, loaded_ns, expires_ns;
};

struct store_totals { /* of all processes; all 0: nobody counts */
#define TOTAL(name, words) uint64_t name;
#include "registry/tiered/store_total.def"
#undef TOTAL
    uint64_t since_ns; /* when the first of them was added */
};

struct store_limits { /* 0: none */
    uint64_t entries, bytes;
    bool existing; /* what is not there is not made, and what is damaged not thrown away: DOWN */
    uint64_t deadline_ns; /* of one call, real time [Redis 100 ms, SQLite 5 s, PostgreSQL 2 s] */
};

struct store_kind {
    const char *name;
    bool has_log;
    bool shared; /* other processes see it */
    /* NULL: no memory. A store that cannot be reached opens all the same and says DOWN when asked.
     */
    void *(*open)(const char *address, const struct store_limits *limits);
    void (*close)(void *store);
    /* Why it last said DOWN, or refused for another reason than an event: one line, "" if it never
     * did. */
    const char *(*trouble)(const void *store);
    /* The entry, however old, and the level's state (not of a store with a log: its entries are
     * good as of its generation, and that is what as_of says). */
    enum store_answer (*get)(void *store, struct store_key key, struct store_entry *entry,
                             struct store_state *state);
    /* NO: an event younger than entry->as_of forbids it, or it does not fit. */
    enum store_answer (*put)(void *store, struct store_key key, const struct store_entry *entry,
                             uint64_t now_ns);
    enum store_answer (*drop)(void *store, struct store_key key);
    /* Removes what has expired, and of the rest what is nearest to it while above the limits.
     * Events older than keep_ns are forgotten. */
    enum store_answer (*sweep)(void *store, uint64_t now_ns, uint64_t keep_ns, uint64_t *removed);
    enum store_answer (*usage)(void *store, uint64_t *entries, uint64_t *bytes);
    /* NO: the level was purged further already. */
    enum store_answer (*commit)(void *store, const struct store_state *state);
    /* All entries, the expired ones too, each once. `each` must not call the store. */
    enum store_answer (*list)(void *store,
                              void (*each)(void *context, const struct store_listed *entry),
                              void *context);
    /* Removes all entries. With a log it begins anew, at a higher generation: every level above
     * purges itself, and a load that is under way does not come back. */
    enum store_answer (*clear)(void *store, uint64_t *removed);
    /* Looks at the place as a whole and changes nothing. NO: it is damaged, `trouble` says how. */
    enum store_answer (*verify)(void *store);

    /* The log's; says NO where there is none. */
    enum store_answer (*generation)(void *store, uint64_t *generation);
    /* Each event behind `since`, oldest first. *upto: the generation then. NO: the log does not
     * reach back so far, all that was held is to be forgotten. */
    enum store_answer (*events)(void *store, uint64_t since,
                                void (*each)(void *context, struct store_key key), void *context,
                                uint64_t *upto);
    /* The event and the removal of the entry, both or neither. */
    enum store_answer (*publish)(void *store, struct store_key key, uint64_t now_ns);
    /* Of many processes one gets it, until it is released or `until_ns`. */
    enum store_answer (*claim)(void *store, struct store_key key, uint64_t owner, uint64_t now_ns,
                               uint64_t until_ns);
    enum store_answer (*release)(void *store, struct store_key key, uint64_t owner);
    /* Adds `part` to what all processes count, if it is not NULL; *sum is what that is then. */
    enum store_answer (*totals)(void *store, const struct store_totals *part,
                                struct store_totals *sum);
};

extern const struct store_kind store_memory; /* address: ignored */
extern const struct store_kind store_sqlite; /* address: the file */
/* address: a connection string. DOWN where libpq.so.5 cannot be loaded. Values are bytes in the
 * table of postgres_entry.sql, or JSON in that of cache_entries.sql, which an application may read
 * and write by itself. JSON comes back as PostgreSQL writes it: keys sorted, one space after ':'
 * and
 * ','. What is no JSON is refused. */
extern const struct store_kind store_postgres, store_postgres_json;
extern const struct store_kind store_redis; /* address: see redis_address.h; NULL: REDIS_URL */

/* For stores without a log. */
enum store_answer store_no_generation(void *store, uint64_t *generation);
enum store_answer store_no_events(void *store, uint64_t since,
                                  void (*each)(void *context, struct store_key key), void *context,
                                  uint64_t *upto);
enum store_answer store_no_publish(void *store, struct store_key key, uint64_t now_ns);
enum store_answer store_no_claim(void *store, struct store_key key, uint64_t owner, uint64_t now_ns,
                                 uint64_t until_ns);
enum store_answer store_no_release(void *store, struct store_key key, uint64_t owner);
enum store_answer store_no_totals(void *store, const struct store_totals *part,
                                  struct store_totals *sum);
/* For a store whose server looks after itself: YES. */
enum store_answer store_no_verify(void *store);

const char *store_no_trouble(const void *store);

/* The counters of store_total.def in its order: their names, and their places in the struct. */
#define STORE_TOTALS 9u
extern const char *const store_total_names[STORE_TOTALS];
uint64_t *store_total_at(struct store_totals *totals, unsigned which);
/* a = a - b, of each counter. */
void store_totals_subtract(struct store_totals *a, const struct store_totals *b);

/* A checksum, so that what was damaged on the way is a miss. */
uint64_t store_check(const void *data, size_t bytes);

/* A buffer that grows; what a get hands out lies in one. */
struct store_buffer {
    unsigned char *data;
    size_t room;
};
bool store_buffer_fit(struct store_buffer *buffer, size_t bytes); /* false: no memory */

#endif
