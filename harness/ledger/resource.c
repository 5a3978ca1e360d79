/*
 * resource.c - see resource.h. Runs in the worker.
 *
 * Two tables of our own memory under one lock: `things` (descriptors, threads and children, the
 * latest last), `files` (by path, each once). Mappings are mapping.c's.
 */
#include "harness/ledger/resource.h"
#include "harness/ledger/birth.h"
#include "harness/ledger/mapping.h"

#include "harness/ledger/object.h"
#include "harness/ledger/release.h"
#include "harness/ledger/site.h"
#include "harness/ledger/thread.h"
#include "harness/ledger/trace.h"
#include "harness/ledger/unwind.h"
#include "harness/ledger/watch.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define HOOK         UNWIND_HOOK_SECTION /* its frames are left out of stacks */
#define PATH_ROOM    512u
#define ROOM_FIRST   256u
#define SETTLE_FILES 256u /* files that are looked after; more are believed to be there */
#define SETTLE_LAST  16u  /* of them at each boundary after which one came or went */

struct table { /* of struct resource, or of paths */
    void *rows;
    uint32_t count, room;
};

struct path {
    uint64_t hash;
    struct resource resource;
    char text[PATH_ROOM];
};

static struct table things, files;
static _Atomic uint32_t locked;
static uint64_t file_number;
static uint32_t detached;           /* of things, how many are threads that may end by themselves */
static bool changed, files_changed; /* things, files, since the last resource_settle */

void resource_after_fork(void)
{
    atomic_store(&locked, 0);
    mapping_after_fork();
}

/* A site has one thing more or less. With the lock held, and so busy. */
static void watch_made(uint32_t site)
{
    struct watch *watch = trace_watch(thread_get());
    if (watch != NULL && site != 0) {
        watch_birth(watch, site, 0);
    }
}

static void watch_gone(uint32_t site)
{
    struct watch *watch = trace_watch(thread_get());
    if (watch != NULL && site != 0) {
        watch_death(watch, site, 0);
    }
}

/* Room for one more row of `bytes`. */
static bool table_grow(struct table *table, size_t bytes)
{
    if (table->count < table->room) {
        return true;
    }
    uint32_t room = table->room == 0 ? ROOM_FIRST : table->room * 2;
    void *rows = meter_own_map(room * bytes);
    if (rows == NULL) {
        return false;
    }
    if (table->rows != NULL) {
        memcpy(rows, table->rows, table->count * bytes);
        meter_own_unmap(table->rows, table->room * bytes);
    }
    table->rows = rows;
    table->room = room;
    return true;
}

static struct resource *thing_find(uint32_t kind, uint64_t id)
{
    struct resource *rows = things.rows;
    for (uint32_t i = things.count; i > 0; i--) { /* the latest first: mostly it is that one */
        if (rows[i - 1].id == id && rows[i - 1].kind == kind) {
            return &rows[i - 1];
        }
    }
    return NULL;
}

static void thing_drop(struct resource *thing)
{
    struct resource *rows = things.rows;
    watch_gone(thing->site);
    detached -= thing->tid != 0;
    changed = true;
    *thing = rows[--things.count];
}

void resource_open(enum wire_site_kind kind, uint64_t id, const void *frame)
{
    struct thread *self;
    if (!trace_on) {
        return;
    }
    uint32_t site = trace_site(frame, kind);
    if (!thread_lock(&locked, &self)) {
        return;
    }
    struct resource *thing = thing_find(kind, id);
    if (thing != NULL) { /* it was closed without our seeing it */
        watch_gone(thing->site);
        detached -= thing->tid != 0;
    } else if (table_grow(&things, sizeof *thing)) {
        thing = (struct resource *)things.rows + things.count++;
    }
    if (thing != NULL) {
        watch_made(site);
        changed = true;
        *thing = (struct resource){.id = id, .site = site, .serial = birth_now(), .kind = kind};
    }
    thread_unlock(&locked, self);
}

/* Where it was released, if that is wanted; outside of the lock. */
static inline void gone_tell(const struct resource *gone, const void *frame)
{
    if (release_on && gone->site != 0) {
        release_resource(gone->site, gone->serial, frame);
    }
}

HOOK void resource_close(enum wire_site_kind kind, uint64_t id)
{
    struct thread *self;
    struct resource gone = {0};
    if (things.count == 0 || !thread_lock(&locked, &self)) {
        return;
    }
    struct resource *thing = thing_find(kind, id);
    if (thing != NULL) {
        gone = *thing;
        thing_drop(thing);
    }
    thread_unlock(&locked, self);
    gone_tell(&gone, __builtin_frame_address(0));
}

void resource_detach(uint64_t id, int32_t tid)
{
    struct thread *self;
    if (things.count == 0 || !thread_lock(&locked, &self)) {
        return;
    }
    struct resource *thing = thing_find(WIRE_SITE_THREAD, id);
    if (thing != NULL) {
        detached += thing->tid == 0;
        thing->tid = tid != 0 ? tid : -1;
    }
    thread_unlock(&locked, self);
}

/* Files.
 * ------------------------------------------------------------------------------------------- */

