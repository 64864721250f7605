import CLinux

/// What is in a simulated pipe; both its descriptors hold it.
final class SimulatedPipe: Pollable {
    /// Bytes that fit.
    static let capacity = 64 << 10
    var bytes: [UInt8] = []
}

extension SimulatedNetwork {
    /// Makes a pipe; its ends, or the error in both.
    func createPipe() -> (readEnd: Int32, writeEnd: Int32) {
        if mustFail(.createPipe) || isExhausted {
            let error = -SystemCall.createPipe.injectedError
            return (error, error)
        }
        let pipe = SimulatedPipe()
        return (open(.pipe(pipe)), open(.pipe(pipe)))
    }

    /// Moves at most `count` bytes from a socket into a pipe, or from a pipe into a socket.
    func splice(from: Int32, to: Int32, count: Int) -> Int {
        switch (descriptor(from, for: "splice"), descriptor(to, for: "splice")) {
        case (.socket, .pipe(let pipe)):
            let room = min(count, SimulatedPipe.capacity - pipe.bytes.count)
            if room == 0 { return -Int(EAGAIN) }
            let (bytes, result) = read(from, atMost: room)
            if let bytes { pipe.bytes += bytes }
            return result
        case (.pipe(let pipe), .socket):
            if pipe.bytes.isEmpty { return -Int(EAGAIN) }
            let n = space(to, for: min(count, pipe.bytes.count))
            if n > 0 {
                send(to, Array(pipe.bytes.prefix(n)))
                pipe.bytes.removeFirst(n)
            }
            return n
        default: return -Int(EINVAL)
        }
    }
}
