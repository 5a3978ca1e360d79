/*
 * wire.h - what supervisor and worker say to each other, in one piece of shared memory.
 *
 * The supervisor (tidemark) creates a memfd, maps it, and starts the test program with the
 * descriptor inherited and its number in TIDEMARK_WIRE. The worker (libtidemark.so inside the
 * program) maps it in its constructor and closes the descriptor, so that a test which closes every
 * fd cannot cut the wire.
 *
 * The worker is dumb: it enumerates tests, then waits for commands and answers each with records,
 * closed by WIRE_DONE. Every decision (how often, how deep, what next) is the supervisor's.
 * A record is in shared memory before the next command can be read, so a dying worker loses
 * nothing.
 *
 *   HELLO MODULE* (TEST_NAME* READY (command: record* DONE)* )* COUNTER* HISTOGRAM* BYE
 *
 * FINISH ends a group: the program goes on and may offer another (a second srunner_run), whose
 * indices continue. COUNTER and HISTOGRAM come before the DONE of each FINISH and before BYE.
 *
 * Passive ways (HEADER, LIBC, and tests of flag PASSIVE) cannot repeat a test. They begin with a
 * READY of count 0, at which RUN with test WIRE_NO_TEST sets depth and flags for all that follows,
 * and FINISH lets the program start. TEST_NAME, SAMPLE and TEST then come as the tests go by,
 * without commands, and before the program ends a READY of all of them, at which SITES, SURVIVORS
 * and SCAN are answered.
 *
 *   +-----------+----------+---------------------+----------+----------------------------------+
 *   | header    | command  | progress            | crash    | ring of records (worker writes)   |
 *   +-----------+----------+---------------------+----------+----------------------------------+
 *
 * Runs in both processes: no malloc, no locks, errno kept. One writer and one reader on the ring.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_ENV     "TIDEMARK_WIRE" /* number of the inherited descriptor */
#define WIRE_WAY_ENV "TIDEMARK_WAY"  /* forces a way: symtab dynamic header libc program */
#define WIRE_PRELOAD_ENV                                                                           \
    "TIDEMARK_PRELOAD" /* bytes of LD_PRELOAD that are tidemark's; the rest is the user's */
#define WIRE_MAGIC      0x544d5752u
#define WIRE_VERSION    6u
#define WIRE_ID_MAX     512  /* bytes of a test id, NUL included; longer ids are cut and hashed */
#define WIRE_TEXT_MAX   1024 /* bytes of a message, NUL included */
#define WIRE_FRAMES_MAX 32   /* frames of an allocation stack */
#define WIRE_CRASH_MAX  64   /* frames of a crash stack */
#define WIRE_SITES_MAX  64   /* sites named in one scan command */
#define WIRE_CHAIN_MAX  16   /* links of a retention path */
#define WIRE_NO_TEST    UINT32_MAX
#define WIRE_RING_BYTES                                                                            \
    (512u << 10) /* of which a worker touches all, and it counts as its memory */

/* How closely allocations are watched. */
enum wire_depth {
    WIRE_COUNT = 1, /* counters only */
    WIRE_TRACE = 2, /* every live block with its stack and birth test */
};

enum wire_op {
    WIRE_OP_NONE = 0,
    WIRE_OP_RUN,   /* run one test, repeatedly; answers a SAMPLE for each repetition, or for
                      several in a row that are alike, then TEST */
    WIRE_OP_SITES, /* answers SITE for each site with live blocks (new ones with frames first) */
    WIRE_OP_SURVIVORS, /* answers SURVIVOR per (site, birth test) alive now */
    WIRE_OP_SCAN,      /* retention paths of the named sites: answers HELD */
    WIRE_OP_RELEASES,  /* who released what in the last RUN with WIRE_RELEASES, and what that has to
                          do with the named sites: answers RELEASE, after SITEs with new frames */
    WIRE_OP_FINISH,    /* end this group of tests: the program's main goes on */
};

