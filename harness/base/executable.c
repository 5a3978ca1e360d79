/* executable.c - see executable.h. */
#include "harness/base/executable.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#if defined __x86_64__
#define MACHINE      EM_X86_64
#define MACHINE_NAME "x86-64"
#else
#define MACHINE      EM_AARCH64
#define MACHINE_NAME "AArch64"
#endif

struct image {
    const unsigned char *bytes;
    size_t size;
    mode_t mode;
    bool capable; /* it has file capabilities */
};

static bool image_open(struct image *image, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *map = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size >= (off_t)sizeof(Elf64_Ehdr)) {
        map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        *image = (struct image){.bytes = map,
                                .size = (size_t)status.st_size,
                                .mode = status.st_mode,
                                .capable = fgetxattr(fd, "security.capability", NULL, 0) > 0};
    }
    if (fd >= 0) {
        close(fd);
    }
    return map != MAP_FAILED;
}

static bool inside(const struct image *image, uint64_t offset, uint64_t bytes)
{
    return offset <= image->size && bytes <= image->size - offset;
}

/* The segment of that type; NULL when there is none, or the file is damaged. */
static const Elf64_Phdr *segment_of(const struct image *image, uint32_t type)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)image->bytes;
    if (head->e_phentsize != sizeof(Elf64_Phdr) || head->e_phoff % _Alignof(Elf64_Phdr) != 0 ||
        !inside(image, head->e_phoff, (uint64_t)head->e_phnum * sizeof(Elf64_Phdr))) {
        return NULL;
    }
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(image->bytes + head->e_phoff);
    for (unsigned i = 0; i < head->e_phnum; i++) {
        if (segments[i].p_type == type &&
            inside(image, segments[i].p_offset, segments[i].p_filesz)) {
            return &segments[i];
        }
    }
    return NULL;
}

/* True when a symbol or a needed library has that name: only string tables count, the program may
 * well print such a word. */
static bool names_have(const struct image *image, const char *name)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)image->bytes;
    if (head->e_shentsize != sizeof(Elf64_Shdr) || head->e_shoff % _Alignof(Elf64_Shdr) != 0 ||
        !inside(image, head->e_shoff, (uint64_t)head->e_shnum * sizeof(Elf64_Shdr))) {
        return false;
    }
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(image->bytes + head->e_shoff);
    for (unsigned i = 0; i < head->e_shnum; i++) {
        if (sections[i].sh_type == SHT_STRTAB && i != head->e_shstrndx &&
            inside(image, sections[i].sh_offset, sections[i].sh_size) &&
            memmem(image->bytes + sections[i].sh_offset, sections[i].sh_size, name,
                   strlen(name) + 1) != NULL) {
            return true;
        }
    }
    return false;
}

/* The sanitizer whose run-time library the program starts, or NULL. */
static const char *sanitizer_of(const struct image *image)
{
    static const struct {
        const char *mark, *name;
    } sanitizers[] = {{"__asan_init", "address"}, {"__tsan_init", "thread"},
                      {"__msan_init", "memory"},  {"__hwasan_init", "hwaddress"},
                      {"__lsan_init", "leak"},    {"liblsan.so.0", "leak"}};
    for (size_t i = 0; i < sizeof sanitizers / sizeof sanitizers[0]; i++) {
        if (names_have(image, sanitizers[i].mark)) {
            return sanitizers[i].name;
        }
    }
    return NULL;
}

static bool elf_preloadable(const struct image *image, char *reason, size_t room)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)image->bytes;
    if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_machine != MACHINE) {
        snprintf(reason, room, "it is not a 64-bit program for " MACHINE_NAME);
        return false;
    }
    const Elf64_Phdr *interpreter = segment_of(image, PT_INTERP);
    if (interpreter == NULL) {
        snprintf(reason, room,
                 "it is statically linked to libc, so no library can be preloaded into it; "
                 "link it without -static");
        return false;
    }
    if (memmem(image->bytes + interpreter->p_offset, interpreter->p_filesz, "ld-musl", 7) != NULL) {
        snprintf(reason, room, "it is built for musl libc, libtidemark.so for glibc");
        return false;
    }
    if (image->mode & (S_ISUID | S_ISGID)) {
        snprintf(reason, room,
                 "it is set-user-ID or set-group-ID, so the loader ignores preloads; "
                 "run a copy without that bit");
        return false;
    }
    if (image->capable && geteuid() != 0) { /* root gains nothing by them */
        snprintf(reason, room,
                 "it has file capabilities, so the loader ignores preloads; "
                 "run a copy without them (cp does not copy them)");
        return false;
    }
    const char *sanitizer = sanitizer_of(image);
    if (sanitizer != NULL) {
        snprintf(reason, room,
                 "it is built with -fsanitize=%s, whose malloc and tidemark's cannot both be the "
                 "lowest; build it without",
                 sanitizer);
        return false;
    }
    return true;
}

static bool elf_whole(const struct image *image)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)image->bytes;
    return head->e_ident[EI_CLASS] != ELFCLASS64 || /* another machine's: told of elsewhere */
           inside(image, head->e_phoff, (uint64_t)head->e_phnum * head->e_phentsize);
}

int executable_error(const char *path)
{
    struct stat status;
    struct image image;
    char begin[SELFMAG] = "";
    if (stat(path, &status) != 0) {
        return errno;
    }
    if (S_ISDIR(status.st_mode)) {
        return EISDIR;
    }
    if (access(path, X_OK) != 0 || !S_ISREG(status.st_mode)) {
        return EACCES;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0; /* may be executed, not read: starting it will tell */
    }
    ssize_t got = read(fd, begin, sizeof begin);
    close(fd);
    if (got >= 2 && memcmp(begin, "#!", 2) == 0) {
        return 0;
    }
    if (got < SELFMAG || memcmp(begin, ELFMAG, SELFMAG) != 0 || !image_open(&image, path)) {
        return ENOEXEC;
    }
    bool whole = elf_whole(&image);
    munmap((void *)(uintptr_t)image.bytes, image.size);
    return whole ? 0 : ENOEXEC;
}

bool executable_preloadable(const char *path, char *reason, size_t room)
{
    struct image image;
    bool can = true;
    if (image_open(&image, path)) {
        if (memcmp(image.bytes, ELFMAG, SELFMAG) == 0) {
            can = elf_preloadable(&image, reason, room);
        }
        munmap((void *)(uintptr_t)image.bytes, image.size);
    }
    return can;
}
