/*
 * herd.h - processes that are let loose on one cache file together, and the order in which they
 * meet forced: what goes wrong by luck elsewhere goes wrong here every time.
 *
 * Each process passes named steps. A rule says: who comes to this step waits until that step has
 * been passed so many times. Counters and results are in memory that all share.
 */
#ifndef PROVIDER_HERD_H
#define PROVIDER_HERD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HERD_MOST 64

enum step {
    STEP_START,
    STEP_ARRIVED,  /* once a process: it found the lock held, or asks the source */
    STEP_BUSY,     /* each time that it found the lock held */
    STEP_GAVE_UP,  /* it waits no longer */
    STEP_LOCKED,   /* has the lock, has not looked again */
    STEP_FETCHING, /* asks the source */
    STEP_OPENING,  /* before the temporary file is opened (and emptied) */
    STEP_OPENED,
    STEP_WRITTEN,
    STEP_RENAMED,
    STEP_UNLOCKED,
    STEP_LOOKED, /* a test's own */
    STEP_COUNT,
};

struct rule {
    int process; /* -1: any */
    enum step at, until;
    unsigned times;
};

/* How a look-up ended. */
enum ending {
    ENDING_NONE, /* the process died */
    ENDING_HIT,
    ENDING_FETCHED,
    ENDING_OLD,         /* an old file, or what is compiled in */
    ENDING_TIMEOUT,     /* an error: the lock */
    ENDING_NOT_WRITTEN, /* an error: temporary file or rename */
    ENDING_CORRUPT,     /* an error: what it read is no document */
    ENDING_NO_SOURCE,   /* an error */
    ENDING_COUNT,
};

#define HERD_PATH 4096 /* of the file, wherever TMPDIR is */

struct herd {
    _Atomic unsigned steps[STEP_COUNT];
    _Atomic unsigned fetches; /* that the source saw */
    struct rule rules[8];
    unsigned count;
    char path[HERD_PATH];
    int port;                  /* of the HTTP upstream; 0: the source is the herd's own counter */
    unsigned latency_ms, most; /* of the HTTP upstream; most: requests that it takes at a time */
    bool impatient;            /* the clock of the waiting is virtual: a wait is over at once */
    bool real;        /* waits are as long as the incident's: 10 x 100 ms, and then stale */
    unsigned kill_at; /* SIGKILL before the nth piece is written; 0: none */
    bool fallback;    /* a registry is compiled in */
    _Atomic uint8_t endings[HERD_MOST];
    _Atomic uint32_t serials[HERD_MOST]; /* of the document that it got */
    _Atomic uint64_t took_ns[HERD_MOST];
};

/* In the process itself. */
struct member {
    struct herd *herd;
    unsigned index;
    bool arrived;
    unsigned pieces;
    uint64_t virtual_ns;
};
void member_step(struct member *member, enum step step);
void member_arrive(struct member *member); /* STEP_ARRIVED, the first time */
void member_piece(struct member *member);  /* before each of about 64 pieces is written */
/* One more fetch: writes the document to `text`. False: the source is gone. */
bool member_fetch(struct member *member, char *text, size_t room, size_t *length);

struct herd *herd_new(const char *path, unsigned count);
void herd_rule(struct herd *herd, int process, enum step at, enum step until, unsigned times);
/* Starts `count` processes that each call `load`, and waits for them. */
typedef enum ending herd_load(struct member *member);
void herd_run(struct herd *herd, herd_load *load);
/* The two halves of it. */
void herd_begin(struct herd *herd, herd_load *load, pid_t pids[HERD_MOST]);
void herd_end(struct herd *herd, const pid_t pids[HERD_MOST]);
void herd_wait(struct herd *herd, enum step step, unsigned times);
unsigned herd_ended(const struct herd *herd, enum ending ending);
void herd_free(struct herd **herd);

/* The document with a serial number: a list of providers that proves itself. */
#define DOCUMENT_BYTES 4096
size_t document_write(char *text, size_t room, uint32_t serial);
bool document_check(const char *text, size_t bytes, uint32_t *serial);

#endif
