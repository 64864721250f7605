import Primitives
import Testing

@testable import Identity

private func read(_ text: String) -> Result<[TokenKey], TokenKeyError> {
    do throws(TokenKeyError) {
        return .success(try TokenKey.pem(Array(text.utf8)))
    } catch {
        return .failure(error)
    }
}

private func problem(_ result: Result<[TokenKey], TokenKeyError>) -> TokenKeyError? {
    if case .failure(let error) = result { return error }
    return nil
}

private func setProblem(_ text: String) -> TokenKeyError? {
    do throws(TokenKeyError) {
        _ = try TokenKey.jwks(Array(text.utf8))
        return nil
    } catch {
        return error
    }
}

@Test func `a PEM file gives its public keys and those of its certificates, in order`() throws {
    let rsa = SigningKey.rsa
    let text =
        "Some words before\n" + pem("PUBLIC KEY", SigningKey.p256.publicKey)
        + pem("EC PARAMETERS", [6, 1, 1]) + pem("CERTIFICATE", rsa.certificate)
        + pem("RSA PUBLIC KEY", SigningKey.otherRSA.rsaPublicKey)
        + pem("PUBLIC KEY", SigningKey.ed25519.publicKey)
    let keys = try read(text).get()
    #expect(keys.count == 4)
    #expect(keys.allSatisfy { $0.id == nil })
    for (key, signer) in zip(
        keys,
        [
            .key(.p256, .ES256), .key(rsa, .RS256), .key(.otherRSA, .PS256),
            .key(.ed25519, .EdDSA),
        ] as [Signer])
    {
        var worker = Verifying(keys: [key])
        #expect(worker.take(token(by: signer)) == .token)
    }
    #expect(errorsLeftBehind == 0)
}

@Test func `what is no public key is refused`() {
    let good = pem("PUBLIC KEY", SigningKey.p256.publicKey)
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
        #expect(problem(read(good + pem(label, [48, 0]))) == .malformed)
    }
    for empty in ["", "words", pem("X509 CRL", [48, 0])] {
        #expect(problem(read(empty)) == .noKey)
    }
    for damaged in [
        good + "-----BEGIN PUBLIC KEY-----\n", good.replacing("=", with: "*"),
        "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n",
        good.replacing("END PUBLIC", with: "END RSA PUBLIC"),
    ] {
        #expect(problem(read(damaged)) == .malformed, "\(damaged)")
    }
    for weak in [
        SigningKey(.rsa(1024)).publicKey, SigningKey(.p521).publicKey, [48, 0], [],
        SigningKey.p256.publicKey + [0], Array(SigningKey.p256.publicKey.dropLast()),
    ] {
        #expect(problem(read(good + pem("PUBLIC KEY", weak))) != nil)
    }
    #expect(problem(read(pem("CERTIFICATE", SigningKey(.rsa(1024)).certificate))) == .unsupported)
    let many = String(repeating: good, count: IdentityBounds.keysMax + 1)
    #expect(problem(read(many)) == .malformed)
    let large = [UInt8](repeating: 10, count: IdentityBounds.keyFileBytesMax + 1)
    #expect(throws: TokenKeyError.malformed) { _ = try TokenKey.pem(large) }
    #expect(errorsLeftBehind == 0)
}

