extension EventLoop {
    /// Runs the jobs that are ready, and those they make ready, within the budget of a turn.
    func runReadyJobs() {
        var budget = Bounds.jobsPerTurn
        // Unowned references to `self`, which outlives this call.
        let serial = unsafe asUnownedSerialExecutor()
        let task = unsafe asUnownedTaskExecutor()
        while budget > 0, let job = ready.popFirst() {
            unsafe job.runSynchronously(isolatedTo: serial, taskExecutor: task)
            budget -= 1
        }
    }
}
