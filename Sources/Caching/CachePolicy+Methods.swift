public import HTTPModel

extension CachePolicy {
    /// The methods whose answers are stored.
    public struct Methods: OptionSet, Sendable, Equatable {
        /// The bits.
        public let rawValue: UInt8
        /// Creates a set of its bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// GET, whose answers serve HEAD too.
        public static let get = Methods(rawValue: 1)
        /// POST, by the digest of its content. Such a request counts as one that only asks.
        public static let post = Methods(rawValue: 2)
        /// QUERY, by the digest of its content (RFC 10008).
        public static let query = Methods(rawValue: 4)

        /// The methods by their names, HEAD apart.
        public static let all: [(methods: Methods, method: Method)] = [
            (.get, .get), (.post, .post), (.query, .query),
        ]

        /// Whether answers to `method` are stored, or served from what is stored.
        public func take(_ method: Method) -> Bool {
            switch method {
            case .get, .head: contains(.get)
            case .post: contains(.post)
            case .query: contains(.query)
            default: false
            }
        }
    }
}