@Test func `a key set gives its keys with their ids`() throws {
    let keys = try #require(
        keySet(
            SigningKey.rsa.jwk(#","kid":"r","use":"sig","alg":"RS256","x5c":["AA"]"#),
            SigningKey.p256.jwk(#","kid":"p","key_ops":["verify"]"#),
            SigningKey.p384.jwk(#","kid":"\u0070""#), SigningKey.ed25519.jwk()))
    #expect(keys.map(\.id) == ["r", "p", "p", nil])
    let signers: [(Signer, String?)] = [
        (.key(.rsa, .RS256), "r"), (.key(.p256, .ES256), "p"), (.key(.p384, .ES384), "p"),
        (.key(.ed25519, .EdDSA), nil), (.key(.ed25519, .EdDSA), "p"),
    ]
    for (signer, kid) in signers {
        var worker = Verifying(keys: keys)
        #expect(worker.take(token(by: signer, kid: kid)) == .token)
    }
    // The key's `alg` narrows what it can do.
    var worker = Verifying(keys: keys)
    #expect(
        worker.take(token(by: .key(.rsa, .PS256), kid: "r")) == .invalidToken(.algorithm))
}

@Test func `keys of a set that cannot be used are left out, and secrets always`() throws {
    let rsa = SigningKey.rsa
    let n = base64(rsa.number("n"))
    let half = base64(SigningKey.p256.point.dropLast(32))
    let oct = #"{"kty":"oct","kid":"s","alg":"HS256","k":"\#(base64(secret))"}"#
    let useless = [
        oct, #"{"kty":"oct","k":"\#(base64(secret))"}"#, "{}", #"{"kty":"RSA"}"#,
        #"{"kty":"new","x":"AQAB"}"#, #"{"kty":7}"#, #"{"kty":"RSA","n":"\#(n)"}"#,
        #"{"kty":"RSA","n":"\#(n)","e":""}"#, #"{"kty":"RSA","n":"\#(n)","e":"AQ"}"#,
        #"{"kty":"RSA","n":"\#(n)","e":"Ag"}"#, #"{"kty":"RSA","n":"\#(n)","e":"AQAB="}"#,
        #"{"kty":"RSA","n":"\#(n)","e":7}"#, #"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
        #"{"kty":"RSA","n":"\#(n)\#(n)\#(n)\#(n)\#(n)\#(n)","e":"AQAB"}"#,
        SigningKey(.rsa(1024)).jwk(), rsa.jwk(#","use":"enc""#), rsa.jwk(#","use":7"#),
        rsa.jwk(#","key_ops":["encrypt"]"#), rsa.jwk(#","key_ops":"verify""#),
        rsa.jwk(#","alg":"ES256""#), rsa.jwk(#","alg":"HS256""#), rsa.jwk(#","alg":"RSA-OAEP""#),
        rsa.jwk(#","alg":null"#), rsa.jwk(#","kid":7"#), rsa.jwk(#","d":"AQAB""#),
        rsa.jwk(#","kty":"RSA""#), rsa.jwk(#","kid":"a","kid":"a""#),
        #"{"kty":"EC","crv":"P-256","x":"\#(half)","y":"\#(half)"}"#,
        #"{"kty":"EC","crv":"P-256","x":"\#(half)"}"#,
        #"{"kty":"EC","crv":"P-384","x":"\#(half)","y":"\#(half)"}"#,
        #"{"kty":"EC","crv":"P-521","x":"\#(half)","y":"\#(half)"}"#,
        #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
        #"{"kty":"OKP","crv":"X25519","x":"\#(half)"}"#, #"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#,
        #"{"kty":"OKP","crv":"Ed448","x":"\#(half)"}"#,
    ]
    for key in useless {
        #expect(setProblem(#"{"keys":[\#(key)]}"#) == .noKey, "\(key)")
    }
    let all = try TokenKey.jwks(
        Array(#"{"keys":[\#((useless + [rsa.jwk(#","kid":"a""#)]).joined(separator: ","))]}"#.utf8))
    #expect(all.map(\.id) == ["a"])
    var worker = Verifying(keys: all)
    #expect(worker.take(token(kid: "s")) == .invalidToken(.unknownKey))
    #expect(errorsLeftBehind == 0)
}

@Test func `what is no key set is refused as a whole`() {
    let key = SigningKey.ed25519.jwk()
    let many = Array(repeating: key, count: IdentityBounds.keysMax + 1).joined(separator: ",")
    for bad in [
        "", "{}", "[]", key, #"{"keys":{}}"#, #"{"keys":[\#(key)],"keys":[]}"#,
        #"{"keys":[\#(key),7]}"#, #"{"keys":[\#(key)]"#, #"{"keys":[\#(key),]}"#,
        #"{"keys":[\#(many)]}"#, "<html>",
        #"{"keys":[\#(key)]}"# + String(repeating: " ", count: IdentityBounds.keyFileBytesMax),
    ] {
        #expect(setProblem(bad) == .malformed, "\(bad.prefix(80))")
    }
    #expect(setProblem(#"{"keys":[]}"#) == .noKey)
    #expect(setProblem(#"{"x":1,"keys":[\#(key)],"more":{}}"#) == nil)
}

@Test func `random damage to key files never stops the process`() {
    var random = SeededRandom(seed: 7517)
    let files = [
        Array(pem("PUBLIC KEY", SigningKey.p256.publicKey).utf8),
        Array(pem("CERTIFICATE", SigningKey.p256.certificate).utf8),
        Array(#"{"keys":[\#(SigningKey.p256.jwk(#","kid":"a""#))]}"#.utf8),
    ]
    for round in 0..<3_000 {
        var bytes = files[round % 3]
        for _ in 0...random.below(3) {
            bytes[random.below(bytes.count)] = UInt8(random.below(256))
        }
        if random.below(4) == 0 { bytes.removeLast(random.below(bytes.count)) }
        _ = try? TokenKey.pem(bytes)
        _ = try? TokenKey.jwks(bytes)
    }
    #expect(errorsLeftBehind == 0)
}

@Test func `a key with an id verifies only the tokens that name it`() throws {
    let keys = try #require(
        keySet(SigningKey.rsa.jwk(#","kid":"old""#), SigningKey.otherRSA.jwk(#","kid":"new""#)))
    let cases: [(SigningKey, String?, CredentialOutcome, Bool)] = [
        (.rsa, "old", .token, false), (.otherRSA, "new", .token, false),
        (.rsa, "new", .invalidToken(.signature), false),
        (.rsa, nil, .invalidToken(.unknownKey), false),
        (.rsa, "next", .invalidToken(.unknownKey), true),
        (.rsa, "OLD", .invalidToken(.unknownKey), true),
        (.rsa, "", .invalidToken(.unknownKey), true),
    ]
    for (signer, kid, outcome, wantsKeys) in cases {
        var worker = Verifying(keys: keys)
        #expect(worker.take(token(by: .key(signer, .RS256), kid: kid)) == outcome, "\(kid ?? "-")")
        #expect(worker.credentials.wantsKeys == wantsKeys)
    }
}

@Test func `keys without ids are tried in turn, and an unknown id is still worth a fetch`() {
    let keys = [SigningKey.rsa.verifying, SigningKey.otherRSA.verifying]
    for signer in [SigningKey.rsa, .otherRSA] {
        for kid in [nil, "anything"] {
            var worker = Verifying(keys: keys)
            #expect(worker.take(token(by: .key(signer, .RS256), kid: kid)) == .token)
            #expect(!worker.credentials.wantsKeys)
        }
    }
    var worker = Verifying(keys: [keys[0]])
    #expect(
        worker.take(token(by: .key(.otherRSA, .RS256), kid: "b")) == .invalidToken(.unknownKey))
    #expect(worker.credentials.wantsKeys)
    worker.credentials.wantsKeys = false
    #expect(worker.take(token(by: .key(.otherRSA, .RS256))) == .invalidToken(.signature))
    #expect(!worker.credentials.wantsKeys)
    var none = Verifying(keys: [])
    #expect(none.take(token()) == .invalidToken(.unknownKey))
    #expect(!none.credentials.wantsKeys)
}

@Test func `a token that could not be accepted anyway wants no keys`() {
    var worker = Verifying { $0.jwt?.issuer = "us" }
    let signer = Signer.key(.rsa, .RS256)
    worker.take(token(#"{"exp":\#(today + 9),"iss":"them"}"#, by: signer, kid: "x"))
    worker.take(token(#"{"exp":\#(today - 99),"iss":"us"}"#, by: signer, kid: "x"))
    worker.take(token("[]", by: signer, kid: "x"))
    worker.take("nonsense")
    #expect(!worker.credentials.wantsKeys)
    worker.take(token(#"{"exp":\#(today + 9),"iss":"us"}"#, by: signer, kid: "x"))
    #expect(worker.credentials.wantsKeys)
}

@Test func `only so many keys are tried for one token`() {
    let wrong = TokenKey.secret([UInt8](repeating: 1, count: 32))
    let right = TokenKey.secret(secret)
    let bound = IdentityBounds.keysTriedMax
    var last = Verifying(keys: Array(repeating: wrong, count: bound - 1) + [right])
    #expect(last.take(token()) == .token)
    var beyond = Verifying(keys: Array(repeating: wrong, count: bound) + [right])
    #expect(beyond.take(token()) == .invalidToken(.signature))
    // Keys of another kind do not count.
    let others = Array(repeating: SigningKey.p256.verifying, count: 20)
    var mixed = Verifying(keys: others + [right])
    #expect(mixed.take(token()) == .token)
}