enum wire_flag {
    WIRE_PEAK_RSS = 1,     /* reset the RSS high-water mark before the run, read it after */
    WIRE_STOP_ON_FAIL = 2, /* the first failing repetition is the last */
    WIRE_BIRTHS = 8, /* at trace depth: SITES then tells where the last repetition allocated, too */
    WIRE_FORKED = 4, /* each repetition in a forked child, whatever the test; no verdict follows */
    WIRE_NO_FLOORS = 16, /* SITE's floors are not asked for: they cost a look at every live block at
                            each boundary */
    WIRE_PEAK_RSS_EACH = 32, /* WIRE_PEAK_RSS of each repetition, in its SAMPLE */
    WIRE_RELEASES = 64, /* at trace depth: remembers the stacks that release something, and holds
                           released blocks back until RELEASES is answered or another RUN begins */
    WIRE_GIVEN = 128, /* with FORKED, at trace depth: answers GIVEN_TO for blocks of the named sites
                         that stay, before TEST */
    WIRE_WATCH = 256, /* at trace depth: what each site holds is kept up to date all the time, and
                         before TEST comes a SITE for each site that changed (see wire_site) */
    WIRE_SETTLE_WHOLE = 512,  /* the wait (settle_ns) is for what threads of all repetitions give
                                 back, not of this RUN only */
    WIRE_STOP_ON_MOVE = 1024, /* no repetition follows one whose boundary differs from that at the
                                 end of the RUN before, if that was of the same test */
    WIRE_NO_RETAINED = 2048,  /* TEST's retained blocks and bytes are not asked for, and 0: at trace
                                 depth they cost a look at every live block */
    WIRE_NO_QUEUED = 4096,    /* TEST's queued_ns is not asked of the kernel, which takes six system
                                 calls, unless the RUN before was of the same test and it slept:
                                 of a test that does not sleep it is known without, and else 0 */
    WIRE_NO_KERNEL = 8192, /* the kernel is not asked for descriptors and threads, where the hooks
                              saw no change, nor for TEST's rss_bytes, which is 0 */
};

/* Sent to a hanging worker, this signal makes it write its stack into `crash` (crash.signal is then
 * this number) and go on. Wait up to a second for crash.signal before killing it. */
#define WIRE_STACK_SIGNAL (SIGRTMAX - 3)

struct wire_command {
    uint32_t op;          /* enum wire_op */
    uint32_t test;        /* index from TEST_NAME */
    uint32_t depth;       /* enum wire_depth */
    uint32_t flags;       /* enum wire_flag */
    uint32_t warmups;     /* repetitions before the first that counts; not sampled */
    uint32_t repetitions; /* at least one, and no more once one has failed with STOP_ON_FAIL */
    uint32_t site_count;  /* for SCAN, RELEASES, and RUN with GIVEN */
    uint32_t pad;
    /* Most wall time of a repetition in a child that FORKED asks for: after that the child is
     * killed, and its status is TIMEOUT. 0: as long as the framework allows. A test that waits for
     * a thread waits for ever in a child, for no thread but its own lives there. */
    uint64_t child_ns;
    /* How long the worker may wait, after the last repetition of a RUN, for threads that free late;
     * 0: it does not wait. After a wait comes one more boundary: a SAMPLE whose `repetition` is the
     * number of repetitions, and which counts for the floors. See wire_test.settled_ns. */
    uint64_t settle_ns;
    uint32_t sites[WIRE_SITES_MAX];
};

