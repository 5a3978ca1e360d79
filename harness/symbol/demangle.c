/* demangle.c - see demangle.h. */
#include "harness/symbol/demangle.h"

#include "harness/base/memory.h"
#include "harness/base/text.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_SHOWN = 24 /* bytes of a template's arguments */ };

typedef char *demangle_function(const char *mangled, char *buffer, size_t *bytes, int *status);

static demangle_function *demangle_find(void)
{
    static bool is_looked;
    static uintptr_t found;
    if (!is_looked) {
        is_looked = true;
        void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
        found = library == NULL ? 0 : (uintptr_t)dlsym(library, "__cxa_demangle");
    }
    return (demangle_function *)found;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* Where an operator's own name ends: "operator()", "operator<<", "operator new[]", "operator bool".
 */
static const char *operator_end(const char *at)
{
    at += strlen("operator");
    if (begins(at, "()")) {
        return at + 2;
    }
    if (*at == ' ') { /* new, delete, or the type that it converts to */
        while (*at != '\0' && *at != '(') {
            at++;
        }
        return at;
    }
    while (*at != '\0' && strchr("+-*/%^&|~!=<>,[]", *at) != NULL) {
        at++;
    }
    return at;
}

/* What stands between two brackets, which may hold others. */
static const char *bracket_end(const char *at, char open, char close)
{
    unsigned depth = 0;
    for (; *at != '\0'; at++) {
        if (*at == '-' && at[1] == '>') {
            at++;
        } else if (*at == open) {
            depth++;
        } else if (*at == close && --depth == 0) {
            return at + 1;
        }
    }
    return at;
}

static void arguments_put(struct text *text, const char *from, const char *end)
{
    if ((size_t)(end - from) > ARGUMENTS_SHOWN + 2) {
        text_put(text, "<...>");
    } else {
        text_put_bytes(text, from, (size_t)(end - from));
    }
}

char *demangle_shorten(const char *name)
{
    static const char nameless[] = "(anonymous namespace)";
    struct text text = {0};
    const char *at = name;
    while (*at != '\0') {
        bool fresh = at == name || !is_name(at[-1]);
        const char *from = at;
        if (begins(at, nameless)) {
            at += sizeof nameless - 1;
            text_put(&text, nameless);
        } else if (fresh && begins(at, "operator") && !is_name(at[8])) {
            at = operator_end(at);
            text_put_bytes(&text, from, (size_t)(at - from));
        } else if (*at == '<') {
            at = bracket_end(at, '<', '>');
            arguments_put(&text, from, at);
        } else if (*at == '{') { /* {lambda(int)#1} */
            at = bracket_end(at, '{', '}');
            text_put_bytes(&text, from, (size_t)(at - from));
        } else if (*at == '(') {
            at = bracket_end(at, '(', ')');
            if (strstr(at, "::") == NULL) {
                break; /* the parameters, and "const" behind them */
            }
        } else if (*at == ' ') { /* what stood before is the type that it returns */
            at++;
            text_reset(&text);
        } else {
            text_put_char(&text, *at++);
        }
    }
    if (text.length == 0) {
        text_put(&text, name);
    }
    return text_take(&text);
}

char *demangle(const char *name)
{
    demangle_function *function = begins(name, "_Z") ? demangle_find() : NULL;
    int status = -1;
    char *whole = function == NULL ? NULL : function(name, NULL, NULL, &status);
    char *short_name = whole != NULL && status == 0 ? demangle_shorten(whole) : memory_copy(name);
    free(whole);
    return short_name;
}
