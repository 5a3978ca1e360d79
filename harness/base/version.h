/* version.h - the version of tidemark, in one place. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define TIDEMARK_VERSION "0.1.0"

#endif