enum wire_type {
    WIRE_HELLO = 1,
    WIRE_MODULE,    /* a loaded object; sent again when dlopen changed the list */
    WIRE_TEST_NAME, /* one per test, in order */
    WIRE_READY,     /* enumeration of a group ended; the worker waits for commands */
    WIRE_SAMPLE,
    WIRE_TEST,
    WIRE_SITE,
    WIRE_SURVIVOR,
    WIRE_HELD,
    WIRE_COUNTER,
    WIRE_HISTOGRAM,
    WIRE_NOTE, /* text for the person, e.g. what this way in cannot do */
    WIRE_DONE, /* the command is answered */
    WIRE_BYE,  /* the program is about to exit normally */
    WIRE_RELEASE,
    WIRE_GIVEN_TO,
    WIRE_FAMILY,
    WIRE_HEAP_ERROR, /* before the TEST that it belongs to */
    WIRE_CHILDREN,   /* before the TEST that it belongs to, if there were any */
};

/* How the boundaries are known. Best first. */
enum wire_way {
    WIRE_WAY_NONE = 0,
    WIRE_WAY_SYMTAB,  /* static framework, found in the symbol table and replaced */
    WIRE_WAY_DYNAMIC, /* shared framework, interposed by name */
    WIRE_WAY_HEADER,  /* tidemark.h in the program */
    WIRE_WAY_LIBC,    /* stripped: the calls the framework makes into libc; passive, and unforked
                         unless the environment says CK_FORK=yes: then a test's counts stay unseen */
    WIRE_WAY_PROGRAM, /* no boundaries: the whole program is one test */
};

struct wire_record { /* head of every record; `bytes` counts the whole record, padded to 8 */
    uint32_t type;
    uint32_t bytes;
};

struct wire_hello {
    struct wire_record head;
    int32_t pid;
    uint32_t way;       /* enum wire_way */
    char framework[32]; /* "libcheck", "cmocka", ... */
    char allocator[32]; /* "jemalloc", "glibc", "program" */
};

struct wire_module {
    struct wire_record head;
    uint64_t base; /* load bias: file address = runtime address - base */
    uint64_t start, end;
    uint8_t build_id[20];
    uint32_t build_id_bytes;
    char path[WIRE_ID_MAX];
};

enum wire_test_flag { WIRE_TEST_FORKED = 1, WIRE_TEST_PASSIVE = 2 };

struct wire_test_name {
    struct wire_record head;
    uint32_t test;
    uint32_t flags; /* enum wire_test_flag */
    uint32_t line;  /* 0 if unknown */
    uint32_t group; /* same number: must share a process (one TCase with unchecked fixtures) */
    char id[WIRE_ID_MAX];
    char file[WIRE_ID_MAX];
};

struct wire_ready {
    struct wire_record head;
    uint32_t first, count; /* the tests of this group */
};

/* The boundary vector: absolute values at the instant after a repetition's last teardown. */
struct wire_sample {
    struct wire_record head;
    uint32_t test;
    /* 0 is the first after the warm-ups; as many as there were: the boundary after a wait
     * (settle_ns). */
    uint32_t repetition;
    int64_t live_blocks;
    int64_t live_bytes;
    uint32_t fds;
    uint32_t threads;
    int64_t mappings; /* net mmap calls */
    int64_t mapped_bytes;
    uint32_t files;  /* temporary files made and not removed */
    uint32_t status; /* enum wire_status of this repetition */
    /* It stands for the boundaries of so many repetitions in a row, the last of which is
     * `repetition`: nothing in it differs between them. At least 1. */
    uint32_t boundaries;
    uint32_t children;       /* that nobody has waited for */
    uint64_t wall_ns;        /* of all repetitions together */
    uint64_t peak_rss_bytes; /* of this repetition; 0 when not asked for */
};

enum wire_status {
    WIRE_PASS = 0,
    WIRE_FAIL,
    WIRE_CRASH,
    WIRE_TIMEOUT,
    WIRE_OOM,
    WIRE_EXIT,
    WIRE_SKIP,
};

