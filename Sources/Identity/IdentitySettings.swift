public import Primitives

/// The `identity:` part of the configuration.
public struct IdentitySettings: Sendable, Equatable {
    /// Where a part of the identity comes from.
    public enum Source: Sendable, Equatable {
        /// A header field, believed only from a trusted proxy; lower-case name.
        case header(String)
    }

    /// Peers whose forwarding fields and identity headers are believed.
    public var trustedProxies: [IPNetwork] = []
    /// IPv6 addresses are counted by this many leading bits, 1…128.
    public var ipv6Prefix = 64
    /// Where the user comes from; `nil`: nobody has one.
    public var user: Source?
    /// Where the company comes from.
    public var company: Source?
    /// Where the tier comes from.
    public var tier: Source?
    /// The tier of requests that name none.
    public var defaultTier: String?

    /// Creates the settings that trust nobody and name nobody.
    public init() {}
}
