/*
 * thread.c - see thread.h. Runs in the worker.
 *
 * Threads come and go without telling: a slot whose thread id is no longer alive is taken over,
 * counters and all, by the next thread that needs one. Nothing here blocks.
 */
#include "harness/ledger/thread.h"

#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#define SLOTS_PER_CHUNK 128u
#define CHUNKS_MOST     512u

struct thread thread_nobody = {.busy = 1}; /* nothing is traced before there is a thread */
__thread struct thread *thread_self __attribute__((tls_model("initial-exec"))) = &thread_nobody;

static struct thread first_chunk[SLOTS_PER_CHUNK]; /* the usual program never needs another */
static _Atomic(struct thread *) chunks[CHUNKS_MOST] = {first_chunk};

/* Slots in use, and how many that may become before the dead are looked for. */
static _Atomic uint32_t slots_used, slots_bearable = 8;

/* No slot from here on was ever taken. Only ever rises, before its thread counts anything. */
static _Atomic uint32_t slots_end;

static _Atomic size_t small_end;
static _Atomic bool threaded;
static _Atomic(struct thread *) only; /* the one thread that allocates, while !threaded */
static _Atomic int64_t published_live, published_peak;

static void slot_known(uint32_t index)
{
    uint32_t end = atomic_load(&slots_end);
    while (end <= index && !atomic_compare_exchange_weak(&slots_end, &end, index + 1)) {
    }
}

static struct thread *slot_take(int32_t tid, int32_t wanted, int32_t pid)
{
    for (uint32_t c = 0; c < CHUNKS_MOST && chunks[c] != NULL; c++) {
        struct thread *chunk = chunks[c];
        for (uint32_t i = 0; i < SLOTS_PER_CHUNK; i++) {
            int32_t expected = wanted;
            if (atomic_load_explicit(&chunk[i].tid, memory_order_relaxed) == wanted &&
                (wanted == 0 || chunk[i].pid == pid) &&
                atomic_compare_exchange_strong(&chunk[i].tid, &expected, tid)) {
                slot_known(c * SLOTS_PER_CHUNK + i);
                return &chunk[i];
            }
        }
    }
    return NULL;
}

/* Frees the slots of threads that ended. Each look costs a system call a slot: so only when the
 * slots in use have doubled since the last. */
static void slots_sweep(int32_t pid)
{
    uint32_t alive = 0;
    for (uint32_t c = 0; c < CHUNKS_MOST && chunks[c] != NULL; c++) {
        struct thread *chunk = chunks[c];
        for (uint32_t i = 0; i < SLOTS_PER_CHUNK; i++) {
            int32_t tid = atomic_load_explicit(&chunk[i].tid, memory_order_relaxed);
            if (tid == 0 || chunk[i].pid != pid) {
                continue;
            }
            if (kernel_call(SYS_tgkill, pid, tid, 0, 0, 0, 0) != 0) {
                atomic_compare_exchange_strong(&chunk[i].tid, &tid, 0);
            } else {
                alive++;
            }
        }
    }
    slots_used = alive;
    slots_bearable = 2 * alive + 8;
}

static struct thread *slot_new(int32_t tid)
{
    struct thread *chunk = meter_own_map(SLOTS_PER_CHUNK * sizeof *chunk);
    if (chunk == NULL) {
        return &first_chunk[0]; /* counts of two threads may then run together */
    }
    atomic_store_explicit(&chunk[0].tid, tid, memory_order_relaxed);
    for (uint32_t c = 1; c < CHUNKS_MOST; c++) {
        struct thread *none = NULL;
        if (atomic_compare_exchange_strong(&chunks[c], &none, chunk)) {
            slot_known(c * SLOTS_PER_CHUNK);
            return &chunk[0];
        }
    }
    meter_own_unmap(chunk, SLOTS_PER_CHUNK * sizeof *chunk);
    return &first_chunk[0];
}

struct thread *thread_begin(void)
{
    int32_t tid = kernel_tid();
    int32_t pid = kernel_pid();
    struct thread *self = slot_take(tid, tid, pid); /* a dead thread had the same number */
    if (self == NULL) {
        if (slots_used >= slots_bearable) {
            slots_sweep(pid);
        }
        slots_used++;
        self = slot_take(tid, 0, pid);
    }
    if (self == NULL) {
        self = slot_new(tid);
    }
    self->pid = pid;
    self->busy = 0;
    self->small_end = small_end;
    self->pointer = (uint64_t)(uintptr_t)__builtin_thread_pointer();
    struct thread *none = NULL;
    if (atomic_compare_exchange_strong(&only, &none, self)) {
        self->high = thread_live(self);
        self->low = INT64_MIN;
    } else {
        if (only != self) {
            thread_second();
        }
        self->high = INT64_MIN;
        self->low = INT64_MAX;
    }
    thread_self = self;
    return self;
}

