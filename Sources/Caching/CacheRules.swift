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
    /// Requests that go past the cache; `nil`: none by rule.
    let bypass: BypassMatcher?

    /// Prepares `policy`.
    ///
    /// - Parameters:
    ///   - policy: The route's policy.
    ///   - space: Keeps answers of different upstreams for the same target apart: the upstream's name
    ///     where a configuration has several, else empty.
    public init(_ policy: CachePolicy, space: String = "") {
        ignored = policy.ignoreQuery.map { name in
            let isPrefix = name.hasSuffix("*")
            return Ignored(
                name: Array((isPrefix ? String(name.dropLast()) : name).utf8), isPrefix: isPrefix)
        }
        self.policy = policy
        collapses = policy.collapses
        listensToClients = policy.respectsClientNoCache
        earlyRefresh = policy.earlyRefresh
        hasIdentity = !policy.varyBy.isEmpty
        self.space = Array(space.utf8)
        bypass = policy.bypass.isEmpty ? nil : BypassMatcher(policy.bypass)
    }

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
