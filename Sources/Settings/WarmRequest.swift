/// A GET by which an answer is fetched before anybody asks for it.
public struct WarmRequest: Sendable, Hashable {
    /// One field of the request.
    public struct Field: Sendable, Hashable {
        /// The name as it is sent.
        public var name: String
        /// The value.
        public var value: String

        /// Creates a field.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What clients send as Host.
    public var host: String
    /// Path and query.
    public var target: String
    /// Further fields; never credentials.
    public var fields: [Field]

    /// Creates a request.
    public init(host: String, target: String, fields: [Field] = []) {
        self.host = host
        self.target = target
        self.fields = fields
    }
}