static void peak_raise(int64_t to)
{
    int64_t seen = atomic_load_explicit(&published_peak, memory_order_relaxed);
    while (seen < to && !atomic_compare_exchange_weak(&published_peak, &seen, to)) {
    }
}

void thread_second(void)
{
    if (atomic_exchange(&threaded, true)) {
        return;
    }
    struct thread *one = only;
    if (one != NULL) {
        peak_raise(published_live - one->published + one->high);
        one->high = INT64_MIN; /* its next allocation or free publishes */
        one->low = INT64_MAX;
    }
}

/* Live bytes passed `high` or `low`. */
void thread_beyond(struct thread *self)
{
    if (!atomic_load_explicit(&threaded, memory_order_relaxed)) {
        if (thread_live(self) > self->high) {
            self->high = thread_live(self);
        }
        return;
    }
    int64_t live = thread_live(self), change = live - self->published;
    self->published = live;
    self->high = live + THREAD_PUBLISH_BYTES;
    self->low = live - THREAD_PUBLISH_BYTES;
    peak_raise(atomic_fetch_add(&published_live, change) + change);
}

void thread_each(thread_seen *each, void *context)
{
    uint32_t end = atomic_load(&slots_end);
    for (uint32_t i = 0; i < end; i++) {
        struct thread *chunk = chunks[i / SLOTS_PER_CHUNK];
        each(context, &chunk[i % SLOTS_PER_CHUNK]);
    }
}

struct pointer_search {
    int32_t tid;
    uint64_t pointer;
};

static void pointer_seen(void *context, struct thread *thread)
{
    struct pointer_search *search = context;
    if (thread->tid == search->tid) {
        search->pointer = thread->pointer;
    }
}

uint64_t thread_pointer_of(int32_t tid)
{
    struct pointer_search search = {.tid = tid};
    thread_each(pointer_seen, &search);
    return search.pointer;
}

static void live_add(void *context, struct thread *thread)
{
    *(int64_t *)context += thread_live(thread);
}

static void publish_all(void *context, struct thread *thread)
{
    (void)context;
    thread->published = thread_live(thread);
}

int64_t thread_peak(void)
{
    int64_t peak = published_peak;
    struct thread *one = only;
    if (!threaded && one != NULL) {
        int64_t exact = published_live - one->published + one->high;
        peak = exact > peak ? exact : peak;
    }
    int64_t now = 0;
    thread_each(live_add, &now);
    return now > peak ? now : peak;
}

void thread_peak_reset(void)
{
    struct thread *self = thread_get();
    int64_t now = 0;
    thread_each(live_add, &now);
    if (meter_alone() || meter_threads() == 1) { /* nobody else can be writing */
        thread_each(publish_all, NULL);
        published_live = now;
        only = self;
        threaded = false;
        self->high = thread_live(self);
        self->low = INT64_MIN;
    } else {
        threaded = true;
        thread_beyond(self);
    }
    published_peak = now;
}

static void small_take(void *context, struct thread *thread)
{
    thread->small_end = *(const size_t *)context;
}

void thread_small_set(size_t end)
{
    small_end = end; /* first: a thread that begins meanwhile takes it from here */
    thread_each(small_take, &end);
}

bool thread_lock(_Atomic uint32_t *lock, struct thread **self)
{
    *self = thread_get();
    if ((*self)->busy != 0) {
        return false;
    }
    (*self)->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    while (atomic_exchange_explicit(lock, 1, memory_order_acquire) != 0) {
        kernel_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
    }
    return true;
}

void thread_unlock(_Atomic uint32_t *lock, struct thread *self)
{
    atomic_store_explicit(lock, 0, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    self->busy = 0;
}

void thread_after_fork(void)
{
    if (thread_self != &thread_nobody) {
        atomic_store_explicit(&thread_self->tid, kernel_tid(), memory_order_relaxed);
        thread_self->pid = kernel_pid();
        thread_self->busy = 0;
    }
}
