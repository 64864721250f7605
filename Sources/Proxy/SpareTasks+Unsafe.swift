import Primitives

/// A connection that was accepted, and who it comes from.
struct AcceptedConnection: Sendable {
    let descriptor: Int32
    let peer: SocketAddress
}

/// Tasks that have served a connection and wait for the next one, so that short connections do not pay for a task
/// each.
///
/// The one that came last goes first: its frames are still in the processor's caches. A task that waits holds some
/// kilobytes; beyond `Bounds.spareTasks` it ends instead. So does a task older than `Bounds.spareTaskAge`: a task keeps
/// the memory of the deepest call it ever made until it ends.
@safe final class SpareTasks {
    private var waiting: [UnsafeContinuation<AcceptedConnection?, Never>] = unsafe []
    private var hasEnded = false

    /// Gives `accepted` to a waiting task; `false` when none waits.
    func serve(_ accepted: AcceptedConnection) -> Bool {
        guard let task = unsafe waiting.popLast() else { return false }
        unsafe task.resume(returning: accepted)
        return true
    }

    /// The next connection for the calling task, which is so old; `nil` when it shall end.
    func next(age: Nanoseconds) async -> AcceptedConnection? {
        let enough = unsafe waiting.count >= Bounds.spareTasks
        if hasEnded || enough || age > Bounds.spareTaskAge { return nil }
        return unsafe await withUnsafeContinuation { unsafe waiting.append($0) }
    }

    /// Ends the waiting tasks, and those that would wait from now on.
    func end() {
        hasEnded = true
        while let task = unsafe waiting.popLast() { unsafe task.resume(returning: nil) }
    }
}
