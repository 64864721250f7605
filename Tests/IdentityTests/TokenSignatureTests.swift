import Primitives
import Testing

@testable import Identity

private let signers: [(JWTAlgorithm, Signer, TokenKey)] = [
    (.RS256, .key(.rsa, .RS256), SigningKey.rsa.verifying),
    (.RS384, .key(.rsa, .RS384), SigningKey.rsa.verifying),
    (.RS512, .key(.rsa, .RS512), SigningKey.rsa.verifying),
    (.PS256, .key(.rsa, .PS256), SigningKey.rsa.verifying),
    (.ES256, .key(.p256, .ES256), SigningKey.p256.verifying),
    (.ES384, .key(.p384, .ES384), SigningKey.p384.verifying),
    (.EdDSA, .key(.ed25519, .EdDSA), SigningKey.ed25519.verifying),
    (.HS256, .secret(secret), .secret(secret)),
]

@Test func `a token of each algorithm is verified by its key, with all other keys around`() {
    let everything = signers.map { $0.2 }
    for (algorithm, signer, key) in signers {
        for keys in [[key], everything, everything.reversed()] {
            for _ in 0..<3 {
                var worker = Verifying(keys: keys, algorithms: [algorithm])
                #expect(worker.take(token(by: signer)) == .token, "\(algorithm)")
                #expect(worker.identity.texts.user == "42")
                #expect(worker.identity.userIsProven == true)
                #expect(worker.identity.userSource == 0)
            }
        }
    }
    #expect(errorsLeftBehind == 0)
}

@Test func `a token with one letter changed, or cut, is never verified`() {
    for (algorithm, signer, key) in signers {
        let text = token(by: signer)
        var worker = Verifying(keys: [key])
        let bytes = Array(text.utf8)
        for index in bytes.indices {
            for bit in [0, 1, 3, 5] as [UInt8] {
                var changed = bytes
                changed[index] ^= 1 << bit
                let outcome = worker.take(changed.span.text)
                #expect(outcome.isBad, "\(algorithm), byte \(index), bit \(bit)")
                #expect(worker.identity.texts.user == nil)
            }
        }
        for length in stride(from: 0, to: bytes.count, by: 7) {
            let cut = String(text.prefix(length))
            #expect(worker.take(cut).isBad)
        }
        for more in ["A", "AA", "AAAA", ".", ".A", "=", " x", "\n"] {
            #expect(worker.take(text + more).isBad)
        }
        #expect(worker.take(text) == .token)
        #expect(worker.credentials.counts.tokensVerified == 1)
    }
    #expect(errorsLeftBehind == 0)
}

@Test func `a signature of another length or of zeros is wrong and nothing else`() {
    for (algorithm, signer, key) in signers {
        let parts = token(by: signer).split(separator: ".")
        var worker = Verifying(keys: [key])
        for length in [0, 1, 31, 32, 33, 63, 64, 65, 95, 96, 97, 255, 256, 257, 1024] {
            for byte in [0, 255] as [UInt8] {
                let signature = base64([UInt8](repeating: byte, count: length))
                #expect(
                    worker.take("\(parts[0]).\(parts[1]).\(signature)")
                        == .invalidToken(.signature), "\(algorithm), \(length) of \(byte)")
            }
        }
    }
    #expect(errorsLeftBehind == 0)
}

@Test func `a public key is never taken for a secret`() {
    // The classic attack: HS256 under the bytes of the public key, in each form an attacker can have them.
    let rsa = SigningKey.rsa
    let texts = [
        Array(pem("PUBLIC KEY", rsa.publicKey).utf8), rsa.publicKey, rsa.number("n"),
        Array(pem("RSA PUBLIC KEY", rsa.rsaPublicKey).utf8), rsa.rsaPublicKey,
    ]
    for bytes in texts {
        var worker = Verifying(keys: [rsa.verifying])
        #expect(worker.take(token(by: .secret(bytes))) == .invalidToken(.algorithm))
        var withSecret = Verifying(keys: [rsa.verifying, .secret(secret)])
        #expect(withSecret.take(token(by: .secret(bytes))) == .invalidToken(.signature))
    }
}