struct wire_test {
    struct wire_record head;
    uint32_t test;
    uint32_t status; /* enum wire_status: the worst of the repetitions */
    uint32_t repetitions;
    uint32_t warmups;
    uint64_t allocs, frees, bytes; /* of the last repetition, fixtures included */
    int64_t retained_bytes,
        retained_blocks;     /* born in the last repetition and alive at its boundary */
    int64_t peak_live_bytes; /* most live bytes at any time during this run of the test, after its
                                warm-ups */
    uint64_t peak_rss_bytes; /* 0 when not asked for */
    uint64_t wall_ns;        /* of the last repetition */
    int32_t signal;          /* of a forked test that died */
    uint32_t line;
    /* Repetitions, warm-ups included, that passed before the first that failed: above 0 the test
     * only fails when it is repeated in one process, and says nothing when run once or WIRE_FORKED.
     */
    uint32_t passed_before;
    uint32_t pad;
    uint64_t cpu_ns;     /* processor time of the process, all threads, in the repetitions: without
                            warm-ups and without the wait */
    uint64_t queued_ns;  /* wall time of the repetitions in which the thread that runs the tests
                            could  have run and had no processor; 0 where the kernel does not tell */
    uint64_t rss_bytes;  /* resident memory at the end of the RUN that no file or other process
                            has, too; 0 without WIRE_WATCH */
    uint64_t own_bytes;  /* mapped then by this library for itself; 0 without WIRE_WATCH */
    uint64_t settled_ns; /* how long was waited for threads; 0: there was no wait and no additional
                            SAMPLE */
    char message[WIRE_TEXT_MAX];
    char file[WIRE_ID_MAX];
};

/* What an allocation site holds. The record ends after the frames that it has: `head.bytes` may be
 * less than sizeof (struct wire_site).
 *
 * After a RUN with WIRE_WATCH one comes for each site whose live or floor values or family differ
 * from what was sent last, and for each that allocated in the RUN and holds something or ever held
 * something at a boundary. A site that was never sent holds nothing, and neither did it at any
 * boundary of a RUN with WIRE_WATCH; what was not sent again is as it was. */
struct wire_site {
    struct wire_record head;
    uint32_t site;
    uint32_t kind; /* enum wire_site_kind */
    int64_t live_blocks, live_bytes;
    /* The least at any boundary of the last RUN: of its repetitions, and the one after the wait. */
    int64_t floor_blocks, floor_bytes;
    /* Allocated in a RUN with WIRE_WATCH, its warm-ups and shared fixtures included; without WATCH
     * in the last repetition of a RUN with WIRE_BIRTHS; else 0. A realloc allocates. */
    int64_t born_blocks, born_bytes;
    uint32_t frame_count; /* 0 when sent before */
    uint32_t cut;         /* 1: the stack was deeper than WIRE_FRAMES_MAX */
    /* Sites between which realloc or mremap moved a block are one family, whose number is the
     * smallest of theirs: `site` itself for a site alone. That smallest may never have been sent.
     */
    uint32_t family;
    uint32_t pad;
    uint64_t frames[WIRE_FRAMES_MAX]; /* return addresses, innermost first */
};

/* After a RUN with WIRE_WATCH, for each family of two sites or more of which these values differ
 * from what was sent last: what its sites hold together. A block that goes back and forth between
 * two sites is at the floor of neither, and always at that of their family. */
struct wire_family {
    struct wire_record head;
    uint32_t family;
    uint32_t kind; /* enum wire_site_kind, of all of its sites */
    int64_t live_blocks, live_bytes;
    int64_t floor_blocks, floor_bytes; /* least at any boundary of the last RUN, as of a site */
};

enum wire_site_kind {
    WIRE_SITE_HEAP,
    WIRE_SITE_MMAP,
    WIRE_SITE_FD,
    WIRE_SITE_THREAD,
    WIRE_SITE_FILE,
    WIRE_SITE_CHILD,  /* a process that nobody has waited for */
    WIRE_SITE_RELEASE /* a stack that released something: nothing lives here */
};

struct wire_survivor {
    struct wire_record head;
    uint32_t site;
    uint32_t birth; /* test index; WIRE_NO_TEST for blocks born outside any test */
    int64_t blocks, bytes;
};

