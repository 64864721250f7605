import EventLoop

/// A worker's pipes for large bodies: made when they are needed, kept for the next ones.
final class PipePool {
    private let kernel: Kernel
    private var idle: [SplicePipe] = []
    private var open = 0
    private var isClosed = false

    init(_ kernel: Kernel) { self.kernel = kernel }

    /// An empty pipe for a body of which `rest` bytes are still to come; `nil` when it is too small to gain by one,
    /// or there are `Bounds.pipes` already, or the system refuses: then it goes through a buffer.
    func take(forBodyOf rest: UInt64) -> SplicePipe? {
        guard rest >= Bounds.splicedBody else { return nil }
        if let kept = idle.popLast() { return kept }
        guard open < Bounds.pipes, let made = SplicePipe(kernel) else { return nil }
        open += 1
        return made
    }

    /// Takes a pipe back; one in which an exchange that failed has left something is closed.
    func giveBack(_ pipe: SplicePipe) {
        if pipe.isEmpty && !isClosed { idle.append(pipe) } else { close(pipe) }
    }

    /// Closes the pipes that are not in use now, and the others when they come back.
    func close() {
        isClosed = true
        while let pipe = idle.popLast() { close(pipe) }
    }

    private func close(_ pipe: SplicePipe) {
        pipe.close()
        open -= 1
    }
}
