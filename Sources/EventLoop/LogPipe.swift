import Primitives

/// Writes lines to a descriptor on a thread of its own, so that a slow reader of the log never holds a loop up.
///
/// At most 8 MiB wait; what comes beyond is dropped and counted.
public final class LogPipe: Sendable {
    private struct State {
        var pending: [[UInt8]] = []
        var pendingBytes = 0
        var isWriting = false
        var droppedLines: UInt64 = 0
    }

    private let kernel: Kernel
    private let descriptor: Int32
    private let wakeDescriptor: Int32
    private let state = Guarded(State())

    /// Creates the pipe to `descriptor` and starts its thread.
    public init?(descriptor: Int32, kernel: Kernel = Kernel()) {
        self.kernel = kernel
        self.descriptor = descriptor
        wakeDescriptor = kernel.createBlockingWake()
        guard wakeDescriptor >= 0 else { return nil }
        kernel.startThread(wokenBy: wakeDescriptor) { [self] in writePending() }
    }

    /// Hands over whole lines; `lines` is their number, for the count of dropped ones.
    public func submit(_ bytes: [UInt8], lines: Int) {
        let mustWake = state.withLock { state in
            if state.pendingBytes + bytes.count > Bounds.logBacklog {
                state.droppedLines += UInt64(lines)
                return false
            }
            state.pending.append(bytes)
            state.pendingBytes += bytes.count
            return state.pending.count == 1
        }
        if mustWake { kernel.wake(wakeDescriptor) }
    }

    /// Lines that were dropped since the start.
    public var droppedLines: UInt64 { state.withLock { $0.droppedLines } }
    /// Whether all lines have been written.
    public var isIdle: Bool { state.withLock { $0.pending.isEmpty && !$0.isWriting } }

    private func writePending() {
        let batch = state.withLock { state in
            let taken = state.pending
            state.pending = []
            state.pendingBytes = 0
            state.isWriting = true
            return taken
        }
        for bytes in batch { kernel.writeAll(descriptor, bytes) }
        state.withLock { $0.isWriting = false }
    }
}