enum wire_root {
    WIRE_ROOT_NONE,
    WIRE_ROOT_GLOBAL,
    WIRE_ROOT_TLS,
    WIRE_ROOT_STACK,
    WIRE_ROOT_REGISTER
};

/* One step of the path: a block of `bytes` allocated by `site`; the word that holds it points `at`
 * so many bytes behind its beginning, and the word that holds the next block lies at `offset`. */
struct wire_link {
    uint32_t site;
    uint32_t at;
    uint64_t offset;
    uint64_t bytes;
};

struct wire_held {
    struct wire_record head;
    uint32_t site;
    uint32_t root;         /* enum wire_root; NONE: unreachable */
    int64_t blocks, bytes; /* of this site, in this state */
    uint64_t root_address; /* runtime address of the word that holds the first link */
    int32_t thread;        /* tid for TLS, STACK, REGISTER */
    uint32_t chain_count;
    /* For TLS: load bias of the object whose thread-local storage the word lies in, and where in
     * it; 0 and 0 if that is not known. */
    uint64_t tls_base, tls_offset;
    struct wire_link
        chain[WIRE_CHAIN_MAX]; /* from the root inwards; the last is the block itself */
};

enum wire_relation {                       /* of what was released to the named site */
                     WIRE_RELATION_KEPT,   /* none: so many of the site were born in the RUN and are
                                              alive */
                     WIRE_RELATION_NONE,   /* none is known, and no site is named: where things are
                                              released */
                     WIRE_RELATION_HOLDER, /* it pointed to a block of the site that stays, directly
                                              or through others that stay; the last that did */
                     WIRE_RELATION_MEMBER, /* such a block points to it; the last that was released
                                            */
};

struct wire_release {
    struct wire_record head;
    uint32_t relation; /* enum wire_relation */
    uint32_t site;     /* the named one; 0 with NONE */
    uint32_t born;     /* site of what was released; 0 with KEPT */
    uint32_t release;  /* site of kind RELEASE: the stack that released it; 0 with KEPT */
    uint32_t latest;   /* releases are numbered: the last of these */
    uint32_t pad;
    int64_t blocks; /* NONE: released; else: blocks of the site that stay, of which this is so */
};

/* A function of the program was given a block that stays, as one of its last (1, 2 ...). */
struct wire_given {
    struct wire_record head;
    uint32_t site;
    uint32_t order;
    uint32_t held;     /* 1: it was given the address of memory that points to it; 0: its own */
    uint32_t argument; /* 0 is the first. A function may not have so many: then the register held
                          something left over */
    uint32_t frame_count;
    uint32_t pad;
    uint64_t frames[WIRE_FRAMES_MAX]; /* the function's entry, exactly, then return addresses */
};

/* What was done to the heap that must not be. The test failed by it, whatever it says itself. */
enum wire_heap_kind {
    WIRE_HEAP_OVERRUN = 1,   /* the bytes behind a block were overwritten; known at trace depth */
    WIRE_HEAP_DAMAGED,       /* its header was: by an underrun, or by the block before */
    WIRE_HEAP_FREED_TWICE,   /* and refused */
    WIRE_HEAP_MIDDLE,        /* a pointer into a block was freed, and refused */
    WIRE_HEAP_FOREIGN,       /* a pointer to no block was freed, and refused */
    WIRE_HEAP_REALLOC_FREED, /* another block was given */
    WIRE_HEAP_SIZE,          /* operator delete was told another size */
};

enum wire_heap_at { WIRE_HEAP_AT_UNKNOWN, WIRE_HEAP_AT_STACK, WIRE_HEAP_AT_IMAGE };

#define WIRE_HEAP_UNKNOWN UINT64_MAX
#define WIRE_HEAP_MOST    8 /* errors of one repetition that are kept */

