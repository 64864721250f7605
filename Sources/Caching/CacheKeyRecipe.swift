import Primitives

/// The parts of a route's policy that shape its cache keys, prepared once per configuration.
public struct CacheKeyRecipe: Sendable, Equatable {
    /// A query parameter that is left out of the key.
    struct Ignored: Sendable, Equatable {
        let name: [UInt8]
        let isPrefix: Bool
    }

    let ignored: [Ignored]
    /// The identity's parts in the key.
    public let varyBy: [CachePolicy.VaryBy]
    let space: [UInt8]

    /// Prepares the recipe of `policy`.
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
        varyBy = policy.varyBy
        self.space = Array(space.utf8)
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
