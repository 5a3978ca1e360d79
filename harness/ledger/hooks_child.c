/*
 * hooks_child.c - libc's functions that start processes, become another program or wait for a
 * child: counted, and passed on. popen is in hooks_fd.c. A raw system call goes by. Runs in the
 * worker and in its children, on any thread.
 */
#include "harness/ledger/children.h"
#include "harness/ledger/descriptor.h"
#include "harness/ledger/resource.h"
#include "harness/ledger/unwind.h"
#include "harness/meter/meter.h"

#include <alloca.h>
#include <dlfcn.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default"))) UNWIND_HOOK_SECTION

#define FRAME __builtin_frame_address(0)

/* Somebody has to wait for it. */
static void child_made(pid_t pid, const void *frame)
{
    meter_child_touched();
    resource_open(WIRE_SITE_CHILD, (uint64_t)pid, frame);
}

EXPORT pid_t fork(void)
{
    bool own = children_fork_is_own();
    pid_t pid = NEXT_FUNCTION(fork)();
    if (pid > 0) {
        children_forked();
        if (!own) {
            child_made(pid, FRAME);
        }
    }
    return pid;
}

/* Those that have ended are gone by being waited for. */
static pid_t waited(pid_t pid, int status)
{
    if (pid > 0 && (WIFEXITED(status) || WIFSIGNALED(status))) {
        resource_close(WIRE_SITE_CHILD, (uint64_t)pid);
    }
    return pid;
}

EXPORT pid_t wait(int *given)
{
    int here = 0, *status = given != NULL ? given : &here;
    pid_t pid = NEXT_FUNCTION(wait)(status);
    return waited(pid, *status);
}

EXPORT pid_t waitpid(pid_t wanted, int *given, int options)
{
    int here = 0, *status = given != NULL ? given : &here;
    pid_t pid = NEXT_FUNCTION(waitpid)(wanted, status, options);
    return waited(pid, *status);
}

EXPORT pid_t wait4(pid_t wanted, int *given, int options, struct rusage *usage)
{
    int here = 0, *status = given != NULL ? given : &here;
    pid_t pid = NEXT_FUNCTION(wait4)(wanted, status, options, usage);
    return waited(pid, *status);
}

/* The child runs on the parent's stack and returns from here first, so nothing of this function may
 * be on it: counted, then a jump. */
void *hooks_child_vfork __attribute__((visibility("hidden")));
void hooks_child_vforked(void) __attribute__((visibility("hidden"), used));
void hooks_child_vforked(void)
{
    children_program(NULL);
    meter_child_touched(); /* its number is not known here, nor its line */
    if (hooks_child_vfork == NULL) {
        hooks_child_vfork = dlsym(RTLD_NEXT, "vfork");
    }
}

#if defined(__x86_64__)
__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, @function\n"
        "vfork:\n"
        "    .cfi_startproc\n"
        "    sub $8, %rsp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    call hooks_child_vforked\n"
        "    add $8, %rsp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    jmp *hooks_child_vfork(%rip)\n"
        "    .cfi_endproc\n"
        ".size vfork, . - vfork\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, %function\n"
        "vfork:\n"
        "    .cfi_startproc\n"
        "    stp x29, x30, [sp, #-16]!\n"
        "    .cfi_adjust_cfa_offset 16\n"
        "    bl hooks_child_vforked\n"
        "    ldp x29, x30, [sp], #16\n"
        "    .cfi_adjust_cfa_offset -16\n"
        "    adrp x16, hooks_child_vfork\n"
        "    ldr x16, [x16, :lo12:hooks_child_vfork]\n"
        "    br x16\n"
        "    .cfi_endproc\n"
        ".size vfork, . - vfork\n");
#endif

EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    pid_t here;
    pid = pid != NULL ? pid : &here;
    int answer = NEXT_FUNCTION(posix_spawn)(pid, path, actions, attributes, argv, envp);
    if (answer == 0) {
        children_program(path);
        child_made(*pid, FRAME);
    }
    return answer;
}

EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    pid_t here;
    pid = pid != NULL ? pid : &here;
    int answer = NEXT_FUNCTION(posix_spawnp)(pid, file, actions, attributes, argv, envp);
    if (answer == 0) {
        children_program(file);
        child_made(*pid, FRAME);
    }
    return answer;
}

EXPORT int system(const char *command)
{
    if (command != NULL) {
        children_program(command);
    }
    return NEXT_FUNCTION(system)(command);
}

/* Not a thread's: a child on a stack of its own, whose allocations nobody follows. */
EXPORT int clone(int (*start)(void *), void *stack, int flags, void *argument, ...)
{
    va_list more;
    va_start(more, argument);
    pid_t *parent = va_arg(more, pid_t *);
    void *tls = va_arg(more, void *);
    pid_t *child = va_arg(more, pid_t *);
    va_end(more);
    int pid = NEXT_FUNCTION(clone)(start, stack, flags, argument, parent, tls, child);
    if (pid > 0 && (flags & CLONE_THREAD) == 0) {
        children_forked();
        child_made(pid, FRAME);
    }
    return pid;
}

/* A program that takes this one's place. */
#define BECOMES(name, parameters, arguments, program)                                              \
    EXPORT int name parameters                                                                     \
    {                                                                                              \
        bool child = children_child_becomes(program);                                              \
        int answer = NEXT_FUNCTION(name) arguments;                                                \
        if (child) {                                                                               \
            children_child_stays();                                                                \
        }                                                                                          \
        return answer;                                                                             \
    }

BECOMES(execve, (const char *path, char *const argv[], char *const envp[]), (path, argv, envp),
        path)
BECOMES(execv, (const char *path, char *const argv[]), (path, argv), path)
BECOMES(execvp, (const char *file, char *const argv[]), (file, argv), file)
BECOMES(execvpe, (const char *file, char *const argv[], char *const envp[]), (file, argv, envp),
        file)
BECOMES(fexecve, (int fd, char *const argv[], char *const envp[]), (fd, argv, envp), argv[0])

/* Their arguments into an array, on the stack: they may be called in a child of vfork. */
#define ARGUMENTS(first, last, argv)                                                               \
    va_list arguments;                                                                             \
    size_t count = 1;                                                                              \
    va_start(arguments, last);                                                                     \
    while (va_arg(arguments, const char *) != NULL) {                                              \
        count++;                                                                                   \
    }                                                                                              \
    va_end(arguments);                                                                             \
    char **argv = alloca((count + 1) * sizeof *argv);                                              \
    argv[0] = (char *)(uintptr_t)(first);                                                          \
    va_start(arguments, last);                                                                     \
    for (size_t i = 1; i <= count; i++) {                                                          \
        argv[i] = va_arg(arguments, char *);                                                       \
    }

EXPORT int execl(const char *path, const char *argument, ...)
{
    ARGUMENTS(argument, argument, argv)
    va_end(arguments);
    return execv(path, argv);
}

EXPORT int execlp(const char *file, const char *argument, ...)
{
    ARGUMENTS(argument, argument, argv)
    va_end(arguments);
    return execvp(file, argv);
}

EXPORT int execle(const char *path, const char *argument, ...)
{
    ARGUMENTS(argument, argument, argv)
    char *const *environment = va_arg(arguments, char *const *);
    va_end(arguments);
    return execve(path, argv, environment);
}