struct wire_heap_error {
    struct wire_record head;
    uint32_t test;
    uint32_t kind;    /* enum wire_heap_kind */
    uint64_t pointer; /* as it was passed */
    uint64_t block;   /* 0: none */
    uint64_t bytes;   /* of the block, as requested; WIRE_HEAP_UNKNOWN */
    uint64_t other;   /* MIDDLE: how far into it; SIZE: what it was told; DAMAGED: size of the block
                         before it, or 0; FOREIGN: enum wire_heap_at */
    uint32_t born_count, freed_count, here_count;
    uint32_t unsure; /* 1, of DAMAGED: it may also have been freed before, for libc writes there */
    /* Return addresses, innermost first: who allocated it and who freed it before, where that is
     * known (0 frames: it is not), and who did this. */
    uint64_t born[WIRE_FRAMES_MAX], freed[WIRE_FRAMES_MAX], here[WIRE_FRAMES_MAX];
};

/* What the program did, without stacks: "freed a block of 24 B a second time". */
void wire_heap_describe(const struct wire_heap_error *error, char *text, size_t room);

/* Processes that a test started, in the repetition that started most. */
struct wire_children {
    struct wire_record head;
    uint32_t test;
    uint32_t forked;   /* children that went on with the work of the test, and kept what they did */
    uint32_t programs; /* other programs, which are not watched */
    uint32_t followed; /* children that were followed to their end: what they lost is the test's */
    char program[128]; /* the first of them: a path, or a command of a shell */
};

/* Of the repetition that runs, by any thread of the worker or of its children. Those that are
 * filled when the worker dies were never sent. */
struct wire_heap {
    _Atomic uint32_t taken; /* slots, more than there are when some were lost */
    _Atomic uint32_t filled[WIRE_HEAP_MOST];
    struct wire_heap_error errors[WIRE_HEAP_MOST];
};

/* Objects that outlive the worker (ledger/object.h), made by it and not removed. Written by any
 * thread of the worker and of its children; read by the supervisor when all of them are gone. */
#define WIRE_OBJECTS_MOST 4096
#define WIRE_OBJECT_NAME  60 /* bytes, NUL included; what has a longer name is left */

enum wire_object_state { WIRE_OBJECT_NONE, WIRE_OBJECT_FILLING, WIRE_OBJECT_THERE };

struct wire_objects {
    struct {
        _Atomic uint32_t state; /* enum wire_object_state */
        char name[WIRE_OBJECT_NAME];
    } list[WIRE_OBJECTS_MOST];
};

struct wire_counter {
    struct wire_record head;
    char name[32];
    uint64_t value;
};

#define WIRE_BUCKETS 1920 /* log-linear: 32 sub-buckets per power of two, see base/histogram.h */
struct wire_histogram {
    struct wire_record head;
    char name[32];
    uint64_t count[WIRE_BUCKETS];
};

struct wire_note {
    struct wire_record head;
    char text[WIRE_TEXT_MAX];
};

struct wire_done {
    struct wire_record head;
    uint32_t sequence;
    uint32_t op;
    uint64_t took_ns; /* wall time from when the worker took the command */
    uint64_t cpu_ns;  /* and what its thread ran meanwhile */
};

/* Written by the worker as it goes; read by the supervisor at any time, in particular after a
 * death. */
struct wire_progress {
    _Atomic uint32_t test; /* running now, or WIRE_NO_TEST between tests */
    _Atomic uint32_t repetition;
    _Atomic uint64_t started_ns;  /* CLOCK_MONOTONIC when this repetition began; 0 between */
    _Atomic int64_t live_bytes;   /* at the last boundary */
    _Atomic uint64_t overhead_ns; /* spent by tidemark in the worker, boundaries and scans */
    _Atomic uint64_t own_bytes;   /* memory tidemark itself holds in the worker */
};

