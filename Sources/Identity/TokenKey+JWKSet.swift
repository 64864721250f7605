import Primitives

extension TokenKey {
    /// Reads a JWK set (RFC 7517 §5).
    ///
    /// Taken are RSA keys (`n`, `e`), P-256 and P-384 (`crv`, `x`, `y`) and Ed25519 (RFC 8037) whose `use`, if any,
    /// is `sig`, whose `key_ops`, if any, have `verify`, and whose `alg`, if any, is one the key is
    /// for; the key then does only that. All other keys are left out, as §5 wants it: unknown
    /// types, missing or damaged members, RSA below 2048 bits, private keys, and always secrets
    /// (`oct`): whoever could write into a fetched set would otherwise choose one.
    ///
    /// - Throws: `malformed` when it is not a set, or beyond its bounds; `noKey` when no key of it is taken.
    public static func jwks(_ bytes: [UInt8]) throws(TokenKeyError) -> [TokenKey] {
        var document = JSONDocument()
        guard bytes.count <= IdentityBounds.keyFileBytesMax, document.read(bytes.span),
            document.hasUniqueNames(), let list = document.member("keys"),
            document.kind(of: list) == .array
        else { throw .malformed }
        var keys: [TokenKey] = []
        var count = 0
        var element = document.firstElement(of: list)
        while let node = element {
            count += 1
            guard document.kind(of: node) == .object, count <= IdentityBounds.keysMax else {
                throw .malformed
            }
            if let key = JWKReader(document: document, node: node).key { keys.append(key) }
            element = document.element(after: node, of: list)
        }
        guard !keys.isEmpty else { throw .noKey }
        return keys
    }
}

/// One JWK of a set.
private struct JWKReader {
    let document: JSONDocument
    let node: Int

    /// The key, or `nil` when it is left out.
    var key: TokenKey? {
        guard document.hasUniqueNames(node), isForVerification,
            document.member("d", of: node) == nil, let publicKey
        else { return nil }
        var id: String?
        if document.member("kid", of: node) != nil {
            guard let text = document.string("kid", of: node) else { return nil }
            id = document.text(of: text).text
        }
        var algorithm: JWTAlgorithm?
        if document.member("alg", of: node) != nil {
            guard let text = document.string("alg", of: node),
                let known = JWTAlgorithm(name: document.text(of: text))
            else { return nil }
            algorithm = known
        }
        return TokenKey(.publicKey(publicKey), id: id, only: algorithm)
    }

    /// Whether `use` and `key_ops` (RFC 7517 §4.2, §4.3) allow what is done with it here.
    private var isForVerification: Bool {
        if document.member("use", of: node) != nil && !has("use", "sig") { return false }
        guard let operations = document.member("key_ops", of: node) else { return true }
        guard document.kind(of: operations) == .array else { return false }
        var element = document.firstElement(of: operations)
        while let at = element {
            if document.kind(of: at) == .string && document.text(of: at).equals("verify") {
                return true
            }
            element = document.element(after: at, of: operations)
        }
        return false
    }

    private var publicKey: PublicKey? {
        if has("kty", "RSA") {
            guard let n = decoded("n"), let e = decoded("e") else { return nil }
            return PublicKey(rsaModulus: n, exponent: e)
        }
        guard let x = decoded("x") else { return nil }
        if has("kty", "OKP") {
            return has("crv", "Ed25519") ? PublicKey(ed25519: x) : nil
        }
        guard has("kty", "EC"), let y = decoded("y") else { return nil }
        if has("crv", "P-256") { return PublicKey(isP384: false, x: x, y: y) }
        return has("crv", "P-384") ? PublicKey(isP384: true, x: x, y: y) : nil
    }

    private func has(_ name: StaticString, _ value: StaticString) -> Bool {
        guard let text = document.string(name, of: node) else { return false }
        return document.text(of: text).equals(value)
    }

    /// A member in base64url that is there and not empty; no number of a key has more than 2 KiB.
    private func decoded(_ name: StaticString) -> [UInt8]? {
        guard let text = document.string(name, of: node) else { return nil }
        var bytes: [UInt8] = []
        guard document.text(of: text).count <= 2048,
            Base64URL.decode(document.text(of: text), to: &bytes), !bytes.isEmpty
        else { return nil }
        return bytes
    }
}
