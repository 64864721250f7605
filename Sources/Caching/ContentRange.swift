import HTTPModel
import Primitives

/// Where the body of a 206 stands in the whole one (RFC 9110 §14.4).
///
///     bytes 0-499/1234
struct ContentRange {
    /// The bytes that the answer carries.
    let slice: BodySlice
    /// The length of the whole body.
    let length: Int

    /// Reads the only Content-Range of a 206 with one part whose body is as long as that says; `nil` for all others,
    /// also while the length of the whole is not known.
    init?(of response: borrowing ResponseHead) {
        guard response.status == 206, response.fields.count(of: .contentRange) == 1,
            let value = response.fields.first(.contentRange), let parsed = ContentRange(value),
            response.framing == .length(UInt64(parsed.slice.count))
        else { return nil }
        self = parsed
    }

    /// Reads a field's value.
    init?(_ value: Span<UInt8>) {
        guard let space = value.firstIndex(of: ASCII.space),
            value.extracting(0..<space).equalsIgnoringCase("bytes"),
            let dash = value.firstIndex(of: UInt8(ascii: "-"), from: space),
            let slash = value.firstIndex(of: UInt8(ascii: "/"), from: dash),
            let first = value.extracting(space + 1..<dash).decimalValue,
            let last = value.extracting(dash + 1..<slash).decimalValue,
            let length = value.extracting(slash + 1..<value.count).decimalValue,
            first <= last, last < length, let whole = Int(exactly: length)
        else { return nil }
        slice = BodySlice(Int(first), Int(last) + 1)
        self.length = whole
    }
}
