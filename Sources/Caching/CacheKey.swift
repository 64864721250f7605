public import HTTPModel
public import Primitives

/// The primary key of a stored answer: bytes that people can read (RFC 9111 §2, case `9111-2-key-…`).
///
///     {GET}:api.example.com:/reports?days=30|https|user=42
///
/// The host is in lower case. A `|` inside a part is doubled and every separator is followed by a letter, so
/// that no target and no name of a user can be taken for another key.
public enum CacheKey {
    /// Writes the key of `request`, over what `key` held. Its method is POST or QUERY where `rules` store
    /// answers to them; HEAD has the key of GET, and so has every other method, whose success invalidates it.
    ///
    /// - Parameters:
    ///   - key: Reused from request to request; warm, it is not grown.
    ///   - request: The request, its path normalised.
    ///   - rules: The route's rules.
    ///   - isSecure: Whether the client spoke https: an origin may answer the two schemes differently.
    ///   - user: The user, or `nil`.
    ///   - company: The company, or `nil`.
    ///   - tier: The tier, or `nil`.
    ///   - address: The client's address.
    ///   - content: The digest of the content, where `rules` say that it is a part.
    /// - Returns: `false` when the content's digest, or a part of the identity in `vary_by`, is missing or
    ///   empty: the request bypasses the cache.
    public static func build(
        into key: inout [UInt8], request: borrowing RequestHead, rules: CacheRules,
        isSecure: Bool = false, user: Span<UInt8>?, company: Span<UInt8>?, tier: Span<UInt8>?,
        address: IPAddress = IPAddress(v4: 0), content: ContentDigest? = nil
    ) -> Bool {
        buildBase(into: &key, request: request, rules: rules, isSecure: isSecure)
        return appendParts(
            to: &key, request: request, rules: rules, user: user, company: company, tier: tier,
            address: address, content: content)
    }

    /// Writes the key without the parts of `vary_by`: what all answers of one target begin with.
    public static func buildBase(
        into key: inout [UInt8], request: borrowing RequestHead, rules: CacheRules,
        isSecure: Bool = false
    ) {
        key.removeAll(keepingCapacity: true)
        switch request.method {
        case .post where rules.policy.methods.contains(.post): key.append("{POST}:")
        case .query where rules.policy.methods.contains(.query): key.append("{QUERY}:")
        default: key.append("{GET}:")
        }
        let hostStart = key.count
        appendDoubling(request.span(request.authority), to: &key)
        var host = key.mutableSpan
        for i in hostStart..<host.count { host[i] = ASCII.lower(host[i]) }
        key.append(UInt8(ascii: ":"))
        appendDoubling(request.span(request.path), to: &key)
        if let query = request.query {
            appendQuery(request.span(query), to: &key, rules: rules)
        }
        if isSecure { key.append("|https") }
        if !rules.space.isEmpty {
            key.append("|upstream=")
            let space = rules.space
            appendDoubling(space.span, to: &key)
        }
    }

    static let bar = UInt8(ascii: "|")

    private static func appendDoubling(_ byte: UInt8, to key: inout [UInt8]) {
        if byte == bar { key.append(bar) }
        key.append(byte)
    }

    static func appendDoubling(_ bytes: Span<UInt8>, to key: inout [UInt8]) {
        guard hasBar(bytes) else { return key.append(bytes) }
        for i in bytes.indices { appendDoubling(bytes[i], to: &key) }
    }

    /// Whether a `|` is among `bytes`; eight are looked at in one step.
    private static func hasBar(_ bytes: Span<UInt8>) -> Bool {
        var i = 0
        while bytes.count - i >= 8 {
            // A byte that becomes 0 borrows into its highest bit.
            let word = bytes.littleEndianWord(at: i) ^ 0x7C7C_7C7C_7C7C_7C7C
            if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { return true }
            i += 8
        }
        return bytes.firstIndex(of: bar, from: i) != nil
    }
}
