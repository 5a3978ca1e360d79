/* patch.c - see patch.h. The encoders are pure and know both machines; only patch_jump writes code.
 */
#include "harness/boundary/patch.h"

#include "harness/boundary/memcheck.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATCH_PAGE 4096u

static void put32(uint8_t *code, uint32_t word)
{
    for (int i = 0; i < 4; i++) {
        code[i] = (uint8_t)(word >> 8 * i);
    }
}

static void put64(uint8_t *code, uint64_t word)
{
    put32(code, (uint32_t)word);
    put32(code + 4, (uint32_t)(word >> 32));
}

size_t patch_far_bytes(enum patch_machine machine)
{
    return machine == PATCH_X86_64 ? 13 : 16;
}

size_t patch_near_bytes(enum patch_machine machine)
{
    return machine == PATCH_X86_64 ? 5 : 4;
}

size_t patch_encode_far(enum patch_machine machine, uint8_t *code, uint64_t target)
{
    if (machine == PATCH_X86_64) {
        code[0] = 0x49; /* movabs r11, imm64 */
        code[1] = 0xbb;
        put64(code + 2, target);
        code[10] = 0x41; /* jmp r11 */
        code[11] = 0xff;
        code[12] = 0xe3;
    } else {
        put32(code, 0x58000050u);     /* ldr x16, .+8 */
        put32(code + 4, 0xd61f0200u); /* br x16 */
        put64(code + 8, target);
    }
    return patch_far_bytes(machine);
}

size_t patch_encode_near(enum patch_machine machine, uint8_t *code, uint64_t at, uint64_t target)
{
    if (machine == PATCH_X86_64) {
        int64_t distance = (int64_t)(target - (at + 5));
        if (distance != (int32_t)distance) {
            return 0;
        }
        code[0] = 0xe9;
        put32(code + 1, (uint32_t)distance);
    } else {
        int64_t distance = (int64_t)(target - at);
        if (distance % 4 != 0 || distance < -(1 << 27) || distance >= 1 << 27) {
            return 0;
        }
        put32(code, 0x14000000u | ((uint32_t)(distance / 4) & 0x03ffffffu));
    }
    return patch_near_bytes(machine);
}

size_t patch_marker_bytes(enum patch_machine machine, const uint8_t *code, size_t room)
{
    static const uint8_t endbr64[4] = {0xf3, 0x0f, 0x1e, 0xfa};
    if (room < 4) {
        return 0;
    }
    if (machine == PATCH_X86_64) {
        return memcmp(code, endbr64, 4) == 0 ? 4 : 0;
    }
    /* bti, bti c, bti j, bti jc: d503241f with two bits free. A paciasp is overwritten: our
     * function would return with a signed address that it did not sign. */
    uint32_t word;
    memcpy(&word, code, 4);
    return (word & 0xffffff3fu) == 0xd503241fu ? 4 : 0;
}

/* A page of far jumps within reach of a near jump at `entry`; filled from the front. */
static uint8_t *island_get(uint64_t entry)
{
    static uint8_t *page;
    static size_t used;
    uint8_t scratch[PATCH_FAR_MAX];
    if (page != NULL && used + PATCH_FAR_MAX <= PATCH_PAGE &&
        patch_encode_near(PATCH_HERE, scratch, entry, (uint64_t)(uintptr_t)page + used) != 0) {
        used += PATCH_FAR_MAX;
        return page + used - PATCH_FAR_MAX;
    }
    for (uint64_t step = 1u << 20; step < 1u << 27; step += 1u << 20) {
        for (int side = 0; side < 2; side++) {
            uint64_t hint =
                (side == 0 ? entry - step : entry + step) & ~(uint64_t)0xffff /* largest page */;
            long map = syscall(SYS_mmap, hint, PATCH_PAGE, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1L, 0L);
            if (map != -1 && (uint64_t)map == hint) {
                page = (uint8_t *)map;
                used = PATCH_FAR_MAX;
                return page;
            }
            if (map != -1) { /* a kernel before 4.17 took the address for a wish */
                syscall(SYS_munmap, map, PATCH_PAGE);
            }
        }
    }
    return NULL;
}

/* Pages are made writable and executable in turn, never both: hardened kernels refuse both. */
static bool code_write(uint8_t *at, const uint8_t *code, size_t bytes)
{
    uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t first = (uint64_t)(uintptr_t)at & ~(size - 1);
    uint64_t end = ((uint64_t)(uintptr_t)at + bytes + size - 1) & ~(size - 1);
    if (syscall(SYS_mprotect, first, end - first, PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    memcpy(at, code, bytes);
    if (syscall(SYS_mprotect, first, end - first, PROT_READ | PROT_EXEC) != 0) {
        return false;
    }
    __builtin___clear_cache((char *)at, (char *)at + bytes);
    return true;
}

/* By the process's own memory file, which needs no page to change its protection. Where the kernel
 * forbids that, the page cannot be executed for a moment. Valgrind runs one thread at a time and
 * translates code again only when the page's protection has changed. */
bool patch_code(void *at, const uint8_t *code, size_t bytes)
{
    bool written = false;
    int fd = memcheck_here()
                 ? -1
                 : (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        written = syscall(SYS_pwrite64, fd, code, bytes, (long)(uintptr_t)at) == (long)bytes;
        syscall(SYS_close, fd);
    }
    if (!written) {
        return code_write(at, code, bytes);
    }
    __builtin___clear_cache((char *)at, (char *)at + bytes);
    return true;
}

static bool patch_near(uint8_t *at, const void *target)
{
    uint8_t far[PATCH_FAR_MAX], near[PATCH_FAR_MAX];
    uint8_t *island = island_get((uint64_t)(uintptr_t)at);
    if (island == NULL) {
        return false;
    }
    size_t far_bytes = patch_encode_far(PATCH_HERE, far, (uint64_t)(uintptr_t)target);
    size_t near_bytes =
        patch_encode_near(PATCH_HERE, near, (uint64_t)(uintptr_t)at, (uint64_t)(uintptr_t)island);
    return near_bytes != 0 && code_write(island, far, far_bytes) &&
           code_write(at, near, near_bytes);
}

bool patch_jump(void *entry, size_t room, const void *target)
{
    uint8_t *at = entry;
    size_t marker = patch_marker_bytes(PATCH_HERE, at, room);
    at += marker;
    room -= marker;
    if (room >= patch_far_bytes(PATCH_HERE)) {
        uint8_t code[PATCH_FAR_MAX];
        size_t bytes = patch_encode_far(PATCH_HERE, code, (uint64_t)(uintptr_t)target);
        return code_write(at, code, bytes);
    }
    return room >= patch_near_bytes(PATCH_HERE) && patch_near(at, target);
}
