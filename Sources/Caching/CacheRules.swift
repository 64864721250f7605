public import HTTPModel
import Primitives

/// A route's policy, prepared once per configuration for use with each request.
///
/// A reference: what a hit reads of it costs no retain, which all workers would make on the same word.
public final class CacheRules: Sendable {
    /// A query parameter that is left out of the key.
    struct Ignored: Sendable {
        let name: [UInt8]
        let isPrefix: Bool
    }

    /// The policy as it was configured.
    public let policy: CachePolicy
    let ignored: [Ignored]
    /// What a lookup needs, without references.
    let collapses: Bool
    let listensToClients: Bool
    let earlyRefresh: CachePolicy.EarlyRefresh
    let hasIdentity: Bool
    let space: [UInt8]
    /// The codings in which stored answers are offered; `nil`: in none.
    public let compression: CompressionPolicy?
    private let codings: CodingOrder?
    private let encodedSizeMin: Int

    /// Prepares `policy`.
    ///
    /// - Parameters:
    ///   - policy: The route's policy.
    ///   - space: Keeps answers of different upstreams for the same target apart: the upstream's name
    ///     where a configuration has several, else empty.
    ///   - compression: The codings in which stored answers are offered; `nil`: in none.
    public init(
        _ policy: CachePolicy, space: String = "", compression: CompressionPolicy? = nil
    ) {
        ignored = policy.ignoreQuery.map { name in
            let isPrefix = name.hasSuffix("*")
            return Ignored(
                name: Array((isPrefix ? String(name.dropLast()) : name).utf8), isPrefix: isPrefix)
        }
        self.policy = policy
        self.compression = compression
        codings = compression?.encodings
        encodedSizeMin = max(compression?.minSize ?? 1, 1)
        collapses = policy.collapses
        listensToClients = policy.respectsClientNoCache
        earlyRefresh = policy.earlyRefresh
        hasIdentity = !policy.varyBy.isEmpty
        self.space = Array(space.utf8)
    }

    /// The coding in which `request` would have an answer that may be encoded; `nil`: as it is.
    ///
    /// A part of a body is a part of the body as it is: ranges are of the selected representation (RFC 9110
    /// §14.2), and with Range that one is selected. A client may forbid any change (RFC 9111 §5.2.1.6).
    public func coding(for request: borrowing FieldList) -> ContentCoding? {
        guard let codings, request.contains(.acceptEncoding), !request.contains(.range),
            let coding = AcceptEncoding(request).choice(from: codings)
        else { return nil }
        if request.contains(.cacheControl)
            && CacheDirectives(ofRequest: request).flags.contains(.noTransform)
        {
            return nil
        }
        return coding
    }

    /// Whether the body of `stored` is long enough to be encoded: when it began to arrive its length may not
    /// have been known.
    public func isLongEnough(_ stored: StoredResponse) -> Bool { stored.bodyCount >= encodedSizeMin }

    /// Whether the parameter `name` is left out.
    func ignores(_ name: Span<UInt8>) -> Bool {
        for entry in ignored {
            if entry.isPrefix {
                guard name.count >= entry.name.count else { continue }
                if name.extracting(0..<entry.name.count).equals(entry.name.span) { return true }
            } else if name.equals(entry.name.span) {
                return true
            }
        }
        return false
    }
}
