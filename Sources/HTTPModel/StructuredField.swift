import Primitives

/// Reads structured fields (RFC 9651 §4.2, cases `9651-…`) without keeping anything.
///
///     max-age=60, no-cache="set-cookie";x, public        a Dictionary
///
/// Parameters are checked and passed over. A text of several lines is first joined (`FieldList.joined`).
public enum StructuredField {
    /// Reads a Dictionary. An empty text is one without members.
    ///
    /// - Parameters:
    ///   - text: The value of the field, all lines joined by commas.
    ///   - member: Called for each key and its value, in order. Of a key that is repeated the last one counts.
    /// - Throws: When the text is malformed. What `member` was told is then void.
    public static func readDictionary(
        _ text: Span<UInt8>, _ member: (_ key: Span<UInt8>, _ value: StructuredValue) -> Void
    ) throws(StructuredFieldError) {
        var reader = StructuredReader()
        try reader.readMembers(text) { (reader, text) throws(StructuredFieldError) in
            let key = try reader.readKey(text)
            var value = StructuredValue.boolean(true)
            if reader.take(UInt8(ascii: "="), text) {
                value = try reader.readItemOrInnerList(text)
            } else {
                try reader.skipParameters(text)
            }
            member(text.extracting(key.indices), value)
        }
    }

    /// Reads a List. An empty text is one without members.
    ///
    /// - Parameters:
    ///   - text: The value of the field, all lines joined by commas.
    ///   - member: Called for each value, in order.
    /// - Throws: When the text is malformed. What `member` was told is then void.
    public static func readList(
        _ text: Span<UInt8>, _ member: (_ value: StructuredValue) -> Void
    ) throws(StructuredFieldError) {
        var reader = StructuredReader()
        try reader.readMembers(text) { (reader, text) throws(StructuredFieldError) in
            member(try reader.readItemOrInnerList(text))
        }
    }
}

/// A position in a structured field's text. Every step either moves it behind what it has read or throws.
struct StructuredReader {
    private(set) var at = 0

    /// Reads all members of a List or Dictionary, separated by commas, none behind the last.
    mutating func readMembers(
        _ text: Span<UInt8>,
        _ member: (inout StructuredReader, Span<UInt8>) throws(StructuredFieldError) -> Void
    ) throws(StructuredFieldError) {
        skipSpaces(text)
        while at < text.count {
            try member(&self, text)
            skipWhiteSpace(text)
            if at == text.count { return }
            guard take(UInt8(ascii: ","), text) else { throw StructuredFieldError() }
            skipWhiteSpace(text)
            if at == text.count { throw StructuredFieldError() }
        }
    }

    mutating func readItemOrInnerList(
        _ text: Span<UInt8>
    ) throws(StructuredFieldError) -> StructuredValue {
        let value =
            take(UInt8(ascii: "("), text) ? try readInnerList(text) : try readBareItem(text)
        try skipParameters(text)
        return value
    }

    private mutating func readInnerList(
        _ text: Span<UInt8>
    ) throws(StructuredFieldError) -> StructuredValue {
        let start = at
        while at < text.count {
            skipSpaces(text)
            let end = at
            if take(UInt8(ascii: ")"), text) {
                return .innerList(ByteRange(start: start, count: end - start))
            }
            _ = try readBareItem(text)
            try skipParameters(text)
            guard let next = peek(text), next == ASCII.space || next == UInt8(ascii: ")") else {
                throw StructuredFieldError()
            }
        }
        throw StructuredFieldError()
    }

    mutating func skipParameters(_ text: Span<UInt8>) throws(StructuredFieldError) {
        while take(UInt8(ascii: ";"), text) {
            skipSpaces(text)
            _ = try readKey(text)
            if take(UInt8(ascii: "="), text) { _ = try readBareItem(text) }
        }
    }

    mutating func readKey(_ text: Span<UInt8>) throws(StructuredFieldError) -> ByteRange {
        let start = at
        guard let first = peek(text), StructuredReader.beginsKey(first) else {
            throw StructuredFieldError()
        }
        while let byte = peek(text), StructuredReader.isKey(byte) { at += 1 }
        return ByteRange(start: start, count: at - start)
    }

    // MARK: Steps

    func peek(_ text: Span<UInt8>) -> UInt8? { at < text.count ? text[at] : nil }

    /// Whether `byte` stands here; it is then passed.
    mutating func take(_ byte: UInt8, _ text: Span<UInt8>) -> Bool {
        guard at < text.count, text[at] == byte else { return false }
        at += 1
        return true
    }

    mutating func advance() { at += 1 }

    private mutating func skipSpaces(_ text: Span<UInt8>) {
        while at < text.count, text[at] == ASCII.space { at += 1 }
    }

    private mutating func skipWhiteSpace(_ text: Span<UInt8>) {
        while at < text.count, text[at] == ASCII.space || text[at] == ASCII.tab { at += 1 }
    }

    private static func isLower(_ byte: UInt8) -> Bool { byte &- 97 < 26 }
    private static func beginsKey(_ byte: UInt8) -> Bool {
        isLower(byte) || byte == UInt8(ascii: "*")
    }
    private static func isKey(_ byte: UInt8) -> Bool {
        beginsKey(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }
}
