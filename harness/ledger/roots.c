/* roots.c - see roots.h. Runs in the worker. */
#include "harness/ledger/roots.h"

#include "harness/ledger/allocator.h"
#include "harness/ledger/cfi.h"
#include "harness/ledger/unwind.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <link.h>
#include <string.h>

#define ROOTS_MOST    16384u
#define READABLE_MOST 65536u
#define MAPS_ROOM     (16u << 20)
#define TCB_BYTES     2304u /* libc's struct of a thread, above its thread pointer */
#define TLS_SURPLUS   1664u /* what libc reserves for objects loaded later */
#define LINK_MAP      1280u /* libc's struct of a loaded object */

static void root_add(struct roots *roots, uint64_t start, uint64_t end, enum wire_root kind,
                     int32_t thread)
{
    if (start < end && roots->count < roots->room) {
        roots->list[roots->count++] = (struct root){start, end, kind, thread, 0};
    }
}

static uint64_t hex_take(const char **text)
{
    uint64_t value = 0;
    for (;; *text += 1) {
        char digit = **text;
        if (digit >= '0' && digit <= '9') {
            value = value * 16 + (uint64_t)(digit - '0');
        } else if (digit >= 'a' && digit <= 'f') {
            value = value * 16 + (uint64_t)(digit - 'a' + 10);
        } else {
            return value;
        }
    }
}

/* "start-end rw-p offset device inode path", one a line. Device memory is not for reading. */
static void line_take(struct roots *roots, const char *line, const char *end)
{
    uint64_t start = hex_take(&line);
    line++;
    uint64_t stop = hex_take(&line);
    bool readable = line + 1 < end && line[1] == 'r';
    size_t length = (size_t)(end - line);
    bool shared = memmem(line, length, " /dev/zero", 10) != NULL || /* MAP_SHARED, anonymous */
                  memmem(line, length, " /dev/shm/", 10) != NULL;
    bool device = (!shared && memmem(line, length, " /dev/", 6) != NULL) ||
                  memmem(line, length, "[vvar", 5) != NULL;
    if (!readable || device || roots->readable_count == roots->readable_room) {
        return;
    }
    struct graph_range *last = &roots->readable[roots->readable_count];
    if (roots->readable_count > 0 && last[-1].end == start) {
        last[-1].end = stop;
    } else {
        *last = (struct graph_range){start, stop};
        roots->readable_count++;
    }
}

static bool maps_read(struct roots *roots)
{
    char *text = roots->maps = meter_own_map(MAPS_ROOM);
    if (text == NULL) {
        return false;
    }
    size_t bytes = kernel_read_file("/proc/self/maps", text, MAPS_ROOM - 1);
    for (const char *line = text, *end; line < text + bytes; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + bytes - line));
        if (end == NULL) {
            break;
        }
        line_take(roots, line, end);
    }
    return bytes > 0;
}

static bool object_holds(const struct dl_phdr_info *info, uint64_t address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uint64_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type == PT_LOAD && address - start < info->dlpi_phdr[i].p_memsz) {
            return true;
        }
    }
    return false;
}

static int object_take(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct roots *roots = context;
    bool program = info->dlpi_name == NULL || info->dlpi_name[0] == '\0';
    bool ours = !program && object_holds(info, (uint64_t)(uintptr_t)roots_begin);
    bool allocator =
        below.usable_of != NULL && object_holds(info, (uint64_t)(uintptr_t)below.free_sized);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uint64_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_TLS) {
            roots->tls_bytes += segment->p_memsz + segment->p_align;
        } else if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) != 0 && !ours &&
                   !allocator) {
            root_add(roots, start, start + segment->p_memsz, WIRE_ROOT_GLOBAL, 0);
        }
    }
    return 0;
}

/* The dynamic linker keeps its list of objects partly in memory that is in no segment; the objects
 * that were opened later hang from it. */
static void link_maps_take(struct roots *roots)
{
    for (const struct link_map *map = _r_debug.r_map; map != NULL; map = map->l_next) {
        uint64_t start = (uint64_t)(uintptr_t)map;
        root_add(roots, start, start + LINK_MAP, WIRE_ROOT_GLOBAL, 0);
    }
}

bool roots_begin(struct roots *roots)
{
    *roots = (struct roots){.room = ROOTS_MOST, .readable_room = READABLE_MOST};
    roots->list = meter_own_map(roots->room * sizeof *roots->list);
    roots->readable = meter_own_map(roots->readable_room * sizeof *roots->readable);
    if (roots->list == NULL || roots->readable == NULL) {
        roots_end(roots);
        return false;
    }
    dl_iterate_phdr(object_take, roots);
    link_maps_take(roots);
    return true;
}

