/// What the Cache-Control lines of one message say (RFC 9111 §5.2), or the targeted field that a response has
/// in their place (RFC 9213). A plain value of 28 bytes.
///
/// Requests and responses share the type; each side reads the directives that concern it. Where a
/// directive is repeated the first one counts; a time that is not a number of seconds counts as 0, which
/// makes the response stale (§4.2.1). Targeted fields have rules of their own: `init(targeted:)`.
public struct CacheDirectives: Sendable, BitwiseCopyable, Equatable {
    /// The directives without an argument, or whose argument is not kept.
    public struct Flags: OptionSet, Sendable, BitwiseCopyable {
        /// One bit per directive.
        public let rawValue: UInt16
        /// Creates a set of raw bits.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// `no-cache`, also with a list of fields that is empty, malformed or names a field that caching
        /// itself needs.
        public static let noCache = Flags(rawValue: 1 << 0)
        /// `no-store`
        public static let noStore = Flags(rawValue: 1 << 1)
        /// `private`, also with such a list.
        public static let isPrivate = Flags(rawValue: 1 << 2)
        /// `public`
        public static let isPublic = Flags(rawValue: 1 << 3)
        /// `must-revalidate`
        public static let mustRevalidate = Flags(rawValue: 1 << 4)
        /// `proxy-revalidate`
        public static let proxyRevalidate = Flags(rawValue: 1 << 5)
        /// `must-understand`
        public static let mustUnderstand = Flags(rawValue: 1 << 6)
        /// `no-transform`
        public static let noTransform = Flags(rawValue: 1 << 7)
        /// `only-if-cached`
        public static let onlyIfCached = Flags(rawValue: 1 << 8)
        /// `immutable` (RFC 8246)
        public static let immutable = Flags(rawValue: 1 << 9)
        /// `max-stale` without a number: any age will do.
        public static let maxStaleAny = Flags(rawValue: 1 << 10)
        /// A targeted field decides: Expires says nothing either (RFC 9213 §2.2).
        public static let isTargeted = Flags(rawValue: 1 << 11)
        /// `no-cache="…"` or `private="…"` with a list of fields: `WithheldFields` has their names
        /// (§5.2.2.4, §5.2.2.7).
        public static let withholdsFields = Flags(rawValue: 1 << 12)
    }

    /// The directives that are there.
    public internal(set) var flags: Flags = []
    /// `max-age` in seconds.
    public var maxAge: UInt32? { seconds(.maxAge) }
    /// `s-maxage` in seconds.
    public var sharedMaxAge: UInt32? { seconds(.sharedMaxAge) }
    /// `stale-while-revalidate` in seconds (RFC 5861 §3).
    public var staleWhileRevalidate: UInt32? { seconds(.staleWhileRevalidate) }
    /// `stale-if-error` in seconds (RFC 5861 §4).
    public var staleIfError: UInt32? { seconds(.staleIfError) }
    /// `max-stale` in seconds, when a number is given.
    public var maxStale: UInt32? { seconds(.maxStale) }
    /// `min-fresh` in seconds.
    public var minFresh: UInt32? { seconds(.minFresh) }

    /// The directives whose argument is a number of seconds.
    enum Timed: Int, BitwiseCopyable {
        case maxAge, sharedMaxAge, staleWhileRevalidate, staleIfError, maxStale, minFresh
    }
    private var times = InlineArray<6, UInt32>(repeating: .max)

    /// Creates the directives of a message without Cache-Control.
    public init() {}

    private func seconds(_ name: Timed) -> UInt32? {
        let value = times[name.rawValue]
        return value == .max ? nil : value
    }

    /// Records a time unless the directive was seen before.
    mutating func record(_ name: Timed, _ value: UInt32) {
        if times[name.rawValue] == .max { times[name.rawValue] = value }
    }

    /// Sets or, with `nil`, forgets a time, whatever was said before.
    mutating func replace(_ name: Timed, _ value: UInt32?) {
        times[name.rawValue] = value ?? .max
    }

    /// Whether both say the same.
    public static func == (a: CacheDirectives, b: CacheDirectives) -> Bool {
        guard a.flags == b.flags else { return false }
        for i in a.times.indices where a.times[i] != b.times[i] { return false }
        return true
    }
}
