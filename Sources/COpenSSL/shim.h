#pragma once
// OpenSSL 3.0 as Swift can call it: what its headers say with macros, and the few sequences of calls whose
// temporary objects should not be Swift's to free. Every function empties the thread's error queue when it fails:
// an old error would be taken for the reason of a later one.

// The SHA256_… functions are deprecated for EVP, which looks the algorithm up by name in every call and so costs
// several times the digest of a short text. They run the same code on the same processor extensions.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>

/// The SHA-256 of `count` bytes, written to 32 bytes at `digest`.
static inline void weir_sha256(const void *data, size_t count, uint8_t *digest) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, data, count);
    SHA256_Final(digest, &context);
}

/// Whether `tag` is the HMAC-SHA256 of the text; compared in constant time.
static inline int weir_hmac_sha256_matches(
    const uint8_t *key, size_t key_count, const uint8_t *text, size_t count, const uint8_t *tag) {
    uint8_t expected[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (!HMAC(EVP_sha256(), key, (int)key_count, text, count, expected, &length) || length != 32) {
        ERR_clear_error();
        return 0;
    }
    return CRYPTO_memcmp(expected, tag, 32) == 0;
}

/// What a public key is for. RSA below 2048 bits or beyond 8192, even exponents and 1, and other curves are 0.
enum weir_key_kind { WEIR_KEY_UNSUPPORTED, WEIR_KEY_RSA, WEIR_KEY_P256, WEIR_KEY_P384, WEIR_KEY_ED25519 };

static inline int weir_key_rsa_is_sound(EVP_PKEY *key) {
    int bits = EVP_PKEY_get_bits(key);
    BIGNUM *n = NULL, *e = NULL;
    int sound = bits >= 2048 && bits <= 8192
        && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n)
        && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e)
        && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) && BN_num_bits(e) <= 64;
    BN_free(n);
    BN_free(e);
    return sound;
}

static inline int weir_key_kind(EVP_PKEY *key) {
    int kind = WEIR_KEY_UNSUPPORTED;
    char group[64];
    size_t length = 0;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        if (weir_key_rsa_is_sound(key)) kind = WEIR_KEY_RSA;
        break;
    case EVP_PKEY_EC:
        if (!EVP_PKEY_get_group_name(key, group, sizeof group, &length)) break;
        if (strcmp(group, SN_X9_62_prime256v1) == 0) kind = WEIR_KEY_P256;
        if (strcmp(group, SN_secp384r1) == 0) kind = WEIR_KEY_P384;
        break;
    case EVP_PKEY_ED25519:
        kind = WEIR_KEY_ED25519;
        break;
    }
    if (kind == WEIR_KEY_UNSUPPORTED) ERR_clear_error();
    return kind;
}

/// A key that must have used up all `count` bytes it was read from; otherwise `NULL`.
static inline EVP_PKEY *weir_key_checked(EVP_PKEY *key, const uint8_t *at, const uint8_t *end) {
    if (key && at == end) return key;
    EVP_PKEY_free(key);
    ERR_clear_error();
    return NULL;
}

/// SubjectPublicKeyInfo: PEM's `PUBLIC KEY`.
static inline EVP_PKEY *weir_key_read_spki(const uint8_t *bytes, size_t count) {
    const uint8_t *at = bytes;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)count);
    return weir_key_checked(key, at, bytes + count);
}

/// PKCS #1: PEM's `RSA PUBLIC KEY`.
static inline EVP_PKEY *weir_key_read_pkcs1(const uint8_t *bytes, size_t count) {
    const uint8_t *at = bytes;
    EVP_PKEY *key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)count);
    return weir_key_checked(key, at, bytes + count);
}

/// The key of an X.509 certificate. Nothing else in the certificate is looked at.
static inline EVP_PKEY *weir_key_read_certificate(const uint8_t *bytes, size_t count) {
    const uint8_t *at = bytes;
    X509 *certificate = d2i_X509(NULL, &at, (long)count);
    EVP_PKEY *key = certificate ? X509_get_pubkey(certificate) : NULL;
    X509_free(certificate);
    return weir_key_checked(key, at, bytes + count);
}

/// A public key of the type from the parameters, which are freed.
static inline EVP_PKEY *weir_key_build(const char *type, OSSL_PARAM_BLD *builder) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = builder ? OSSL_PARAM_BLD_to_param(builder) : NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!parameters || !context || EVP_PKEY_fromdata_init(context) != 1
        || EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
        ERR_clear_error();
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

/// An RSA key of modulus and exponent, both big-endian.
static inline EVP_PKEY *weir_key_make_rsa(
    const uint8_t *n, size_t n_count, const uint8_t *e, size_t e_count) {
    BIGNUM *modulus = BN_bin2bn(n, (int)n_count, NULL);
    BIGNUM *exponent = BN_bin2bn(e, (int)e_count, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder && modulus && exponent) {
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus);
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent);
    }
    EVP_PKEY *key = weir_key_build("RSA", builder);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}

/// A key on P-256 (`is384` 0) or P-384 of an uncompressed point, which must lie on the curve.
static inline EVP_PKEY *weir_key_make_ec(int is384, const uint8_t *point, size_t count) {
    const char *group = is384 ? SN_secp384r1 : SN_X9_62_prime256v1;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder) {
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, count);
    }
    return weir_key_build("EC", builder);
}

/// An Ed25519 key of its 32 bytes.
static inline EVP_PKEY *weir_key_make_ed25519(const uint8_t *bytes, size_t count) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, count);
    if (!key) ERR_clear_error();
    return key;
}

/// Whether the signature is the key's for the text. `bits`: the SHA-2 in use, 0 for Ed25519, which has its own.
/// `pss`: RSASSA-PSS with a salt as long as the digest (RFC 7518 §3.5) instead of PKCS #1 v1.5.
static inline int weir_verify(
    EVP_MD_CTX *context, EVP_PKEY *key, int bits, int pss, const uint8_t *signature, size_t signature_count,
    const uint8_t *text, size_t count) {
    const EVP_MD *digest = bits == 256 ? EVP_sha256()
        : bits == 384 ? EVP_sha384() : bits == 512 ? EVP_sha512() : NULL;
    EVP_PKEY_CTX *options = NULL;
    int good = EVP_DigestVerifyInit(context, &options, digest, NULL, key) == 1;
    if (good && pss) {
        good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1
            && EVP_PKEY_CTX_set_rsa_mgf1_md(options, digest) == 1
            && EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    good = good && EVP_DigestVerify(context, signature, signature_count, text, count) == 1;
    if (!good) ERR_clear_error();
    EVP_MD_CTX_reset(context);
    return good;
}

/// One block of a PEM file; both pointers are freed by `weir_pem_free`.
struct weir_pem {
    char *name;
    uint8_t *bytes;
    long count;
};

/// Reads the next block: 1, 0 at the end of the file, -1 when it is malformed.
static inline int weir_pem_next(BIO *file, struct weir_pem *block) {
    char *header = NULL;
    block->name = NULL;
    block->bytes = NULL;
    block->count = 0;
    int good = PEM_read_bio(file, &block->name, &header, &block->bytes, &block->count);
    OPENSSL_free(header);
    if (good) return 1;
    int ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return ended ? 0 : -1;
}

static inline void weir_pem_free(struct weir_pem *block) {
    OPENSSL_free(block->name);
    OPENSSL_clear_free(block->bytes, (size_t)block->count);
    block->name = NULL;
    block->bytes = NULL;
    block->count = 0;
}

#include "tls.h"
