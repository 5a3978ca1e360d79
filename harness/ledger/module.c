/*
 * module.c - the loaded objects, with their build-ids, onto the wire. Runs in the worker, on the
 * thread that runs the tests. An object is sent once; one that is unloaded and loaded elsewhere is
 * sent again. One that comes and goes within a test is kept until then, from any thread.
 */
#include "harness/ledger/ledger.h"

#include "harness/ledger/thread.h"
#include "harness/meter/kernel.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define MODULES_MOST 4096u /* later ones stay without names */

static uint64_t sent[MODULES_MOST]; /* base, mixed with the path: what identifies an object */
static uint32_t sent_count;

static uint64_t identity_of(uint64_t base, const char *path)
{
    uint64_t hash = base ^ 0xcbf29ce484222325u;
    for (; *path != '\0'; path++) {
        hash = (hash ^ (unsigned char)*path) * 0x100000001b3u;
    }
    return hash;
}

static bool sent_before(uint64_t identity)
{
    for (uint32_t i = 0; i < sent_count; i++) {
        if (sent[i] == identity) {
            return true;
        }
    }
    if (sent_count == MODULES_MOST) {
        return true;
    }
    sent[sent_count++] = identity;
    return false;
}

static void build_id_read(struct wire_module *module, uint64_t address, uint64_t bytes)
{
    for (uint64_t at = address; at + sizeof(ElfW(Nhdr)) <= address + bytes;) {
        const ElfW(Nhdr) *note = (const void *)(uintptr_t)at;
        const char *name = (const char *)(note + 1);
        const char *value = name + ((note->n_namesz + 3u) & ~3u);
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
            module->build_id_bytes = note->n_descsz < 20 ? note->n_descsz : 20;
            memcpy(module->build_id, value, module->build_id_bytes);
            return;
        }
        at = (uint64_t)(uintptr_t)value + ((note->n_descsz + 3u) & ~3u);
    }
}

/* Modules that are about to be unloaded, and were not sent yet: stacks may lead through them. */
#define KEPT_MOST 64u
static struct wire_module kept[KEPT_MOST];
static uint32_t kept_count;
static _Atomic uint32_t locked;

static void module_fill(struct wire_module *module, const struct dl_phdr_info *info)
{
    WIRE_INIT(module, WIRE_MODULE);
    module->base = info->dlpi_addr;
    module->start = UINT64_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uint64_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD) {
            module->start = start < module->start ? start : module->start;
            uint64_t end = start + segment->p_memsz;
            module->end = end > module->end ? end : module->end;
        } else if (segment->p_type == PT_NOTE && module->build_id_bytes == 0) {
            build_id_read(module, start, segment->p_memsz);
        }
    }
    if (info->dlpi_name != NULL && info->dlpi_name[0] != '\0') {
        memcpy(module->path, info->dlpi_name, strnlen(info->dlpi_name, sizeof module->path - 1));
    } else { /* the program itself */
        kernel_call(SYS_readlinkat, -100 /* AT_FDCWD */, (long)"/proc/self/exe", (long)module->path,
                    sizeof module->path - 1, 0, 0);
    }
}

/* How often an object was ever loaded, and unloaded, when all of them had been looked at. */
static unsigned long long adds_known, subs_known;

/* `context`: is this the first object? As long as none came or went, it is the only one that is
 * looked at. */
static int module_keep(struct dl_phdr_info *info, size_t size, void *context)
{
    bool *first = context;
    bool counted = size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs;
    if (*first && counted && info->dlpi_adds == adds_known && info->dlpi_subs == subs_known) {
        return 1;
    }
    *first = false;
    adds_known = counted ? info->dlpi_adds : 0;
    subs_known = counted ? info->dlpi_subs : 0;
    if (kept_count < KEPT_MOST) {
        struct wire_module *module = &kept[kept_count];
        module_fill(module, info);
        kept_count += module->end > 0 && !sent_before(identity_of(module->base, module->path));
    }
    if (kept_count == KEPT_MOST) { /* there may be more */
        adds_known = 0;
    }
    return 0;
}

void ledger_modules_keep(void)
{
    struct thread *self;
    bool first = true;
    if (thread_lock(&locked, &self)) {
        dl_iterate_phdr(module_keep, &first);
        thread_unlock(&locked, self);
    }
}

void ledger_modules_put(struct wire *wire)
{
    struct thread *self;
    ledger_modules_keep();
    while (kept_count > 0 && thread_lock(&locked, &self)) {
        for (uint32_t i = 0; i < kept_count; i++) {
            wire_put(wire, &kept[i]);
        }
        bool full = kept_count == KEPT_MOST; /* then there are more */
        kept_count = 0;
        thread_unlock(&locked, self);
        if (full) {
            ledger_modules_keep();
        }
    }
}

void ledger_modules_after_fork(void)
{
    locked = 0;
}
