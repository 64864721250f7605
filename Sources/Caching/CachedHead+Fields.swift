public import HTTPModel
public import Primitives

extension CachedHead {
    /// Where the value of the only field named `name` stands in `bytes`; `nil` when there is none, or several.
    /// `name` is in lower case. No allocation.
    public func onlyValue(of name: Span<UInt8>) -> ByteRange? {
        let bytes = self.bytes
        let all = bytes.span
        var found: ByteRange?
        var start = 0
        while let end = all.firstIndex(of: ASCII.lf, from: start) {
            let line = all.extracting(start..<end - 1)
            if start > 0, line.count > name.count, line[name.count] == UInt8(ascii: ":"),
                line.extracting(0..<name.count).equalsIgnoringCase(name)
            {
                if found != nil { return nil }
                // Every line was written here as `Name: value`.
                let count = max(line.count - name.count - 2, 0)
                found = ByteRange(start: start + name.count + 2, count: count)
            }
            start = end + 1
        }
        return found
    }

    /// The fields, as they would be read from `bytes`. Allocates.
    public var fields: FieldList { parsed().fields }

    /// Appends the head as `append(to:)` does, without the fields whose names `isDropped` says yes to.
    public func append(to buffer: ByteBuffer, dropping isDropped: (Span<UInt8>) -> Bool) {
        let bytes = self.bytes
        let all = bytes.span
        var start = 0
        while let end = all.firstIndex(of: ASCII.lf, from: start) {
            let line = all.extracting(start..<end + 1)
            let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? 0
            if start == 0 || !isDropped(line.extracting(0..<colon)) { buffer.append(line) }
            start = end + 1
        }
    }
}
