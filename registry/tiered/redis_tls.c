/* redis_tls.c - see redis_tls.h. Runs in the process that caches. */
#include "registry/tiered/redis_tls.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is used of OpenSSL, as its manual has it. */
enum { FILETYPE_PEM = 1, VERIFY_PEER = 1, CTRL_MODE = 33, CTRL_HOSTNAME = 55, NAMETYPE_HOST = 0 };
enum { MODE_PARTIAL_WRITE = 1, MODE_MOVING_BUFFER = 2 };
enum { ERROR_SSL = 1, ERROR_WANT_READ = 2, ERROR_WANT_WRITE = 3, ERROR_ZERO_RETURN = 6 };

static struct openssl {
    void *library;
    const void *(*method)(void);
    void *(*context_new)(const void *method);
    void (*context_free)(void *context);
    int (*default_paths)(void *context);
    int (*locations)(void *context, const char *file, const char *folder);
    void (*set_verify)(void *context, int mode, void *callback);
    int (*use_chain)(void *context, const char *file);
    int (*use_key)(void *context, const char *file, int type);
    void *(*new_)(void *context);
    void (*free_)(void *ssl);
    int (*set_fd)(void *ssl, int fd);
    long (*control)(void *ssl, int command, long number, void *pointer);
    int (*set_host)(void *ssl, const char *name);
    void *(*parameters)(void *ssl);
    int (*set_ip)(void *parameters, const char *address);
    int (*handshake)(void *ssl);
    int (*read)(void *ssl, void *data, int bytes);
    int (*write)(void *ssl, const void *data, int bytes);
    int (*error)(const void *ssl, int result);
    long (*verified)(const void *ssl);
    const char *(*verified_text)(long result);
    unsigned long (*last_error)(void);
    void (*error_text)(unsigned long error, char *text, size_t bytes);
    void (*clear_errors)(void);
} openssl;

static const struct {
    const char *name;
    size_t at;
} symbols[] = {
    {"TLS_client_method", offsetof(struct openssl, method)},
    {"SSL_CTX_new", offsetof(struct openssl, context_new)},
    {"SSL_CTX_free", offsetof(struct openssl, context_free)},
    {"SSL_CTX_set_default_verify_paths", offsetof(struct openssl, default_paths)},
    {"SSL_CTX_load_verify_locations", offsetof(struct openssl, locations)},
    {"SSL_CTX_set_verify", offsetof(struct openssl, set_verify)},
    {"SSL_CTX_use_certificate_chain_file", offsetof(struct openssl, use_chain)},
    {"SSL_CTX_use_PrivateKey_file", offsetof(struct openssl, use_key)},
    {"SSL_new", offsetof(struct openssl, new_)},
    {"SSL_free", offsetof(struct openssl, free_)},
    {"SSL_set_fd", offsetof(struct openssl, set_fd)},
    {"SSL_ctrl", offsetof(struct openssl, control)},
    {"SSL_set1_host", offsetof(struct openssl, set_host)},
    {"SSL_get0_param", offsetof(struct openssl, parameters)},
    {"X509_VERIFY_PARAM_set1_ip_asc", offsetof(struct openssl, set_ip)},
    {"SSL_connect", offsetof(struct openssl, handshake)},
    {"SSL_read", offsetof(struct openssl, read)},
    {"SSL_write", offsetof(struct openssl, write)},
    {"SSL_get_error", offsetof(struct openssl, error)},
    {"SSL_get_verify_result", offsetof(struct openssl, verified)},
    {"X509_verify_cert_error_string", offsetof(struct openssl, verified_text)},
    {"ERR_get_error", offsetof(struct openssl, last_error)},
    {"ERR_error_string_n", offsetof(struct openssl, error_text)},
    {"ERR_clear_error", offsetof(struct openssl, clear_errors)},
};

struct redis_tls {
    void *context, *ssl;
};

/* OpenSSL is never unloaded: it leaves a handler for the end of the process. */
static void library_load(void)
{
    void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    for (size_t i = 0; library && i < sizeof symbols / sizeof symbols[0]; i++) {
        void *symbol = dlsym(library, symbols[i].name);
        if (!symbol) {
            dlclose(library);
            return;
        }
        memcpy((char *)&openssl + symbols[i].at, &symbol, sizeof symbol);
    }
    openssl.library = library;
}

static void say(char *why, size_t why_bytes, const char *what, const char *name)
{
    char reason[120] = "";
    unsigned long error = openssl.last_error();
    if (error) {
        openssl.error_text(error, reason, sizeof reason);
        const char *last = strrchr(reason, ':'); /* the reason is after library and function */
        snprintf(why, why_bytes, "redis: TLS: %s%s: %s", what, name, last ? last + 1 : reason);
    } else {
        snprintf(why, why_bytes, "redis: TLS: %s%s", what, name);
    }
    openssl.clear_errors();
}