static bool path_complete(const char *path, struct path *out)
{
    size_t at = 0;
    if (path[0] != '/') {
        long got = kernel_call(SYS_getcwd, (long)out->text, PATH_ROOM - 1, 0, 0, 0, 0);
        if (got <= 1) {
            return false;
        }
        at = (size_t)got - 1; /* the NUL is counted */
        if (out->text[at - 1] != '/') {
            out->text[at++] = '/';
        }
        while (path[0] == '.' && path[1] == '/') {
            path += 2;
        }
    }
    size_t length = strnlen(path, PATH_ROOM);
    if (at + length >= PATH_ROOM) {
        return false;
    }
    memcpy(out->text + at, path, length + 1);
    out->hash = 0xcbf29ce484222325u;
    for (const char *c = out->text; *c != '\0'; c++) {
        out->hash = (out->hash ^ (unsigned char)*c) * 0x100000001b3u;
    }
    return true;
}

static struct path *file_find(const struct path *wanted)
{
    struct path *rows = files.rows;
    for (uint32_t i = files.count; i > 0; i--) {
        if (rows[i - 1].hash == wanted->hash && strcmp(rows[i - 1].text, wanted->text) == 0) {
            return &rows[i - 1];
        }
    }
    return NULL;
}

static void file_drop(struct path *file)
{
    struct path *rows = files.rows;
    struct path *last = &rows[--files.count];
    watch_gone(file->resource.site);
    if (file != last) {
        *file = *last;
    }
    meter_file_add(-1);
}

void resource_file_made(const char *path, const void *frame)
{
    struct thread *self;
    struct path file;
    uint32_t site = trace_site(frame, WIRE_SITE_FILE);
    if (!path_complete(path, &file) || !thread_lock(&locked, &self)) {
        return;
    }
    if (file_find(&file) == NULL && table_grow(&files, sizeof file)) {
        struct path *rows = files.rows;
        file.resource = (struct resource){
            .id = ++file_number, .site = site, .serial = birth_now(), .kind = WIRE_SITE_FILE};
        rows[files.count++] = file;
        files_changed = true;
        watch_made(site);
        meter_file_add(1);
    }
    thread_unlock(&locked, self);
}

static bool file_forget(const char *path, struct resource *gone)
{
    struct thread *self;
    struct path wanted;
    if (files.count == 0 || !path_complete(path, &wanted) || !thread_lock(&locked, &self)) {
        return false;
    }
    struct path *file = file_find(&wanted);
    if (file != NULL && gone != NULL) {
        *gone = file->resource;
        file_drop(file);
    }
    thread_unlock(&locked, self);
    return file != NULL;
}

HOOK void resource_file_gone(const char *path)
{
    struct resource gone = {0};
    file_forget(path, &gone);
    gone_tell(&gone, __builtin_frame_address(0));
}

bool resource_file_known(const char *path)
{
    return file_forget(path, NULL);
}

/* At boundaries.
 * ----------------------------------------------------------------------------------- */

static bool thing_is_there(const struct resource *thing)
{
    if (thing->kind == WIRE_SITE_FD) {
        return kernel_call(SYS_fcntl, (long)thing->id, F_GETFD, 0, 0, 0, 0) >= 0;
    }
    if (thing->kind == WIRE_SITE_CHILD) { /* a zombie is there */
        return kernel_call(SYS_kill, (long)thing->id, 0, 0, 0, 0, 0) == 0;
    }
    if (thing->tid == 0) {
        return true; /* a joinable thread, until it is joined */
    }
    if (thing->tid < 0) {
        return meter_threads() > 1;
    }
    return kernel_call(SYS_tgkill, kernel_pid(), thing->tid, 0, 0, 0, 0) == 0;
}

/* As long as no thing came or went, only threads can be gone that end by themselves. */
static void things_settle(bool all)
{
    for (uint32_t i = things.count; i > 0; i--) {
        struct resource *thing = (struct resource *)things.rows + i - 1;
        if ((all || changed || thing->tid != 0) && !thing_is_there(thing)) {
            thing_drop(thing);
        }
    }
}

static void files_settle(uint32_t most)
{
    uint32_t first = files.count > most ? files.count - most : 0;
    for (uint32_t i = files.count; i > first; i--) {
        struct path *file = (struct path *)files.rows + i - 1;
        if (!object_exists(file->text)) {
            file_drop(file);
        }
    }
}

void resource_settle(bool all)
{
    struct thread *self;
    bool things_wanted = things.count > 0 && (all || changed || detached > 0);
    bool files_wanted = files.count > 0 && (all || files_changed);
    if ((!things_wanted && !files_wanted) || !thread_lock(&locked, &self)) {
        return;
    }
    if (things_wanted) {
        things_settle(all);
    }
    if (files_wanted) {
        files_settle(all ? SETTLE_FILES : SETTLE_LAST);
    }
    changed = files_changed = false;
    thread_unlock(&locked, self);
}

void resource_each(resource_seen *each, void *context)
{
    const struct resource *rows = things.rows;
    for (uint32_t i = 0; i < things.count; i++) {
        each(context, &rows[i]);
    }
    mapping_resource_each(each, context);
    const struct path *paths = files.rows;
    for (uint32_t i = 0; i < files.count; i++) {
        each(context, &paths[i].resource);
    }
}

void resource_forget_sites(void)
{
    struct thread *self;
    mapping_forget_sites();
    if (!thread_lock(&locked, &self)) {
        return;
    }
    things.count = 0;
    detached = 0;
    for (uint32_t i = 0; i < files.count; i++) {
        ((struct path *)files.rows)[i].resource.site = 0;
    }
    thread_unlock(&locked, self);
}
