import Primitives
import Testing

@testable import Identity

// The examples of RFC 7515, appendix A. All three sign the same claims, which expired in 2011.
private let payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
private let beforeExpiry = seconds(1_300_819_379)

private let hs256 =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + payload
    + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
private let hs256Secret =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"

private let rs256 =
    "eyJhbGciOiJSUzI1NiJ9." + payload + "."
    + "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
    + "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
    + "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
    + "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
private let rs256Key =
    #"{"kty":"RSA","e":"AQAB","n":""#
    + "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4"
    + "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re"
    + "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX"
    + "FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ" + #""}"#

private let es256 =
    "eyJhbGciOiJFUzI1NiJ9." + payload
    + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
private let es256Key =
    #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
    + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#

@Test func `the tokens of RFC 7515, appendix A, are verified and their claims read`() throws {
    let cases = [
        (hs256, [TokenKey.secret(try #require(decoded(hs256Secret)))]),
        (rs256, try #require(keySet(rs256Key))), (es256, try #require(keySet(es256Key))),
    ]
    for (token, keys) in cases {
        var worker = Verifying(keys: keys, claims: ["http://example.com/is_root", "iss"]) {
            $0.user = [.claim("iss")]
            $0.jwt?.issuer = "joe"
            $0.jwt?.leeway = .zero
        }
        #expect(worker.take(token, at: beforeExpiry) == .token)
        #expect(worker.identity.texts.user == "joe")
        #expect(worker.identity.claimText(0) == nil, "it is neither text nor a number")
        #expect(worker.identity.claimText(1) == "joe")
        var late = Verifying(keys: keys) { $0.jwt?.leeway = .zero }
        #expect(late.take(token, at: seconds(1_300_819_380)) == .invalidToken(.expired))
    }
}

@Test func `a token of one appendix is not verified by the key of another`() throws {
    let others = try #require(keySet(rs256Key, es256Key))
    var worker = Verifying(keys: others)
    #expect(worker.take(hs256, at: beforeExpiry) == .invalidToken(.algorithm))
    var hmacOnly = Verifying()
    #expect(hmacOnly.take(hs256, at: beforeExpiry) == .invalidToken(.signature))
    #expect(hmacOnly.take(rs256, at: beforeExpiry) == .invalidToken(.algorithm))
}

@Test func `the Ed25519 signature of RFC 8037, appendix A, is verified`() throws {
    let bytes = try #require(decoded("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))
    let key = try #require(PublicKey(ed25519: bytes))
    let signed = Array("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8)
    var signature = try #require(
        decoded(
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        ))
    let verifier = SignatureVerifier()
    let good = verifier.verifies(signature.span, of: signed.span, by: key, bits: 0, isPSS: false)
    #expect(good)
    signature[0] ^= 1
    let bad = verifier.verifies(signature.span, of: signed.span, by: key, bits: 0, isPSS: false)
    #expect(!bad)
    #expect(errorsLeftBehind == 0)
    // Its payload is no JSON: as a token it is refused.
    var worker = Verifying(keys: [SigningKey.ed25519.verifying])
    let text =
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc." + base64(signature)
    #expect(worker.take(text) == .invalidToken(.malformed))
}

@Test func `digests are those of FIPS 180-4`() {
    func hex(_ text: String) -> String {
        APIKeyEntry.digest(of: Array(text.utf8)).map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }.joined()
    }
    #expect(hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
        hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
            == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
}
