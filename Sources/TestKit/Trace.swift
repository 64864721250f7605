import Primitives

/// What happened in a simulation: a hash of all of it, and the newest events in words.
struct Trace {
    private struct Event {
        let time: UInt64
        let verb: StaticString
        let descriptor: Int32
        let result: Int
    }

    /// Two runs with equal hashes made the same calls at the same times with the same results.
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    private var newest: [Event] = []
    private var count = 0
    private static let kept = 64

    mutating func record(_ verb: StaticString, _ descriptor: Int32, _ result: Int, at time: UInt64)
    {
        mix(time)
        mix(UInt64(UInt(bitPattern: verb.utf8CodeUnitCount)))
        mix(UInt64(UInt32(bitPattern: descriptor)))
        mix(UInt64(UInt(bitPattern: result)))
        let event = Event(time: time, verb: verb, descriptor: descriptor, result: result)
        if newest.count < Trace.kept {
            newest.append(event)
        } else {
            newest[count % Trace.kept] = event
        }
        count += 1
    }

    mutating func record(bytes: [UInt8]) {
        let span = bytes.span
        var index = 0
        while index + 8 <= span.count {
            mix(span.littleEndianWord(at: index))
            index += 8
        }
        while index < span.count {
            mix(UInt64(span[index]))
            index += 1
        }
    }

    private mutating func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 29
    }

    /// The newest events, the oldest of them first.
    var lines: [String] {
        let start = max(0, count - Trace.kept)
        return (start..<count).map { index in
            let event = newest[index % Trace.kept]
            let micros = event.time / 1000
            return "\(micros) µs \(event.verb) \(event.descriptor) → \(event.result)"
        }
    }
}
