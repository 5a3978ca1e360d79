/* redis_address.c - see redis_address.h. Anywhere. */
#include "registry/tiered/redis_address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hexadecimal(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* In place. False: a '%' without two hexadecimal digits after it, or one that stands for a zero. */
static bool decode(char *text)
{
    char *to = text;
    for (char *at = text; *at; at++) {
        *to = *at;
        if (*at == '%') {
            int high = hexadecimal(at[1]), low = high < 0 ? -1 : hexadecimal(at[2]);
            if (low < 0 || (high == 0 && low == 0)) {
                return false;
            }
            *to = (char)(high << 4 | low);
            at += 2;
        }
        to++;
    }
    *to = 0;
    return true;
}

/* Cuts a text at a character; returns what is after it, or NULL. */
static char *cut(char *text, char at)
{
    char *found = strchr(text, at);
    if (found) {
        *found++ = 0;
    }
    return found;
}

static bool options_read(struct redis_address *address, char *options, char *why, size_t why_bytes)
{
    const struct {
        const char *name;
        const char **value;
    } known[] = {{"prefix", &address->prefix},
                 {"ca", &address->ca},
                 {"cert", &address->cert},
                 {"key", &address->key}};
    for (char *next; options && *options; options = next) {
        next = cut(options, '&');
        char *value = cut(options, '=');
        size_t i = 0, count = sizeof known / sizeof known[0];
        while (i < count && strcmp(known[i].name, options) != 0) {
            i++;
        }
        if (i == count || !value || !*value || !decode(value)) {
            snprintf(why, why_bytes,
                     "redis: option '%s' of the address: expected prefix=TEXT, "
                     "ca=FILE, cert=FILE or key=FILE",
                     options);
            return false;
        }
        *known[i].value = value;
    }
    return true;
}

/* [USER][:PASSWORD] */
static bool login_read(struct redis_address *address, char *login)
{
    char *password = cut(login, ':');
    if (!decode(login) || (password && !decode(password))) {
        return false;
    }
    address->user = *login ? login : NULL;
    address->password = password;
    return password != NULL; /* a user without a password is no login */
}

/* HOST[:PORT] */
static bool host_read(struct redis_address *address, char *host)
{
    char *port = NULL;
    if (*host == '[') {
        char *end = strchr(host, ']');
        if (!end || (end[1] && end[1] != ':')) {
            return false;
        }
        port = end[1] ? end + 2 : NULL;
        *end = 0;
        host++;
    } else {
        port = cut(host, ':');
    }
    char *end = NULL;
    unsigned long number = port ? strtoul(port, &end, 10) : 6379;
    if (!*host || (port && (!*port || *end)) || number == 0 || number > 65535) {
        return false;
    }
    address->host = host;
    address->port = port ? port : "6379";
    return true;
}

static bool url_read(struct redis_address *address, char *rest, char *why, size_t why_bytes)
{
    char *database = cut(rest, '/'), *end = NULL;
    char *host = strrchr(rest, '@'); /* a password may hold one */
    if (host) {
        *host++ = 0;
        if (!login_read(address, rest)) {
            snprintf(why, why_bytes,
                     "redis: the login of the address: expected USER:PASSWORD@ or "
                     ":PASSWORD@, other characters as %%XX");
            return false;
        }
    } else {
        host = rest;
    }
    if (!host_read(address, host)) {
        snprintf(why, why_bytes, "redis: '%s' in the address: expected HOST or HOST:PORT", host);
        return false;
    }
    if (database && *database) {
        address->database = (unsigned)strtoul(database, &end, 10);
        if (*end || address->database > 65535) {
            snprintf(why, why_bytes, "redis: database '%s' of the address: expected a number",
                     database);
            return false;
        }
    }
    return true;
}

static bool path_read(struct redis_address *address, char *path, char *why, size_t why_bytes)
{
    address->path = path;
    if (*path == '/' && decode(path)) {
        return true;
    }
    snprintf(why, why_bytes, "redis: '%s': expected the absolute path of a socket", path);
    return false;
}

bool redis_address_read(struct redis_address *address, const char *text, char *why,
                        size_t why_bytes)
{
    text = text && *text ? text : getenv("REDIS_URL");
    *address = (struct redis_address){.prefix = "tidemark"};
    if (!text || !*text) {
        snprintf(why, why_bytes, "redis: no address, and REDIS_URL is not set");
        return false;
    }
    if (strlen(text) >= sizeof address->text) {
        snprintf(why, why_bytes, "redis: the address is longer than %zu bytes",
                 sizeof address->text - 1);
        return false;
    }
    char *rest = strcpy(address->text, text);
    char *scheme_end = strstr(rest, "://");
    if (!options_read(address, cut(rest, '?'), why, why_bytes)) {
        return false;
    }
    if (*rest == '/') {
        return path_read(address, rest, why, why_bytes);
    }
    if (scheme_end) {
        *scheme_end = 0;
        address->tls = strcmp(rest, "rediss") == 0;
        if (strcmp(rest, "unix") == 0) {
            return path_read(address, scheme_end + 3, why, why_bytes);
        }
        if (address->tls || strcmp(rest, "redis") == 0) {
            return url_read(address, scheme_end + 3, why, why_bytes);
        }
    }
    snprintf(why, why_bytes,
             "redis: '%.40s': expected redis://, rediss://, unix:// or a path "
             "that begins with '/'",
             rest);
    return false;
}
