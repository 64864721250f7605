import HTTPModel
import Primitives

/// What the value of a Range field selects of a body (RFC 9110 §14.1.2, §14.2, cases `9110-14.…`).
///
///     bytes=0-499        bytes=500-        bytes=-500        bytes=0-0, -1
public enum RangeSelection: Sendable, BitwiseCopyable {
    /// The field is to be ignored: another unit, malformed, or more ranges than anybody needs.
    case ignored
    /// No byte that is asked for exists.
    case unsatisfiable
    /// These bytes: one slice or several.
    case slices(BodySlices)

    /// Reads a field's value.
    ///
    /// The unit is compared without case; white space may stand around commas only, and members may be empty.
    /// Positions beyond 63 bits count as the largest. Ranges that do not exist are left out; those that overlap or
    /// nearly touch become one.
    ///
    /// - Parameters:
    ///   - value: The only Range field's value.
    ///   - length: The length of the whole body in bytes.
    public init(_ value: Span<UInt8>, of length: Int) {
        self = .ignored
        guard let equals = value.firstIndex(of: UInt8(ascii: "=")),
            value.extracting(0..<equals).equalsIgnoringCase("bytes")
        else { return }
        let list = value.extracting(equals + 1..<value.count)
        var slices = BodySlices()
        var asked = 0
        var start = 0
        while start <= list.count {
            let end = list.firstIndex(of: UInt8(ascii: ","), from: start) ?? list.count
            let member = list.extracting(start..<end).trimmed
            start = end + 1
            if member.count == 0 { continue }
            asked += 1
            guard asked <= CacheBounds.rangesPerRequest else { return }
            switch RangeSelection.member(member, of: length) {
            case .slice(let slice): slices.add(slice)
            case .missing: continue
            case .malformed: return
            }
        }
        if asked > 0 { self = slices.count > 0 ? .slices(slices) : .unsatisfiable }
    }

    /// Whether a request asks for one range of bytes, whatever the length of what it is of: the answer can be kept as
    /// a part.
    static func isOne(_ request: borrowing FieldList) -> Bool {
        guard request.count(of: .range) == 1, let value = request.first(.range),
            case .slices(let slices) = RangeSelection(value, of: .max)
        else { return false }
        return slices.count == 1
    }

    private enum Member {
        case slice(BodySlice)
        case missing
        case malformed
    }

    private static func member(_ text: Span<UInt8>, of length: Int) -> Member {
        guard let dash = text.firstIndex(of: UInt8(ascii: "-")) else { return .malformed }
        let (before, after) = (text.extracting(0..<dash), text.extracting(dash + 1..<text.count))
        if before.count == 0 {
            // `-500`: the last ones. Of an empty body they are all of it, which no Content-Range can say.
            guard let suffix = number(after), suffix == 0 || length > 0 else { return .malformed }
            return suffix == 0 ? .missing : .slice(BodySlice(max(0, length - suffix), length))
        }
        guard let first = number(before) else { return .malformed }
        var last = Int.max
        if after.count > 0 {
            guard let named = number(after), named >= first else { return .malformed }
            last = named
        }
        return first >= length
            ? .missing : .slice(BodySlice(first, last < length ? last + 1 : length))
    }

    /// A number of digits only; beyond 63 bits it is the largest.
    private static func number(_ digits: Span<UInt8>) -> Int? {
        guard digits.count > 0 else { return nil }
        for i in digits.indices where !ASCII.isDigit(digits[i]) { return nil }
        return Int(clamping: digits.decimalValue ?? .max)
    }
}
