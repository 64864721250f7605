public import HTTPModel
import Primitives

/// A route's policy, prepared once per configuration for use with each request.
///
/// A reference: what a hit reads of it costs no retain, which all workers would make on the same word.
public final class CacheRules: Sendable {
    /// Names of query parameters: one, or all with this beginning.
    struct Parameter: Sendable {
        let name: [UInt8]
        let isPrefix: Bool

        init(_ text: String) {
            isPrefix = text.hasSuffix("*")
            name = Array((isPrefix ? String(text.dropLast()) : text).utf8)
        }

        func matches(_ other: Span<UInt8>) -> Bool {
            guard isPrefix else { return other.equals(name.span) }
            guard other.count >= name.count else { return false }
            return other.extracting(0..<name.count).equals(name.span)
        }
    }

    /// The policy as it was configured.
    public let policy: CachePolicy
    private let ignored: [Parameter]
    /// The only parameters that count; `nil`: all.
    private let counted: [Parameter]?
    let sortsQuery: Bool
    /// Whether the key's query may be another one than the request's.
    let changesQuery: Bool
    let parts: [KeyPart]
    /// What a lookup needs, without references.
    let collapses: Bool
    let listensToClients: Bool
    let earlyRefresh: CachePolicy.EarlyRefresh
    /// Whether keys say who asks.
    let hasIdentity: Bool
    /// Whether keys have anything behind their base.
    let hasParts: Bool
    let space: [UInt8]
    /// What keys do not say, for answers that other processes read: two processes in which the same key means
    /// something else have different numbers.
    public let scope: UInt64
    /// The codings in which stored answers are offered; `nil`: in none.
    public let compression: CompressionPolicy?
    let codings: CodingOrder?
    let encodedSizeMin: Int
    /// Requests that go past the cache; `nil`: none by rule.
    let bypass: BypassMatcher?

    /// Prepares `policy`.
    ///
    /// - Parameters:
    ///   - policy: The route's policy.
    ///   - space: Keeps answers of different upstreams for the same target apart: the upstream's name
    ///     where a configuration has several, else empty.
    ///   - scope: What keys do not say, as a number.
    ///   - compression: The codings in which stored answers are offered; `nil`: in none.
    public init(
        _ policy: CachePolicy, space: String = "", scope: UInt64 = 0,
        compression: CompressionPolicy? = nil
    ) {
        ignored = policy.ignoreQuery.map { Parameter($0) }
        counted = policy.onlyQuery?.map { Parameter($0) }
        sortsQuery = policy.sortsQuery
        changesQuery = !ignored.isEmpty || counted != nil || sortsQuery
        parts = policy.varyBy.map { KeyPart($0) }
        self.policy = policy
        self.compression = compression
        codings = compression?.encodings
        encodedSizeMin = max(compression?.minSize ?? 1, 1)
        collapses = policy.collapses
        listensToClients = policy.respectsClientNoCache
        earlyRefresh = policy.earlyRefresh
        hasIdentity = policy.hasIdentity
        hasParts = !policy.varyBy.isEmpty || policy.methods != .get
        self.space = Array(space.utf8)
        self.scope = scope
        bypass = policy.bypass.isEmpty ? nil : BypassMatcher(policy.bypass)
    }

    /// The fields that say what a content is (RFC 9110 §8): its meaning changes with them.
    static let contentParts: [KeyPart] = [
        KeyPart(label: "|content-type", .contentType),
        KeyPart(label: "|content-encoding", .contentEncoding),
    ]

    /// Whether the keys of requests of `method` say their content.
    public func keysContent(of method: Method) -> Bool {
        (method == .post || method == .query) && policy.methods.take(method)
    }

    /// Whether the parameter `name` is a part of the key.
    func counts(_ name: Span<UInt8>) -> Bool {
        if let counted {
            var isNamed = false
            for entry in counted where entry.matches(name) { isNamed = true }
            if !isNamed { return false }
        }
        for entry in ignored where entry.matches(name) { return false }
        return true
    }
}
