"""JSON Web Tokens to verify: made once by the `openssl` program, kept in bench/.work/tokens."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import time

from .children import WORK, Failure

REMEMBERED, FIRST = 1000, 200
SECRET = b"the bench has a shared secret of forty bytes"
# algorithm: how its key is made, how a signature is, the bytes of each half of an ECDSA one
ALGORITHMS = {
    "HS256": None,
    "RS256": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], ["dgst", "-sha256", "-sign"], 0),
    "PS256": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
              ["dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1", "-sign"], 0),
    "ES256": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], ["dgst", "-sha256", "-sign"], 32),
    "ES384": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], ["dgst", "-sha384", "-sign"], 48),
    "EdDSA": (["-algorithm", "ED25519"], None, 0),
}


def folder():
    return os.path.join(WORK, "tokens")


def make():
    """Writes, for every algorithm, `NAME.key` (public PEM, or the secret) and `NAME.tokens`, one a line; they
    are good for ten years."""
    os.makedirs(folder(), exist_ok=True)
    for name, how in ALGORITHMS.items():
        path = os.path.join(folder(), f"{name}.tokens")
        if os.path.exists(path):
            continue
        signer = _shared if how is None else _signer(name, *how)
        number = REMEMBERED if name in ("HS256", "RS256") else FIRST
        made = [_token(name, index, signer) for index in range(number)]
        if how is None:
            with open(os.path.join(folder(), f"{name}.key"), "wb") as file:
                file.write(SECRET)
        with open(path + ".new", "w") as file:
            file.write("\n".join(made) + "\n")
        os.rename(path + ".new", path)
        for leftover in (f"{name}.private", "signed"):
            if os.path.exists(os.path.join(folder(), leftover)):
                os.remove(os.path.join(folder(), leftover))


def _token(algorithm, index, sign):
    now = int(time.time())
    claims = {"iss": "https://issuer.example", "aud": "bench", "sub": f"user-{index:06}", "company_id": f"c{index % 50}",
              "plan": "pro", "iat": now, "exp": now + 10 * 365 * 86_400, "email": f"user-{index:06}@example.com"}
    text = ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode())
                    for part in ({"alg": algorithm, "typ": "JWT"}, claims))
    return f"{text}.{_encoded(sign(text.encode()))}"


def _encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _shared(data):
    return hmac.new(SECRET, data, hashlib.sha256).digest()


def _signer(name, key_options, sign_options, half):
    private = os.path.join(folder(), f"{name}.private")
    _openssl("genpkey", *key_options, "-out", private)
    _openssl("pkey", "-in", private, "-pubout", "-out", os.path.join(folder(), f"{name}.key"))
    scratch = os.path.join(folder(), "signed")

    def sign(data):
        if sign_options is None:
            # A one-shot algorithm wants a file.
            with open(scratch, "wb") as file:
                file.write(data)
            return _openssl("pkeyutl", "-sign", "-inkey", private, "-rawin", "-in", scratch)
        signature = _openssl(*sign_options, private, input=data)
        return _halves(signature, half) if half else signature

    return sign


def _openssl(*arguments, input=None):
    try:
        return subprocess.run(["openssl", *arguments], input=input, check=True, capture_output=True).stdout
    except FileNotFoundError:
        raise Failure("no `openssl` program to make tokens with; install it") from None


def _halves(der, size):
    """The two numbers of an ECDSA signature, one behind the other, as JWS wants them (RFC 7518 §3.4)."""
    numbers, position = [], 2
    for _ in range(2):
        length = der[position + 1]
        numbers.append(int.from_bytes(der[position + 2:position + 2 + length], "big"))
        position += 2 + length
    return b"".join(number.to_bytes(size, "big") for number in numbers)
