internal import CLinux
public import Primitives

/// Bodies that nobody looks at: from one socket through a pipe into another.
extension ByteStream {
    /// Moves what is there, at most `count` bytes, into the empty `pipe`, waiting for the first byte; 0 is the end
    /// of what the peer sends.
    public func read(
        into pipe: SplicePipe, atMost count: Int, until deadline: MonotonicTime
    ) async throws(StreamError) -> Int {
        // A pipe that is full would look like a socket that is empty.
        precondition(pipe.isEmpty)
        while true {
            if isAborted { throw .aborted }
            if mayRead, let n = try readNow(into: pipe, atMost: count) { return n }
            try await waitReadable(until: deadline)
        }
    }

    /// A short one says nothing about the socket: few bytes may fill a pipe. So reading ends with `EAGAIN` alone.
    private func readNow(
        into pipe: SplicePipe, atMost count: Int
    ) throws(StreamError) -> Int? {
        precondition(descriptor >= 0)
        let n = loop.kernel.splice(from: descriptor, to: pipe.writeEnd, count: count)
        if n >= 0 {
            if n == 0 && isReset { throw .closedByPeer }
            pipe.count = n
            return n
        }
        guard n == -Int(EAGAIN) || n == -Int(EINTR) else { throw .closedByPeer }
        mayRead = n == -Int(EINTR)
        return nil
    }

    /// Writes all that is in `pipe`, at the pace of `write(_:patience:)`.
    public func write(_ pipe: SplicePipe, patience: Nanoseconds) async throws(StreamError) {
        var pace = Pace(patience: patience)
        while !pipe.isEmpty {
            try await awaitSpace(&pace)
            precondition(descriptor >= 0)
            let moved = loop.kernel.splice(from: pipe.readEnd, to: descriptor, count: pipe.count)
            // Nothing of something would come again and again.
            guard moved != 0 else { throw .closedByPeer }
            let n = try noteWritten(moved, of: 0)
            pipe.count -= n
            pace.note(n)
        }
    }
}
