/// What a Redis is used for.
public struct RedisUse: Sendable, Equatable {
    /// Whether limits are counted there.
    public var countsLimits: Bool
    /// Whether answers are stored there.
    public var storesAnswers: Bool

    /// Creates a use.
    public init(countsLimits: Bool, storesAnswers: Bool) {
        self.countsLimits = countsLimits
        self.storesAnswers = storesAnswers
    }
}