/* Filled by the worker's signal handler, or by its exit() and out-of-memory hooks. */
struct wire_crash {
    _Atomic uint32_t signal;  /* 0: none */
    _Atomic uint32_t exited;  /* 1: exit() was called during a test */
    _Atomic uint64_t refused; /* bytes of the first allocation that failed during a test */
    uint64_t address;         /* si_addr */
    uint32_t frame_count;
    int32_t thread;
    uint64_t frames[WIRE_CRASH_MAX];
};

struct wire {
    uint32_t magic, version;
    uint64_t bytes;          /* of the whole mapping */
    int32_t supervisor;      /* its pid */
    _Atomic int32_t claimed; /* pid of the worker: the first process in which tests can be found */
    _Atomic uint32_t command_sequence; /* futex: supervisor bumps after writing `command` */
    _Atomic uint32_t record_sequence;  /* futex: worker bumps after writing records */
    _Atomic uint32_t read_sequence;    /* futex: supervisor bumps after reading (ring was full) */
    _Atomic uint32_t read_awaited;     /* 1: the worker waits for that */
    uint32_t seed;
    _Atomic int32_t exec_error; /* errno, when the program could not be executed; else 0 */
    struct wire_command command;
    struct wire_progress progress;
    struct wire_crash crash;
    struct wire_heap heap;
    struct wire_objects objects;
    _Atomic uint64_t head; /* bytes ever written */
    _Atomic uint64_t tail; /* bytes ever read */
    _Alignas(64) unsigned char ring[WIRE_RING_BYTES];
};

/* Worker side. -----------------------------------------------------------------------------------
 */

/* Maps the wire named by WIRE_ENV. NULL when there is none. The descriptor stays open: this process
 * may only be a shell or a libtool script on the way to the test program. */
struct wire *wire_attach(void);

/* Makes this process the worker: closes the descriptor and takes the wire's variables out of the
 * environment, so that programs which the tests start are left alone. False when there is one
 * already; the wire is unmapped then. */
bool wire_claim(struct wire **wire);

/* Appends a record; waits while the ring is full. `record->bytes` must be set and a multiple of 8.
 * Does not wake the supervisor: wire_flush does. */
void wire_put(struct wire *wire, const void *record);
void wire_flush(struct wire *wire);

/* Waits for a command newer than *sequence, stores its sequence, copies it. */
void wire_command_wait(struct wire *wire, uint32_t *sequence, struct wire_command *command);

/* Supervisor side. -------------------------------------------------------------------------------
 */

/* A new wire; *fd is the memfd to be inherited (close-on-exec is off). NULL and errno on failure.
 */
struct wire *wire_new(int *fd);
void wire_free(struct wire **wire);

/* Copies the next record into `buffer` (WIRE_RECORD_MAX bytes). False when there is none. Damage
 * (the worker wrote over the ring or its head) or a record that wire_record_check refuses ends the
 * stream for good: false, *broken set, and wire_damage says which it was. A new type of record is a
 * row in wire_check.c. */
#define WIRE_RECORD_MAX (16u << 10)
bool wire_get(struct wire *wire, void *buffer, bool *broken);

/* Returns what is wrong with the shared memory, for a person, or NULL while nothing is. Everything
 * that only the supervisor writes is compared with the copies that it keeps out of reach. */
const char *wire_damage(struct wire *wire);

/* The pid that the worker claimed the wire with, as it was first seen by wire_damage or wire_get; 0
 * before. It is the worker's word: verify it before use. */
int32_t wire_claimed(const struct wire *wire);

/* Returns the command's sequence number, which its DONE repeats. */
uint32_t wire_command_send(struct wire *wire, const struct wire_command *command);

/* Sleeps until a record may be there, at most `timeout_ms`. Spurious wake-ups are allowed. */
void wire_record_wait(struct wire *wire, uint32_t seen_sequence, int timeout_ms);

#define WIRE_INIT(record, kind)                                                                    \
    (*(record) = (__typeof__(*(record))){.head = {.type = (kind), .bytes = sizeof *(record)}})

#endif
