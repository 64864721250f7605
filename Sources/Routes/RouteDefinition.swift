/// One entry of `routes:` as the configuration gives it; `RouteTable` compiles a list of them.
public struct RouteDefinition: Sendable, Equatable {
    /// The name in logs and metrics: `name:`, or the path pattern.
    public var name: String
    /// The path pattern: literal segments, `*` (one segment), `{name}` (one segment, captured) and a last
    /// `**` (any number of segments, none included). Begins with `/`.
    public var path: String
    /// The methods it serves; empty: all.
    public var methods: [String]
    /// The host it serves in lower case, without port, `*.example.com` included; `nil`: all.
    public var host: String?
    /// Header fields that must be there: lower-case name, and a value, or `nil` for any value.
    public var headers: [HeaderCondition]

    /// A header field a request must carry.
    public struct HeaderCondition: Sendable, Equatable {
        /// The name in lower case.
        public var name: String
        /// The exact value, or `nil` for any.
        public var value: String?

        /// Creates a condition.
        public init(name: String, value: String?) {
            self.name = name
            self.value = value
        }
    }

    /// Creates a definition.
    public init(
        name: String, path: String, methods: [String] = [], host: String? = nil,
        headers: [HeaderCondition] = []
    ) {
        self.name = name
        self.path = path
        self.methods = methods
        self.host = host
        self.headers = headers
    }
}