@Test func `an algorithm is possible only with a key made for it and when it is allowed`() {
    for (algorithm, signer, key) in signers {
        // Allowed are all others.
        let others = JWTAlgorithm.allCases.filter { $0 != algorithm }
        var narrow = Verifying(keys: [key], algorithms: others)
        #expect(narrow.take(token(by: signer)) == .invalidToken(.algorithm))
        // The token says another algorithm than it was signed with.
        for other in others {
            var worker = Verifying(keys: [key])
            let lie = token(by: signer, header: #"{"alg":"\#(other.rawValue)"}"#)
            #expect(worker.take(lie).isBad, "\(algorithm) as \(other)")
        }
        for name in ["none", "None", "NONE", "nOnE", "", "hs256", "HS384", "ES256K", "RSA"] {
            var worker = Verifying(keys: [key])
            let header = #"{"alg":"\#(name)"}"#
            #expect(worker.take(token(by: signer, header: header)) == .invalidToken(.algorithm))
            let parts = token(by: signer, header: header).split(separator: ".")
            #expect(worker.take("\(parts[0]).\(parts[1]).") == .invalidToken(.algorithm))
        }
    }
}

@Test func `a header that is not plain is refused`() {
    var worker = Verifying()
    for header in [
        #"{}"#, #"{"alg":7}"#, #"{"alg":null}"#, #"{"alg":["HS256"]}"#, #"["HS256"]"#, #""HS256""#,
        #"{"alg":"HS256","alg":"HS256"}"#, #"{"alg":"HS256","\u0061lg":"none"}"#,
        #"{"alg":"HS256","crit":[]}"#, #"{"alg":"HS256","crit":["b64"],"b64":false}"#,
        #"{"alg":"HS256","crit":null}"#, #"{"alg":"HS256","kid":7}"#, #"{"alg":"HS256"} x"#,
        #"{"alg":"HS256",}"#, "", "{", "\u{FEFF}{\"alg\":\"HS256\"}",
    ] {
        #expect(worker.take(token(header: header)) == .invalidToken(.malformed), "\(header)")
    }
    for header in [
        #"{"alg":"HS256","typ":"at+jwt","x5t":"AA","n":[1,{"a":[]}]}"#,
        " {\r\n \"alg\" : \"HS256\" }\t", #"{"\u0061l\u0067":"H\u0053256"}"#,
    ] {
        #expect(worker.take(token(header: header)) == .token, "\(header)")
    }
}

@Test func `a short secret verifies nothing, not even its own tokens`() {
    for length in [0, 1, 31] {
        let short = [UInt8](repeating: 7, count: length)
        var worker = Verifying(keys: [.secret(short)])
        #expect(worker.take(token(by: .secret(short))) == .invalidToken(.algorithm))
    }
    let enough = [UInt8](repeating: 7, count: IdentityBounds.secretBytesMin)
    var worker = Verifying(keys: [.secret(enough)])
    #expect(worker.take(token(by: .secret(enough))) == .token)
}

@Test func `random bytes and random pieces of tokens never pass and never stop the process`() {
    var random = SeededRandom(seed: 7519)
    let good = Array(token(by: .key(.p256, .ES256)).utf8)
    var worker = Verifying(keys: signers.map { $0.2 })
    let alphabet = Array("ABab01-_.={}\" \t".utf8)
    for _ in 0..<4_000 {
        var bytes: [UInt8]
        switch random.below(3) {
        case 0:
            bytes = (0..<random.below(200)).map { _ in UInt8(random.below(256)) }
        case 1:
            bytes = (0..<random.below(200)).map { _ in alphabet[random.below(alphabet.count)] }
        default:
            bytes = good
            for _ in 0...random.below(4) {
                let start = random.below(bytes.count)
                let end = min(bytes.count, start + random.below(40))
                bytes.replaceSubrange(start..<end, with: good.prefix(random.below(30)))
                if bytes.isEmpty { bytes = [46] }
            }
        }
        if bytes == good { continue }
        let span = bytes.span
        var block: [UInt8] = []
        var wantsKeys = false
        var verifier = TokenVerifier(
            TokenPolicy(JWTSettings(keys: [], algorithms: JWTAlgorithm.allCases)))
        do throws(TokenProblem) {
            _ = try verifier.verify(
                span, keys: worker.credentials.keys.tokens,
                keeping: ClaimNames(worker.settings, claims: []), at: seconds(today), into: &block,
                wantsKeys: &wantsKeys)
            Issue.record("verified: \(span.text)")
        } catch {
            #expect(block.isEmpty)
        }
    }
    #expect(worker.take(good.span.text) == .token)
}
