#pragma once
// TLS over memory: the macros of OpenSSL that Swift cannot import, as functions.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/// TLS 1.2 at least, no renegotiation, no compression.
static inline int weir_tls_restrict(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    return (int)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

/// Nothing newer than TLS 1.`minor`.
static inline int weir_tls_allow_up_to(SSL_CTX *context, int minor) {
    return (int)SSL_CTX_set_max_proto_version(context, TLS1_VERSION + minor);
}

/// Names the server in the handshake (RFC 6066 §3).
static inline int weir_tls_name_server(SSL *connection, const char *name) {
    return (int)SSL_set_tlsext_host_name(connection, name);
}

/// Makes an empty memory BIO mean the end of what the peer sends, and no longer "not yet".
static inline void weir_bio_end(BIO *memory) { BIO_set_mem_eof_return(memory, 0); }

/// Whether `error` says that the peer ended its bytes without ending TLS.
static inline int weir_tls_is_truncation(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

/// Whether `error` says that the peer's certificate was not accepted.
static inline int weir_tls_is_distrust(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED;
}

/// Whether `error` says that a PEM text has no further part.
static inline int weir_pem_is_end(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}
