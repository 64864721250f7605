import Primitives

/// Why a request target in origin-form is refused.
public enum TargetError: UInt8, Error, Sendable, BitwiseCopyable, CaseIterable {
    /// A byte that no target may hold: a control, a space, `#`, or one beyond ASCII.
    case forbiddenByte
    /// A `%` without two hexadecimal digits after it.
    case malformedEscape
    /// More `..` segments than there are segments before them.
    case aboveRoot
}

/// Brings request targets into one spelling (RFC 3986 §6.2.2), so that routes, limit keys, cache keys
/// and the origin all see the same path.
///
/// Dot segments go, also spelt `%2e`; escapes of unreserved characters are decoded; the hexadecimal
/// digits of all other escapes become upper case. `%2F`, empty segments and the order of the query stay.
/// Normalising twice is normalising once. What needs no change, nearly every target, is only looked at.
public enum TargetNormaliser {
    /// What a first look at a target found.
    public struct Inspection: Sendable, BitwiseCopyable {
        /// Whether the target is already in its normal spelling.
        public let isNormal: Bool
        /// The number of bytes before the first `?`, or of all when there is none.
        public let pathCount: Int
    }

    /// Checks `target`, a path with or without a query.
    ///
    /// An empty path passes and is not normal: it stands for `/`.
    public static func inspect(_ target: Span<UInt8>) throws(TargetError) -> Inspection {
        try inspect(target, in: 0..<target.count)
    }

    /// Checks the target in `range` in the same way, in one pass.
    public static func inspect(
        _ bytes: Span<UInt8>, in range: Range<Int>
    ) throws(TargetError) -> Inspection {
        let end = range.upperBound
        var isNormal = !range.isEmpty && bytes[range.lowerBound] == slash
        var pathEnd = end
        var inPath = true
        var i = bytes.firstNotPlain(from: range.lowerBound, to: end)
        while i < end {
            switch bytes[i] {
            case dot:
                if inPath && i > range.lowerBound && bytes[i - 1] == slash
                    && isDotSegment(bytes, at: i, to: end)
                {
                    isNormal = false
                }
                i += 1
            case question:
                if inPath {
                    inPath = false
                    pathEnd = i
                }
                i += 1
            case percent:
                let escaped = try unescape(bytes, at: i, to: end)
                if isUnreserved(escaped) || isLower(bytes[i + 1]) || isLower(bytes[i + 2]) {
                    isNormal = false
                }
                i += 3
            default:
                throw .forbiddenByte
            }
            i = bytes.firstNotPlain(from: i, to: end)
        }
        return Inspection(isNormal: isNormal, pathCount: pathEnd - range.lowerBound)
    }

    /// Replaces the contents of `output` by the normal spelling of `target`, and returns how many of its
    /// bytes are the path. The block of `output` is reused.
    public static func normalise(
        _ target: Span<UInt8>, into output: inout [UInt8]
    ) throws(TargetError) -> Int {
        let pathEnd = target.firstIndex(of: question) ?? target.count
        output.removeAll(keepingCapacity: true)
        output.append(slash)
        if pathEnd > 0 && target[0] != slash { throw .forbiddenByte }
        var i = 1
        // `output` ends with the slash before the segment that begins at `segment`.
        var segment = 1
        while i < pathEnd {
            if target[i] == slash {
                if try !removeDotSegment(&output, from: segment) { output.append(slash) }
                segment = output.count
                i += 1
            } else {
                i = try appendNormal(target, at: i, to: &output)
            }
        }
        _ = try removeDotSegment(&output, from: segment)
        let pathCount = output.count
        i = pathEnd
        while i < target.count { i = try appendNormal(target, at: i, to: &output) }
        return pathCount
    }

    /// Takes the last segment away when it is `.` or `..`, the latter with the one before it; then
    /// `output` ends with a slash.
    private static func removeDotSegment(
        _ output: inout [UInt8], from segment: Int
    ) throws(TargetError) -> Bool {
        let count = output.count - segment
        guard count == 1 || count == 2, output[segment] == dot else { return false }
        if count == 1 {
            output.removeLast()
            return true
        }
        guard output[segment + 1] == dot else { return false }
        output.removeLast(3)
        // The slash before the segment is gone too: what is left is the segment before, if any.
        guard !output.isEmpty else { throw .aboveRoot }
        while let last = output.last, last != slash { output.removeLast() }
        return true
    }

    /// Appends the byte or the escape at `index` in its normal spelling; returns the index after it.
    private static func appendNormal(
        _ target: Span<UInt8>, at index: Int, to output: inout [UInt8]
    ) throws(TargetError) -> Int {
        let byte = target[index]
        if byte != percent {
            guard isPlain(byte) || byte == dot || byte == question else { throw .forbiddenByte }
            output.append(byte)
            return index + 1
        }
        let escaped = try unescape(target, at: index, to: target.count)
        if isUnreserved(escaped) {
            output.append(escaped)
        } else {
            output.append(percent)
            output.append(upper(target[index + 1]))
            output.append(upper(target[index + 2]))
        }
        return index + 3
    }

    private static func unescape(
        _ target: Span<UInt8>, at index: Int, to end: Int
    ) throws(TargetError) -> UInt8 {
        guard index + 2 < end, let high = ASCII.hexValue(target[index + 1]),
            let low = ASCII.hexValue(target[index + 2])
        else { throw .malformedEscape }
        return high << 4 | low
    }

    /// Whether the segment at `index`, which begins with a dot, is `.` or `..`.
    private static func isDotSegment(_ target: Span<UInt8>, at index: Int, to end: Int) -> Bool {
        var next = index + 1
        if next < end && target[next] == dot { next += 1 }
        return next == end || target[next] == slash || target[next] == question
    }

    /// Whether `byte` may stand in a target and never asks for a closer look.
    private static func isPlain(_ byte: UInt8) -> Bool {
        // Two 64-bit sets: 0x21…0x3F without `#`, `%`, `.` and `?`; 0x40…0x7E.
        let set: UInt64 = byte < 64 ? 0x7FFF_BFD6_0000_0000 : 0x7FFF_FFFF_FFFF_FFFF
        return byte < 128 && (set >> UInt64(byte & 63)) & 1 == 1
    }

    /// Letters, digits and `-._~` (RFC 3986 §2.3).
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        ASCII.isAlpha(byte) || ASCII.isDigit(byte) || byte == 0x2D || byte == dot || byte == 0x5F
            || byte == 0x7E
    }
    private static func isLower(_ byte: UInt8) -> Bool { byte &- 97 < 26 }
    private static func upper(_ byte: UInt8) -> UInt8 { isLower(byte) ? byte & 0xDF : byte }

    private static let slash: UInt8 = 0x2F
    private static let dot: UInt8 = 0x2E
    private static let percent: UInt8 = 0x25
    private static let question: UInt8 = 0x3F
}

extension Span where Element == UInt8 {
    /// The index of the first byte from `start` and before `end` that asks for a closer look in a target, or `end`.
    @inline(__always)
    fileprivate func firstNotPlain(from start: Int, to end: Int) -> Int {
        func every(_ byte: UInt8) -> SIMD16<UInt8> { SIMD16(repeating: byte) }
        return firstMarked(from: start, to: end) {
            ($0 &- 0x21 .> every(0x7E - 0x21)) .| ($0 .== every(0x23)) .| ($0 .== every(0x25))
                .| ($0 .== every(0x2E)) .| ($0 .== every(0x3F))
        }
    }
}
