public import Primitives

/// The place of a request in a distributed trace (W3C Trace Context, `traceparent`). 32 bytes, no references.
public struct TraceContext: Sendable, Equatable, BitwiseCopyable {
    /// The first half of the trace id.
    public private(set) var traceHigh: UInt64
    /// The second half of the trace id. The halves are not both 0.
    public private(set) var traceLow: UInt64
    /// The id of the span that is the parent of what is called next; never 0.
    public private(set) var span: UInt64
    /// Bit 0: sampled. Bit 1: the trace id is random (level 2). All others are 0.
    public private(set) var flags: UInt8

    /// The bytes of a `traceparent` of version 00.
    public static let textCount = 55

    /// Reads the value of a `traceparent` field.
    ///
    /// Of a version above 00 the first four parts are read and what follows is ignored; unknown flags are
    /// dropped, since what we send is of version 00.
    ///
    /// - Returns: `nil` for upper-case digits, version `ff`, ids of zero, or any other form.
    public init?(parsing text: Span<UInt8>) {
        guard text.count >= TraceContext.textCount, let version = text.hexValue(0..<2),
            version != 0xFF, text[2] == UInt8(ascii: "-"),
            let high = text.hexValue(3..<19), let low = text.hexValue(19..<35),
            text[35] == UInt8(ascii: "-"), let parent = text.hexValue(36..<52),
            text[52] == UInt8(ascii: "-"), let flags = text.hexValue(53..<55)
        else { return nil }
        if text.count > TraceContext.textCount {
            guard version > 0, text[TraceContext.textCount] == UInt8(ascii: "-") else {
                return nil
            }
        }
        guard high | low != 0 && parent != 0 else { return nil }
        traceHigh = high
        traceLow = low
        span = parent
        self.flags = UInt8(truncatingIfNeeded: flags) & 3
    }

    /// Starts a new trace.
    public init(isSampled: Bool, using random: inout SeededRandom) {
        traceHigh = random.next()
        traceLow = TraceContext.nonzero(&random)
        span = TraceContext.nonzero(&random)
        flags = isSampled ? 3 : 2
    }

    /// Whether the caller asks for the trace to be recorded.
    public var isSampled: Bool { flags & 1 == 1 }

    /// The same trace with a new span: what a participating proxy sends on.
    public func child(using random: inout SeededRandom) -> TraceContext {
        var child = self
        child.span = TraceContext.nonzero(&random)
        return child
    }

    /// Appends the value of a `traceparent` field: `00-<trace id>-<span id>-<flags>`.
    public func append(to output: ByteBuffer) {
        output.append("00-")
        appendTraceID(to: output)
        output.append(UInt8(ascii: "-"))
        output.append(hex: span, digits: 16)
        output.append(UInt8(ascii: "-"))
        output.append(hex: UInt64(flags), digits: 2)
    }

    /// Appends the 32 digits of the trace id.
    public func appendTraceID(to output: ByteBuffer) {
        output.append(hex: traceHigh, digits: 16)
        output.append(hex: traceLow, digits: 16)
    }

    private static func nonzero(_ random: inout SeededRandom) -> UInt64 {
        while true {
            let word = random.next()
            if word != 0 { return word }
        }
    }
}

extension Span where Element == UInt8 {
    /// The value of the lower-case hexadecimal digits in `range`, at most 16, or `nil`.
    fileprivate func hexValue(_ range: Range<Int>) -> UInt64? {
        var value: UInt64 = 0
        for i in range {
            // Upper-case digits make the whole field invalid.
            guard let digit = ASCII.hexValue(self[i]), ASCII.lower(self[i]) == self[i] else {
                return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}
