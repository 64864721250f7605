/// Which requests of a route go past its cache because the configuration says so (`bypass:`).
public struct BypassRules: Sendable, Equatable {
    /// A part of a request that must be there.
    public struct Condition: Sendable, Equatable {
        /// The name; of a field in lower case.
        public var name: String
        /// The exact value, or `nil` for any.
        public var value: String?

        /// Creates a condition.
        public init(name: String, value: String? = nil) {
            self.name = name
            self.value = value
        }
    }

    /// Fields of the request.
    public var headers: [Condition] = []
    /// Its cookies, names in their case.
    public var cookies: [Condition] = []
    /// Parameters of its query, as they stand in the URL.
    public var query: [Condition] = []

    /// Creates rules that let every request use the cache.
    public init() {}

    /// Whether there is none.
    public var isEmpty: Bool { headers.isEmpty && cookies.isEmpty && query.isEmpty }
}
