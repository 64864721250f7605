public import Primitives

/// Which answers are fetched before anybody asks for them, and when (`cache.warm`).
public struct WarmSettings: Sendable, Equatable {
    /// Fetches at once, when the file does not say.
    public static let standardConcurrency = 8

    /// What is fetched at the start and after a purge.
    public var urls: [WarmRequest] = []
    /// Whether that happens at the start.
    public var atStart = true
    /// Whether that happens after a purge.
    public var atPurge = true
    /// The part of the keys seen, 0…1, that counts as popular; 0: none is.
    public var top = 0.0
    /// Where popular keys are kept over a restart; `nil`: nowhere.
    public var file: String?
    /// How often popular keys are counted, written and, by chance, refreshed.
    public var interval = Nanoseconds.seconds(60)
    /// The chance, 0…1, that a popular key whose answer has expired is fetched in an interval.
    public var chance = 0.0
    /// Fetches at once.
    public var concurrency = standardConcurrency

    /// Creates settings that warm nothing.
    public init() {}
}
