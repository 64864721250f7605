extension EventLoop {
    /// Starts a task on this loop, from this loop. What `body` captures never leaves the loop's thread.
    public func start(_ body: @escaping () async -> Void) {
        checkIsolated()
        let confined = Confined(body)
        Task(executorPreference: self) { await confined.body() }
    }
}

/// Carries a body into a task of the same loop.
private struct Confined: @unchecked Sendable {
    // Sendable: made on the loop's thread (checked), and run there too, since plain async functions follow
    // the task's executor preference, which is the loop.
    let body: () async -> Void
    init(_ body: @escaping () async -> Void) { self.body = body }
}
