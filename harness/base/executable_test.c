/* executable_test.c - programs of every kind that cannot be preloaded, from bytes written here. */
#include "harness/base/executable.h"
#include "harness/base/suite.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

struct program {
    Elf64_Ehdr head;
    Elf64_Phdr segments[1];
    Elf64_Shdr sections[2];
    char interpreter[64];
    char names[64], text[64];
};

#if defined __x86_64__
enum { HERE = EM_X86_64, ELSEWHERE = EM_AARCH64 };
#else
enum { HERE = EM_AARCH64, ELSEWHERE = EM_X86_64 };
#endif

static void program_write(const char *path, const struct program *program, mode_t mode)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(program, sizeof *program, 1, file), 1);
    fclose(file);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static struct program program_of(uint16_t machine, uint32_t segment, const char *interpreter,
                                 const char *name)
{
    struct program program = {.head = {.e_type = ET_DYN,
                                       .e_machine = machine,
                                       .e_phoff = offsetof(struct program, segments),
                                       .e_phentsize = sizeof(Elf64_Phdr),
                                       .e_phnum = 1,
                                       .e_shoff = offsetof(struct program, sections),
                                       .e_shentsize = sizeof(Elf64_Shdr),
                                       .e_shnum = 2,
                                       .e_shstrndx = 0},
                              .sections = {[1] = {.sh_type = SHT_STRTAB,
                                                  .sh_offset = offsetof(struct program, names),
                                                  .sh_size = 64}},
                              .text = "__asan_init", /* in the program's data: says nothing */
                              .segments = {{.p_type = segment,
                                            .p_offset = offsetof(struct program, interpreter),
                                            .p_filesz = 64}}};
    memcpy(program.head.e_ident, ELFMAG, SELFMAG);
    program.head.e_ident[EI_CLASS] = ELFCLASS64;
    snprintf(program.interpreter, sizeof program.interpreter, "%s", interpreter);
    snprintf(program.names, sizeof program.names, "%s", name);
    return program;
}

