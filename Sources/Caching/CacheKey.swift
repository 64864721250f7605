public import HTTPModel
import Primitives

/// The primary key of a stored answer: bytes that people can read (RFC 9111 §2, case `9111-2-key-…`).
///
///     {GET}:api.example.com:/reports?days=30|https|user=42
///
/// The host is in lower case. A `|` inside a part is doubled and every separator is followed by a letter, so
/// that no target and no name of a user can be taken for another key.
public enum CacheKey {
    /// Writes the key of `request`, over what `key` held. HEAD has the key of GET, and so has an unsafe
    /// method, whose success invalidates it.
    ///
    /// - Parameters:
    ///   - key: Reused from request to request; warm, it is not grown.
    ///   - request: The request, its path normalised.
    ///   - rules: The route's rules.
    ///   - isSecure: Whether the client spoke https: an origin may answer the two schemes differently.
    ///   - user: The user, or `nil`.
    ///   - company: The company, or `nil`.
    ///   - tier: The tier, or `nil`.
    /// - Returns: `false` when a part of `vary_by` is missing or empty: the request bypasses the cache.
    public static func build(
        into key: inout [UInt8], request: borrowing RequestHead, rules: CacheRules,
        isSecure: Bool = false, user: Span<UInt8>?, company: Span<UInt8>?, tier: Span<UInt8>?
    ) -> Bool {
        buildBase(into: &key, request: request, rules: rules, isSecure: isSecure)
        for part in rules.policy.varyBy {
            switch part {
            case .user:
                guard append("|user=", user, to: &key) else { return false }
            case .company:
                guard append("|company=", company, to: &key) else { return false }
            case .tier:
                guard append("|tier=", tier, to: &key) else { return false }
            }
        }
        return true
    }

    /// Writes the key without the identity's parts: what all users' answers of one target begin with.
    public static func buildBase(
        into key: inout [UInt8], request: borrowing RequestHead, rules: CacheRules,
        isSecure: Bool = false
    ) {
        key.removeAll(keepingCapacity: true)
        // Six bytes; the host's letters follow.
        key.append("{GET}:")
        appendDoubling(request.span(request.authority), to: &key)
        var host = key.mutableSpan
        for i in 6..<host.count { host[i] = ASCII.lower(host[i]) }
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

    /// The length of a key's base (`buildBase`) within the whole key.
    static func baseCount(of key: Span<UInt8>) -> Int {
        var i = 0
        while i < key.count {
            if key[i] == bar {
                guard i + 1 < key.count, key[i + 1] == bar else {
                    let rest = key.extracting(i..<key.count)
                    if rest.starts(with: "|user=") || rest.starts(with: "|company=")
                        || rest.starts(with: "|tier=")
                    {
                        return i
                    }
                    i += 1
                    continue
                }
                i += 1
            }
            i += 1
        }
        return key.count
    }

    private static let bar = UInt8(ascii: "|")

    private static func append(
        _ name: StaticString, _ value: Span<UInt8>?, to key: inout [UInt8]
    ) -> Bool {
        guard let value, value.count > 0 else { return false }
        key.append(name)
        appendDoubling(value, to: &key)
        return true
    }

    private static func appendDoubling(_ byte: UInt8, to key: inout [UInt8]) {
        if byte == bar { key.append(bar) }
        key.append(byte)
    }

    private static func appendDoubling(_ bytes: Span<UInt8>, to key: inout [UInt8]) {
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

    /// Appends `?` and the parameters that are not ignored, in their order; nothing when all are ignored.
    private static func appendQuery(
        _ query: Span<UInt8>, to key: inout [UInt8], rules: CacheRules
    ) {
        guard !rules.ignored.isEmpty else {
            key.append(UInt8(ascii: "?"))
            return appendDoubling(query, to: &key)
        }
        var separator = UInt8(ascii: "?")
        var i = 0
        while i <= query.count {
            let end = query.firstIndex(of: UInt8(ascii: "&"), from: i) ?? query.count
            let parameter = query.extracting(i..<end)
            let nameEnd = parameter.firstIndex(of: UInt8(ascii: "=")) ?? parameter.count
            if !rules.ignores(parameter.extracting(0..<nameEnd)) {
                key.append(separator)
                appendDoubling(parameter, to: &key)
                separator = UInt8(ascii: "&")
            }
            i = end + 1
        }
    }
}
