extension RedisCall {
    /// Waits for the result that `start` hands on, at once or later, and exactly once.
    static func awaitResult(
        _ start: (@escaping (RedisResult) -> Void) -> Void
    ) async -> RedisResult {
        unsafe await withUnsafeContinuation { continuation in
            // A call tells its result once: `finish` gives the function up when it calls it.
            start { unsafe continuation.resume(returning: $0) }
        }
    }
}
