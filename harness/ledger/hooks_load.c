/*
 * hooks_load.c - dlclose: what was remembered of unloaded code is void. Runs in the worker.
 * dlopen is left alone: it asks who calls it.
 */
#include "harness/ledger/ledger.h"
#include "harness/ledger/trace.h"

#include <dlfcn.h>

__attribute__((visibility("default"))) int dlclose(void *handle)
{
    static int (*next)(void *);
    if (next == NULL) {
        next = (int (*)(void *))dlsym(RTLD_NEXT, "dlclose");
    }
    if (trace_on) {
        ledger_modules_keep();
    }
    int answer = next(handle);
    trace_code_gone();
    return answer;
}
