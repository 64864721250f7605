extension Worker {
    /// The worker's code runs on its loop, which it holds.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }
}
