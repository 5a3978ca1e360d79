/* child_loss.c - see child_loss.h. */
#include "harness/ledger/child_loss.h"

#include "harness/ledger/birth.h"
#include "harness/ledger/hooks.h"
#include "harness/ledger/reach.h"
#include "harness/ledger/site.h"
#include "harness/ledger/trace.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define LOSSES_MOST 256u       /* sites, of all children between two boundaries */
#define SITES_MOST  64u        /* of one child */
#define BOOKED_MOST (1u << 16) /* blocks of a site: more are booked as fewer, larger ones */

enum loss_state { LOSS_FREE, LOSS_FILLING, LOSS_READY };

struct loss {
    _Atomic uint32_t state; /* enum loss_state; FILLING for ever when the child was killed there */
    uint32_t frame_count, cut;
    uint64_t blocks, bytes;
    uint64_t frames[WIRE_FRAMES_MAX];
};

static struct shared {
    _Atomic uint32_t ready; /* how many were made ready and not booked, or more */
    struct loss list[LOSSES_MOST];
} * shared;

static int32_t worker_pid;
static uint32_t child_serial; /* in the child: of all that it allocates */

struct tally { /* what one child leaves, by site */
    struct {
        uint32_t site;
        uint64_t blocks, bytes;
    } lost[SITES_MOST];
    uint32_t site_count;
    bool kept;
};

void child_loss_init(void)
{
    worker_pid = kernel_pid();
    shared = kernel_map_as(sizeof *shared, MAP_SHARED);
}

bool child_loss_begin(void)
{
    uint32_t test = birth_of(birth_now());
    child_serial = 0;
    if (shared == NULL || test == WIRE_NO_TEST || !meter_alone()) {
        return false;
    }
    trace_set(true);
    child_serial = birth_next(test);
    return true;
}

/* The buffers that libc makes for the standard streams are every program's. */
static bool is_stream_buffer(uint64_t address)
{
    const FILE *const streams[] = {stdin, stdout, stderr};
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        if (streams[i] != NULL && (uint64_t)(uintptr_t)streams[i]->_IO_buf_base == address) {
            return true;
        }
    }
    return false;
}

/* Where libc's pthread_create is: the storage that it makes for a thread hangs from a stack which
 * libc keeps for the next one, in memory of its own that no scan reads. */
static struct {
    uint64_t start, bytes;
} create;

static void create_find(void)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    void *there = dlsym(RTLD_NEXT, "pthread_create");
    if (there != NULL && dladdr1(there, &info, (void **)(uintptr_t)&symbol, RTLD_DL_SYMENT) != 0 &&
        symbol != NULL) {
        create.start = (uint64_t)(uintptr_t)there;
        create.bytes = symbol->st_size;
    }
}

static bool is_thread_storage(uint32_t number)
{
    const struct site *site = site_get(number);
    for (uint32_t i = 0; site != NULL && i < site->frame_count; i++) {
        if (site->frames[i] - create.start < create.bytes) {
            return true;
        }
    }
    return false;
}

static void block_seen(void *context, const struct trace_record *record, bool reached)
{
    struct tally *tally = context;
    if (is_thread_storage(record->site)) {
        return;
    }
    if (reached) {
        tally->kept = tally->kept || !is_stream_buffer(record->address);
        return;
    }
    uint32_t at = 0;
    while (at < tally->site_count && tally->lost[at].site != record->site) {
        at++;
    }
    if (at == SITES_MOST) {
        tally->kept = true; /* not all can be passed on: what is not counts as not followed */
        return;
    }
    tally->site_count = at == tally->site_count ? at + 1 : tally->site_count;
    tally->lost[at].site = record->site;
    tally->lost[at].blocks++;
    tally->lost[at].bytes += record->size;
}

static struct loss *loss_take(void)
{
    for (uint32_t i = 0; i < LOSSES_MOST; i++) {
        uint32_t free_state = LOSS_FREE;
        if (atomic_compare_exchange_strong(&shared->list[i].state, &free_state, LOSS_FILLING)) {
            return &shared->list[i];
        }
    }
    return NULL;
}

static bool loss_put(uint32_t number, uint64_t blocks, uint64_t bytes)
{
    const struct site *site = site_get(number);
    struct loss *loss = loss_take();
    if (loss == NULL) {
        return false;
    }
    loss->frame_count = site == NULL ? 0 : site->frame_count;
    loss->cut = site != NULL && site->cut;
    loss->blocks = blocks;
    loss->bytes = bytes;
    if (site != NULL) {
        memcpy(loss->frames, site->frames, site->frame_count * sizeof *site->frames);
    }
    atomic_store(&loss->state, LOSS_READY);
    atomic_fetch_add(&shared->ready, 1);
    return true;
}

static void any_seen(void *context, const struct trace_record *record)
{
    bool *any = context;
    *any = *any || record->serial == child_serial;
}

enum child_leaving child_loss_end(uint64_t sp)
{
    int saved = errno;
    bool any = false;
    static struct tally tally; /* of a child: not on a stack that the scan reads */
    if (child_serial == 0) {
        return CHILD_KEEPS;
    }
    trace_each(any_seen, &any);
    if (!any) {
        return CHILD_CLEAN;
    }
    memset(&tally, 0, sizeof tally);
    create_find();
    bool known = reach_each(child_serial, sp, block_seen, &tally);
    tally.kept = tally.kept || !known;
    for (uint32_t i = 0; i < tally.site_count; i++) {
        tally.kept =
            !loss_put(tally.lost[i].site, tally.lost[i].blocks, tally.lost[i].bytes) || tally.kept;
    }
    errno = saved;
    return tally.kept ? CHILD_KEEPS : tally.site_count > 0 ? CHILD_LOSES : CHILD_CLEAN;
}

static void loss_book(const struct loss *loss)
{
    uint32_t count = loss->frame_count < WIRE_FRAMES_MAX ? loss->frame_count : WIRE_FRAMES_MAX;
    uint32_t site =
        trace_on && count > 0 ? site_find(loss->frames, count, loss->cut != 0, WIRE_SITE_HEAP) : 0;
    uint64_t blocks = loss->blocks < BOOKED_MOST ? loss->blocks : BOOKED_MOST, bytes = loss->bytes;
    for (; blocks > 0; blocks--) {
        uint64_t size = bytes / blocks;
        bytes -= size;
        hooks_book(size, site);
    }
}

void child_loss_book(void)
{
    if (shared == NULL || atomic_load_explicit(&shared->ready, memory_order_relaxed) == 0 ||
        kernel_pid() != worker_pid) {
        return;
    }
    int saved = errno;
    atomic_store(&shared->ready, 0); /* first: what becomes ready meanwhile is not forgotten */
    for (uint32_t i = 0; i < LOSSES_MOST; i++) {
        struct loss *loss = &shared->list[i];
        if (atomic_load(&loss->state) == LOSS_READY) {
            loss_book(loss);
            atomic_store(&loss->state, LOSS_FREE);
        }
    }
    errno = saved;
}
