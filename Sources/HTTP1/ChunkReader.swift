import Primitives

/// The state between two bytes of a chunked body (RFC 9112 §7.1), up to the line of the last chunk.
///
///     5 ; extension ␍ ␊ h e l l o ␍ ␊ 0 ␍ ␊ trailers
///     size  extension sizeLF  data  dataCR dataLF
struct ChunkReader: Sendable, BitwiseCopyable {
    enum Step: BitwiseCopyable {
        /// Data of a chunk at this range.
        case data(ByteRange)
        /// The input is used up.
        case more
        /// The last chunk's line is over; what follows is the trailer section.
        case trailers
    }

    private enum State: BitwiseCopyable {
        case size, padding, fieldOfExtension, sizeLF, data, dataCR, dataLF, trailers
    }

    private var state = State.size
    private var digits = 0
    private var left: UInt64 = 0
    private var extensionBytes = 0
    private var overhead = 0

    /// Reads from `i` on, until there is data or the end of the input.
    mutating func step(_ input: Span<UInt8>, at i: inout Int) throws(BodyError) -> Step {
        while i < input.count {
            switch state {
            case .data:
                let here = UInt64(input.count - i)
                let count = left < here ? Int(left) : input.count - i
                left -= UInt64(count)
                if left == 0 { state = .dataCR }
                overhead = max(0, overhead - count)
                return .data(ByteRange(start: i, count: count))
            case .trailers:
                return .trailers
            case .dataCR:
                guard input[i] == ASCII.cr else { throw .malformedChunkEnd }
                state = .dataLF
            case .dataLF:
                guard input[i] == ASCII.lf else { throw .malformedChunkEnd }
                state = .size
            default:
                try readSizeLine(input[i])
            }
            i += 1
        }
        if case .trailers = state { return .trailers }
        return .more
    }

    private mutating func readSizeLine(_ byte: UInt8) throws(BodyError) {
        switch state {
        case .size:
            if let digit = ASCII.hexValue(byte) {
                guard digits < Bounds.chunkSizeDigits else { throw .malformedChunkSize }
                digits += 1
                left = left << 4 | UInt64(digit)
                return
            }
            guard digits > 0 else { throw .malformedChunkSize }
            try readAfterSize(byte)
        case .padding:
            try readAfterSize(byte)
        case .fieldOfExtension:
            if byte == ASCII.cr {
                state = .sizeLF
            } else {
                guard ASCII.isFieldContent(byte) else { throw .malformedChunkExtension }
                try countExtensionByte()
            }
        default:
            guard byte == ASCII.lf else { throw .malformedChunkExtension }
            state = left == 0 ? .trailers : .data
            digits = 0
            extensionBytes = 0
        }
    }

    /// After the digits: the line's end, or white space and an extension. White space alone is refused.
    private mutating func readAfterSize(_ byte: UInt8) throws(BodyError) {
        switch byte {
        case ASCII.cr where state == .size:
            state = .sizeLF
        case ASCII.space, ASCII.tab:
            state = .padding
            try countExtensionByte()
        case 0x3B:
            state = .fieldOfExtension
            try countExtensionByte()
        default:
            throw .malformedChunkSize
        }
    }

    private mutating func countExtensionByte() throws(BodyError) {
        extensionBytes += 1
        overhead += 1
        guard extensionBytes <= Bounds.chunkExtensionBytes && overhead <= Bounds.chunkOverheadBytes
        else { throw .chunkExtensionsTooLong }
    }
}