static bool context_fill(void *context, const struct redis_address *address, char *why,
                         size_t why_bytes)
{
    openssl.set_verify(context, VERIFY_PEER, NULL);
    if (address->ca ? openssl.locations(context, address->ca, NULL) != 1
                    : openssl.default_paths(context) != 1) {
        say(why, why_bytes, "the authorities of ", address->ca ? address->ca : "the system");
        return false;
    }
    if (address->cert && openssl.use_chain(context, address->cert) != 1) {
        say(why, why_bytes, "the certificate ", address->cert);
        return false;
    }
    const char *key = address->key ? address->key : address->cert;
    if (key && openssl.use_key(context, key, FILETYPE_PEM) != 1) {
        say(why, why_bytes, "the key ", key);
        return false;
    }
    return true;
}

static bool name_set(void *ssl, const char *host)
{
    unsigned char bytes[16];
    if (inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1) {
        return openssl.set_ip(openssl.parameters(ssl), host) == 1;
    }
    return openssl.control(ssl, CTRL_HOSTNAME, NAMETYPE_HOST, (char *)(uintptr_t)host) == 1 &&
           openssl.set_host(ssl, host) == 1;
}

struct redis_tls *redis_tls_new(const struct redis_address *address, int fd, char *why,
                                size_t why_bytes)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, library_load);
    if (!openssl.library) {
        snprintf(why, why_bytes,
                 "redis: TLS: libssl.so.3 cannot be loaded (Debian's package libssl3)");
        return NULL;
    }
    struct redis_tls *tls = calloc(1, sizeof *tls);
    snprintf(why, why_bytes, "redis: TLS: no memory");
    if (!tls) {
        return NULL;
    }
    tls->context = openssl.context_new(openssl.method());
    if (tls->context && context_fill(tls->context, address, why, why_bytes)) {
        tls->ssl = openssl.new_(tls->context);
    }
    if (!tls->ssl || openssl.set_fd(tls->ssl, fd) != 1 || !name_set(tls->ssl, address->host)) {
        redis_tls_free(&tls);
        return NULL;
    }
    openssl.control(tls->ssl, CTRL_MODE, MODE_PARTIAL_WRITE | MODE_MOVING_BUFFER, NULL);
    return tls;
}

void redis_tls_free(struct redis_tls **tls)
{
    if (*tls) {
        if ((*tls)->ssl) {
            openssl.free_((*tls)->ssl);
        }
        if ((*tls)->context) {
            openssl.context_free((*tls)->context);
        }
        free(*tls);
        *tls = NULL;
    }
}

/* OpenSSL writes to the socket by write(): a server that was killed must not kill this process by
 * SIGPIPE, and whose handler that is, is not for a cache to decide. */
struct quiet {
    sigset_t before;
    bool pending;
};

static struct quiet quiet_begin(void)
{
    struct quiet quiet;
    sigset_t pipe, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    quiet.pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe, &quiet.before);
    return quiet;
}

static void quiet_end(const struct quiet *quiet)
{
    const struct timespec none = {0};
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!quiet->pending) {
        sigtimedwait(&pipe, NULL, &none);
    }
    pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
}

static enum tls_wait wait_for(const struct redis_tls *tls, int result)
{
    switch (openssl.error(tls->ssl, result)) {
    case ERROR_WANT_READ:
        return TLS_READ;
    case ERROR_WANT_WRITE:
        return TLS_WRITE;
    default:
        return TLS_BROKEN;
    }
}

enum tls_wait redis_tls_handshake(struct redis_tls *tls, char *why, size_t why_bytes)
{
    struct quiet quiet = quiet_begin();
    openssl.clear_errors();
    int result = openssl.handshake(tls->ssl);
    enum tls_wait wait = result == 1 ? TLS_DONE : wait_for(tls, result);
    if (wait == TLS_BROKEN) {
        long verified = openssl.verified(tls->ssl);
        if (verified != 0) {
            openssl.clear_errors();
            say(why, why_bytes, "the server's certificate: ", openssl.verified_text(verified));
        } else {
            say(why, why_bytes, "no handshake", "");
        }
    }
    quiet_end(&quiet);
    return wait;
}

enum tls_wait redis_tls_write(struct redis_tls *tls, const void *data, size_t bytes, size_t *done)
{
    struct quiet quiet = quiet_begin();
    openssl.clear_errors();
    int result = openssl.write(tls->ssl, data, bytes > 1 << 20 ? 1 << 20 : (int)bytes);
    *done = result > 0 ? (size_t)result : 0;
    enum tls_wait wait = result > 0 ? TLS_DONE : wait_for(tls, result);
    quiet_end(&quiet);
    return wait;
}

enum tls_wait redis_tls_read(struct redis_tls *tls, void *data, size_t room, size_t *done)
{
    struct quiet quiet = quiet_begin();
    openssl.clear_errors();
    int result = openssl.read(tls->ssl, data, room > 1 << 20 ? 1 << 20 : (int)room);
    *done = result > 0 ? (size_t)result : 0;
    enum tls_wait wait = result > 0 ? TLS_DONE
                         : openssl.error(tls->ssl, result) == ERROR_ZERO_RETURN
                             ? TLS_DONE
                             : wait_for(tls, result);
    quiet_end(&quiet);
    return wait;
}