START_TEST(says_why_a_program_cannot_be_preloaded)
{
    static const struct {
        uint16_t machine;
        uint32_t segment;
        const char *interpreter, *name;
        mode_t mode;
        const char *reason; /* NULL: it can */
    } rows[] = {
        {HERE, PT_INTERP, "/lib64/ld-linux-x86-64.so.2", "main", 0755, NULL},
        {HERE, PT_LOAD, "", "main", 0755, "statically linked"},
        {ELSEWHERE, PT_INTERP, "/lib/ld.so", "main", 0755, "not a 64-bit program for"},
        {HERE, PT_INTERP, "/lib/ld-musl-x86_64.so.1", "main", 0755, "musl"},
        {HERE, PT_INTERP, "/lib/ld.so", "main", 04755, "set-user-ID"},
        {HERE, PT_INTERP, "/lib/ld.so", "__asan_init", 0755, "-fsanitize=address"},
        {HERE, PT_INTERP, "/lib/ld.so", "__tsan_init", 0755, "-fsanitize=thread"},
        {HERE, PT_INTERP, "/lib/ld.so", "liblsan.so.0", 0755, "-fsanitize=leak"},
        {HERE, PT_INTERP, "/lib/ld.so", "__asan_init_like", 0755, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[] = "/tmp/tidemark-executable.XXXXXX", reason[256] = "";
        close(mkstemp(path));
        struct program program =
            program_of(rows[i].machine, rows[i].segment, rows[i].interpreter, rows[i].name);
        program_write(path, &program, rows[i].mode);
        bool can = executable_preloadable(path, reason, sizeof reason);
        unlink(path);
        ck_assert_msg(can == (rows[i].reason == NULL), "row %zu: %s", i, reason);
        ck_assert_msg(can || strstr(reason, rows[i].reason) != NULL, "row %zu: %s", i, reason);
    }
}
END_TEST

START_TEST(lets_scripts_damaged_and_absent_files_be_tried)
{
    char path[] = "/tmp/tidemark-executable.XXXXXX", reason[256] = "";
    int fd = mkstemp(path);
    static const char script[] =
        "#!/bin/sh\n# a script long enough to be looked at as a program\nexit 0\n";
    ck_assert_int_eq(write(fd, script, sizeof script - 1), sizeof script - 1);
    close(fd);
    ck_assert(executable_preloadable(path, reason, sizeof reason));
    struct program program = program_of(HERE, PT_INTERP, "/lib/ld.so", "main");
    program.head.e_phoff = UINT64_MAX - 8; /* points far outside: no interpreter found */
    program_write(path, &program, 0755);
    ck_assert(!executable_preloadable(path, reason, sizeof reason));
    unlink(path);
    ck_assert(executable_preloadable(path, reason, sizeof reason));
}
END_TEST

START_TEST(knows_what_the_kernel_would_refuse)
{
    static const struct {
        const char *bytes;
        mode_t mode;
        int error;
    } rows[] = {
        {"#!/bin/sh\nexit 0\n", 0755, 0},
        {"#!/bin/sh\nexit 0\n", 0644, EACCES},
        {"int main(void) {}\n", 0755, ENOEXEC},
        {"", 0755, ENOEXEC},
        {"\177ELF", 0755, ENOEXEC},
        {"\177ELFnothing", 0755, ENOEXEC},
    };
    char path[] = "/tmp/tidemark-executable.XXXXXX";
    close(mkstemp(path));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FILE *file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        fputs(rows[i].bytes, file);
        fclose(file);
        ck_assert_int_eq(chmod(path, rows[i].mode), 0);
        ck_assert_msg(executable_error(path) == rows[i].error, "row %zu: %s", i,
                      strerror(executable_error(path)));
    }
    struct program program = program_of(HERE, PT_INTERP, "/lib/ld.so", "main");
    program_write(path, &program, 0755);
    ck_assert_int_eq(executable_error(path), 0);
    program.head.e_phoff = UINT64_MAX - 8; /* cut off, or damaged */
    program_write(path, &program, 0755);
    ck_assert_int_eq(executable_error(path), ENOEXEC);
    unlink(path);
    ck_assert_int_eq(executable_error(path), ENOENT);
    ck_assert_int_eq(executable_error("/tmp"), EISDIR);
}
END_TEST

/* CAP_NET_RAW, permitted and effective, as the kernel keeps it. */
static const unsigned char capability[] = {0x01, 0x00, 0x00, 0x02, 0x00, 0x20, 0x00,
                                           0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                           0x00, 0x00, 0x00, 0x00, 0x00, 0x00};

static int status_as_nobody(const char *path)
{
    char reason[256] = "";
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        bool dropped = setgid(65534) == 0 && setuid(65534) == 0;
        bool can = executable_preloadable(path, reason, sizeof reason);
        _exit(!dropped ? 2 : can ? 1 : strstr(reason, "it has file capabilities") ? 0 : 3);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Only root can give a file capabilities, and only others gain by them. */
START_TEST(knows_file_capabilities)
{
    char path[] = "/tmp/tidemark-executable.XXXXXX", reason[256] = "";
    struct program program = program_of(HERE, PT_INTERP, "/lib/ld.so", "main");
    close(mkstemp(path));
    program_write(path, &program, 0755);
    bool given = setxattr(path, "security.capability", capability, sizeof capability, 0) == 0;
    if (given) {
        ck_assert(executable_preloadable(path, reason, sizeof reason));
        ck_assert_int_eq(status_as_nobody(path), 0);
        ck_assert_int_eq(removexattr(path, "security.capability"), 0);
        ck_assert_int_eq(status_as_nobody(path), 1);
    }
    unlink(path);
}
END_TEST

SUITE("executable", &knows_file_capabilities, &says_why_a_program_cannot_be_preloaded,
      &lets_scripts_damaged_and_absent_files_be_tried, &knows_what_the_kernel_would_refuse)
