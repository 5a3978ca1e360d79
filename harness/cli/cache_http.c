/* cache_http.c - see cache_http.h. Supervisor only. */
#include "harness/cli/cache_http.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct cache_http cache_http;

static const struct {
    const char *name;
    size_t at;
} symbols[] = {
#define FUNCTION(name) {"MHD_" #name, offsetof(struct cache_http, name)},
    CACHE_HTTP_FUNCTIONS(FUNCTION)
#undef FUNCTION
};

bool cache_http_load(void)
{
    void *library = dlopen("libmicrohttpd.so.12", RTLD_NOW);
    for (size_t i = 0; library && i < sizeof symbols / sizeof symbols[0]; i++) {
        void *symbol = dlsym(library, symbols[i].name);
        if (!symbol) {
            library = NULL;
        }
        memcpy((char *)&cache_http + symbols[i].at, &symbol, sizeof symbol);
    }
    if (!library) {
        const char *why = dlerror();
        fprintf(stderr,
                "tidemark cache: serve needs libmicrohttpd.so.12 (package libmicrohttpd12): %s\n",
                why ? why : "it is another one");
    }
    return library != NULL;
}
