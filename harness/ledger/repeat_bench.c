/*
 * repeat_bench.c - a preload that calls a program's main again and again in one process, so that a
 * test suite of milliseconds can be measured without its start: for overhead_bench, below whatever
 * is measured. Not part of libtidemark.so.
 *
 * TIDEMARK_BENCH_REPEAT=N  how often; once when not set
 *
 * A main that ends by exit() is begun again as well; exit handlers run once, at the end.
 */
#include <dlfcn.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef int program_main(int, char **, char **);
typedef int libc_start(program_main *, int, char **, void (*)(void), void (*)(void), void (*)(void),
                       void *);
typedef void libc_exit(int);

EXPORT libc_start __libc_start_main;

static program_main *again;
static volatile int left = 1;
static pid_t begun_in;
static jmp_buf next;

static int main_repeated(int argc, char **argv, char **env)
{
    volatile int status = 0;
    const char *times = getenv("TIDEMARK_BENCH_REPEAT");
    left = times != NULL ? atoi(times) : 1;
    begun_in = getpid();
    int ended = setjmp(next);
    status = ended != 0 ? ended - 1 : status;
    while (left > 0) {
        left--;
        optind = 1;
        status = again(argc, argv, env);
    }
    return status;
}

EXPORT void exit(int status)
{
    if (left > 0 && gettid() == begun_in) {
        longjmp(next, (status & 0xff) + 1);
    }
    libc_exit *end = (libc_exit *)dlsym(RTLD_NEXT, "exit");
    end(status);
    _exit(status);
}

int __libc_start_main(program_main *begin, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*linker)(void), void *stack)
{
    libc_start *start = (libc_start *)dlsym(RTLD_NEXT, "__libc_start_main");
    again = begin;
    return start(main_repeated, argc, argv, init, fini, linker, stack);
}
