import Primitives

/// Verifies tokens that are not remembered. One for each worker, which keeps its working memory.
///
/// What is cheap to check comes first: form, algorithm, times, issuer, audience; then the key is looked for; last
/// comes the signature, so that garbage and old tokens cost no cryptography. Nothing of a token is believed
/// before: whatever fails, the token is refused as a whole.
struct TokenVerifier {
    private let policy: TokenPolicy
    private let verifier = SignatureVerifier()
    private var header = JSONDocument()
    private var claims = JSONDocument()
    private var decoded: [UInt8] = []

    init(_ policy: TokenPolicy) { self.policy = policy }

    /// Checks a token.
    ///
    /// - Parameters:
    ///   - token: The token as it was sent.
    ///   - keys: The keys there are.
    ///   - names: The claims to keep.
    ///   - now: The current time.
    ///   - block: Takes the claims; must be empty.
    ///   - wantsKeys: Set when the token names a key that is not among the keys.
    /// - Returns: When the token is valid.
    /// - Throws: Why it is not right; `block` is then empty.
    mutating func verify(
        _ token: Span<UInt8>, keys: [TokenKey], keeping names: ClaimNames, at now: WallTime,
        into block: inout [UInt8], wantsKeys: inout Bool
    ) throws(TokenProblem) -> TokenPolicy.Validity {
        guard token.count <= IdentityBounds.tokenBytesMax, let parts = CompactToken(token),
            TokenVerifier.read(token.extracting(parts.header), &decoded, into: &header)
        else { throw .malformed }
        let algorithm = try readAlgorithm()
        guard policy.algorithms.contains(algorithm) else { throw .algorithm }
        guard TokenVerifier.read(token.extracting(parts.payload), &decoded, into: &claims) else {
            throw .malformed
        }
        decoded.removeAll(keepingCapacity: true)
        guard Base64URL.decode(token.extracting(parts.signature), to: &decoded) else {
            throw .malformed
        }
        let validity = try policy.check(claims, at: now)
        try checkSignature(
            token.extracting(parts.signed), algorithm, keys, wantsKeys: &wantsKeys)
        ClaimBlock.write(names.names, of: claims, to: &block)
        return validity
    }

    /// Decodes a part and reads the JSON in it; names must be unique (RFC 7515 §4, RFC 7519 §4).
    private static func read(
        _ part: Span<UInt8>, _ decoded: inout [UInt8], into document: inout JSONDocument
    ) -> Bool {
        decoded.removeAll(keepingCapacity: true)
        return Base64URL.decode(part, to: &decoded) && document.read(decoded.span)
            && document.hasUniqueNames()
    }

    /// The algorithm the header names. A header with `crit` wants something understood that is not (RFC 7515
    /// §4.1.11).
    private func readAlgorithm() throws(TokenProblem) -> JWTAlgorithm {
        guard header.member("crit") == nil, let name = header.string("alg") else {
            throw .malformed
        }
        guard let algorithm = JWTAlgorithm(name: header.text(of: name)) else { throw .algorithm }
        return algorithm
    }

    /// Tries the keys the token may be signed with: those with its `kid`, then those without any.
    private func checkSignature(
        _ signed: Span<UInt8>, _ algorithm: JWTAlgorithm, _ keys: [TokenKey],
        wantsKeys: inout Bool
    ) throws(TokenProblem) {
        var named: Int?
        if let node = header.member("kid") {
            guard header.kind(of: node) == .string else { throw .malformed }
            named = node
        }
        var isKnown = false
        var hasKey = false
        var tried = 0
        for key in keys {
            if let id = key.idBytes {
                guard let named, header.text(of: named).equals(id.span) else { continue }
                isKnown = true
            }
            hasKey = true
            guard key.algorithms.contains(algorithm) else { continue }
            tried += 1
            if tried > IdentityBounds.keysTriedMax { break }
            if verifies(signed, algorithm, key) { return }
        }
        // A key without an id may fail because the token's own key is yet to come.
        if named != nil && !isKnown {
            wantsKeys = true
            throw .unknownKey
        }
        guard hasKey else { throw .unknownKey }
        throw tried > 0 ? .signature : .algorithm
    }

    /// Whether the decoded signature is right. The key is for the algorithm.
    private func verifies(
        _ signed: Span<UInt8>, _ algorithm: JWTAlgorithm, _ key: TokenKey
    ) -> Bool {
        let signature = decoded.span
        switch key.material {
        case .secret(let secret):
            return SignatureVerifier.matches(signature, hmacOf: signed, secret: secret)
        case .publicKey(let key):
            func check(_ signature: Span<UInt8>, _ bits: Int32, isPSS: Bool = false) -> Bool {
                verifier.verifies(signature, of: signed, by: key, bits: bits, isPSS: isPSS)
            }
            switch algorithm {
            case .RS256: return check(signature, 256)
            case .RS384: return check(signature, 384)
            case .RS512: return check(signature, 512)
            case .PS256: return check(signature, 256, isPSS: true)
            case .EdDSA: return check(signature, 0)
            case .ES256, .ES384:
                let length = algorithm == .ES256 ? 64 : 96
                guard let der = ECDSASignature.der(signature, length: length) else { return false }
                return check(der.span, algorithm == .ES256 ? 256 : 384)
            case .HS256: return false
            }
        }
    }
}

/// The two forms of an ECDSA signature.
enum ECDSASignature {
    /// The DER form (RFC 3279 §2.2.3) of `raw`, the two numbers one after the other, each half of `length`
    /// bytes long (RFC 7518 §3.4); `nil` when it has another length.
    static func der(_ raw: Span<UInt8>, length: Int) -> [UInt8]? {
        guard raw.count == length else { return nil }
        var content: [UInt8] = []
        appendInteger(raw.extracting(0..<(length / 2)), to: &content)
        appendInteger(raw.extracting((length / 2)..<length), to: &content)
        // At most 2 · (2 + 49) bytes: the short form of a length.
        return [0x30, UInt8(content.count)] + content
    }

    /// An unsigned big-endian number: without leading zeros, but for one where the first bit would be a sign.
    private static func appendInteger(_ number: Span<UInt8>, to output: inout [UInt8]) {
        var start = 0
        while start < number.count - 1 && number[start] == 0 { start += 1 }
        let isPadded = number[start] >= 0x80
        output.append(2)
        output.append(UInt8(number.count - start + (isPadded ? 1 : 0)))
        if isPadded { output.append(0) }
        output.append(number.extracting(start..<number.count))
    }
}
