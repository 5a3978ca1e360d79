/*
 * cache_http.h - what is used of libmicrohttpd, loaded when a server is asked for: it brings a TLS
 * library with it, which the other commands would carry into each of their processes. Supervisor
 * only.
 */
#ifndef CLI_CACHE_HTTP_H
#define CLI_CACHE_HTTP_H

#include <microhttpd.h>
#include <stdbool.h>

#define CACHE_HTTP_FUNCTIONS(F)                                                                    \
    F(start_daemon)                                                                                \
    F(stop_daemon)                                                                                 \
    F(run_wait)                                                                                    \
    F(get_daemon_info)                                                                             \
    F(create_response_from_buffer)                                                                 \
    F(add_response_header)                                                                         \
    F(queue_response)                                                                              \
    F(destroy_response)                                                                            \
    F(lookup_connection_value)                                                                     \
    F(lookup_connection_value_n)

struct cache_http {
#define FUNCTION(name) __typeof__(&MHD_##name) name;
    CACHE_HTTP_FUNCTIONS(FUNCTION)
#undef FUNCTION
};
extern struct cache_http cache_http;

/* False, after a message: there is none. */
bool cache_http_load(void);

#endif