static uint64_t readable_end(const struct roots *roots, uint64_t address)
{
    for (uint32_t i = 0; i < roots->readable_count; i++) {
        if (address >= roots->readable[i].start && address < roots->readable[i].end) {
            return roots->readable[i].end;
        }
    }
    return 0;
}

/* Static TLS ends at the thread pointer (x86-64) or begins there (AArch64). The vector of later
 * ones (dtv) is allocated: for the first thread by the dynamic linker, past our hooks. */
static void tls_take(struct roots *roots, uint64_t pointer, int32_t thread)
{
    uint64_t bytes = roots->tls_bytes + TLS_SURPLUS;
#if defined(__x86_64__)
    root_add(roots, pointer - bytes, pointer + TCB_BYTES, WIRE_ROOT_TLS, thread);
    uint64_t dtv = ((const uint64_t *)(uintptr_t)pointer)[1];
#else
    root_add(roots, pointer - TCB_BYTES, pointer + bytes, WIRE_ROOT_TLS, thread);
    uint64_t dtv = ((const uint64_t *)(uintptr_t)pointer)[0];
#endif
    if (roots->count > 0) {
        roots->list[roots->count - 1].pointer = pointer;
    }
    uint64_t modules = readable_end(roots, dtv) != 0 ? ((const uint64_t *)(uintptr_t)dtv)[-2] : 0;
    if (modules < 4096) {
        root_add(roots, dtv, dtv + (modules + 1) * 16, WIRE_ROOT_TLS, thread);
    }
}

/* The stack in use ends below the thread's storage, or for the first thread and for stacks of the
 * program's own making with the mapping. */
static void stack_take(struct roots *roots, uint64_t sp, uint64_t pointer, int32_t thread)
{
    uint64_t end = readable_end(roots, sp);
    uint64_t storage = pointer - roots->tls_bytes - TLS_SURPLUS;
    if (pointer != 0 && sp < storage && storage < end) {
        end = storage;
    }
    root_add(roots, sp & ~(uint64_t)7, end, WIRE_ROOT_STACK, thread);
}

bool roots_threads(struct roots *roots, const struct stop *stop, uint64_t sp)
{
    if (!maps_read(roots)) {
        return false;
    }
    uint64_t pointer = (uint64_t)(uintptr_t)__builtin_thread_pointer();
    tls_take(roots, pointer, kernel_tid());
    for (uint32_t i = 0; i < stop->count; i++) {
        if (stop->threads[i].thread_pointer != 0) {
            tls_take(roots, stop->threads[i].thread_pointer, stop->threads[i].tid);
        }
    }
    for (uint32_t i = 0; i < stop->count; i++) {
        const struct stopped *thread = &stop->threads[i];
        if (thread->sp != 0) {
            stack_take(roots, thread->sp, thread->thread_pointer, thread->tid);
        }
        uint64_t registers = (uint64_t)(uintptr_t)thread->registers;
        root_add(roots, registers, registers + thread->register_count * sizeof(uint64_t),
                 WIRE_ROOT_REGISTER, thread->tid);
    }
    stack_take(roots, sp, pointer, kernel_tid());
    return true;
}

void roots_end(struct roots *roots)
{
    if (roots->list != NULL) {
        meter_own_unmap(roots->list, roots->room * sizeof *roots->list);
    }
    if (roots->readable != NULL) {
        meter_own_unmap(roots->readable, roots->readable_room * sizeof *roots->readable);
    }
    if (roots->maps != NULL) {
        meter_own_unmap(roots->maps, MAPS_ROOM);
    }
    roots->list = NULL;
    roots->readable = NULL;
    roots->maps = NULL;
}

struct tls_search {
    uint64_t address; /* in the calling thread's storage */
    uint64_t base, offset;
    bool found;
};

static int tls_search(struct dl_phdr_info *info, size_t size, void *context)
{
    struct tls_search *search = context;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum && info->dlpi_tls_data != NULL; i++) {
        uint64_t start = (uint64_t)(uintptr_t)info->dlpi_tls_data;
        if (info->dlpi_phdr[i].p_type == PT_TLS &&
            search->address - start < info->dlpi_phdr[i].p_memsz) {
            search->base = info->dlpi_addr;
            search->offset = search->address - start;
            search->found = true;
        }
    }
    return search->found;
}

/* Static TLS lies at the same distance from every thread's pointer. */
bool roots_tls_object(uint64_t via, uint64_t pointer, uint64_t *base, uint64_t *offset)
{
    uint64_t own = (uint64_t)(uintptr_t)__builtin_thread_pointer();
    struct tls_search search = {.address = own + (via - pointer)};
    if (pointer != 0) {
        dl_iterate_phdr(tls_search, &search);
    }
    *base = search.base;
    *offset = search.offset;
    return search.found;
}
