#pragma once
// zlib as Swift can call it: what its header says with macros.

#include <zlib.h>

/// Prepares `stream`, all zero, to write the gzip format (RFC 1952) with the usual window and memory.
static inline int weir_gzip_begin(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
}

/// Prepares `stream`, all zero, to read the gzip format and nothing else.
static inline int weir_gunzip_begin(z_stream *stream) {
    return inflateInit2(stream, MAX_WBITS + 16);
}
