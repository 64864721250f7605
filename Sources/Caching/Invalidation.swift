public import HTTPModel

/// When stored answers of a target must go (RFC 9111 §4.4, cases `9111-4.4-…`).
public enum Invalidation {
    /// Whether the answer to a request makes what is stored for its target invalid: any method that is not
    /// known to be safe, answered with 2xx or 3xx.
    public static func isDue(method: Method, status: Status) -> Bool {
        !method.isSafe && status.code >= 200 && status.code < 400
    }
}
