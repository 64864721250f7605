import Primitives

/// The reader: strict about the grammar and about UTF-8, and bounded in depth and number of values.
extension JSONDocument {
    /// Replaces the document by the one in `text`.
    ///
    /// - Returns: Whether `text` is one JSON object within the bounds; on `false` the document means nothing.
    mutating func read(_ text: Span<UInt8>) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        nodes.removeAll(keepingCapacity: true)
        at = 0
        skipSpace(text)
        guard peek(text) == UInt8(ascii: "{"), readValue(text, depth: 1) else { return false }
        skipSpace(text)
        return at == text.count
    }

    private func peek(_ text: Span<UInt8>) -> UInt8? { at < text.count ? text[at] : nil }

    private mutating func skipSpace(_ text: Span<UInt8>) {
        while let byte = peek(text), byte == 32 || byte == 9 || byte == 10 || byte == 13 { at += 1 }
    }

    private mutating func take(_ byte: UInt8, _ text: Span<UInt8>) -> Bool {
        guard peek(text) == byte else { return false }
        at += 1
        return true
    }

    private mutating func readValue(_ text: Span<UInt8>, depth: Int) -> Bool {
        guard depth <= IdentityBounds.jsonDepthMax, nodes.count < IdentityBounds.jsonNodesMax,
            let first = peek(text)
        else { return false }
        let node = nodes.count
        nodes.append(Node(kind: .null, text: .empty, next: node + 1))
        switch first {
        case UInt8(ascii: "{"):
            nodes[node].kind = .object
            guard readItems(text, depth, close: UInt8(ascii: "}"), named: true) else {
                return false
            }
        case UInt8(ascii: "["):
            nodes[node].kind = .array
            guard readItems(text, depth, close: UInt8(ascii: "]"), named: false) else {
                return false
            }
        case UInt8(ascii: "\""):
            nodes[node].kind = .string
            guard let string = readString(text) else { return false }
            nodes[node].text = string
        case UInt8(ascii: "t"):
            nodes[node].kind = .boolean
            return readWord("true", text)
        case UInt8(ascii: "f"):
            nodes[node].kind = .boolean
            return readWord("false", text)
        case UInt8(ascii: "n"):
            return readWord("null", text)
        default:
            nodes[node].kind = .number
            guard let number = readNumber(text) else { return false }
            nodes[node].text = number
        }
        nodes[node].next = nodes.count
        return true
    }

    /// What stands between the brackets of an array or object.
    private mutating func readItems(
        _ text: Span<UInt8>, _ depth: Int, close: UInt8, named: Bool
    ) -> Bool {
        at += 1
        skipSpace(text)
        if take(close, text) { return true }
        while true {
            if named {
                let node = nodes.count
                guard node < IdentityBounds.jsonNodesMax, let name = readString(text) else {
                    return false
                }
                nodes.append(Node(kind: .string, text: name, next: node + 1))
                skipSpace(text)
                guard take(UInt8(ascii: ":"), text) else { return false }
                skipSpace(text)
            }
            guard readValue(text, depth: depth + 1) else { return false }
            skipSpace(text)
            if take(close, text) { return true }
            guard take(UInt8(ascii: ","), text) else { return false }
            skipSpace(text)
        }
    }

    private mutating func readWord(_ word: StaticString, _ text: Span<UInt8>) -> Bool {
        guard text.extracting(at..<text.count).starts(with: word) else { return false }
        at += word.utf8CodeUnitCount
        return true
    }

    /// A number (RFC 8259 §6), kept as it is written.
    private mutating func readNumber(_ text: Span<UInt8>) -> ByteRange? {
        let start = at
        _ = take(UInt8(ascii: "-"), text)
        if !take(UInt8(ascii: "0"), text) && !skipDigits(text) { return nil }
        if take(UInt8(ascii: "."), text) && !skipDigits(text) { return nil }
        if let letter = peek(text), letter | 0x20 == UInt8(ascii: "e") {
            at += 1
            if !take(UInt8(ascii: "+"), text) { _ = take(UInt8(ascii: "-"), text) }
            guard skipDigits(text) else { return nil }
        }
        let kept = bytes.count
        bytes.append(text.extracting(start..<at))
        return ByteRange(start: kept, count: at - start)
    }

    private mutating func skipDigits(_ text: Span<UInt8>) -> Bool {
        let start = at
        while let byte = peek(text), ASCII.isDigit(byte) { at += 1 }
        return at > start
    }

    /// A string (RFC 8259 §7), kept decoded.
    private mutating func readString(_ text: Span<UInt8>) -> ByteRange? {
        let start = bytes.count
        guard take(UInt8(ascii: "\""), text) else { return nil }
        while let byte = peek(text) {
            switch byte {
            case UInt8(ascii: "\""):
                at += 1
                return ByteRange(start: start, count: bytes.count - start)
            case UInt8(ascii: "\\"):
                guard readEscape(text) else { return nil }
            case 0..<0x20:
                return nil
            case 0x20..<0x80:
                bytes.append(byte)
                at += 1
            default:
                let length = text.utf8SequenceLength(at: at)
                guard length > 0 else { return nil }
                bytes.append(text.extracting(at..<(at + length)))
                at += length
            }
        }
        return nil
    }

    private mutating func readEscape(_ text: Span<UInt8>) -> Bool {
        at += 1
        guard let letter = peek(text) else { return false }
        at += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(letter)
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "u"): return readUnicodeEscape(text)
        default: return false
        }
        return true
    }

    /// Four digits, or twice four for what lies beyond them. Half of such a pair alone is no character.
    private mutating func readUnicodeEscape(_ text: Span<UInt8>) -> Bool {
        guard let first = readHex(text) else { return false }
        var scalar = first
        if first >= 0xD800 && first < 0xE000 {
            guard first < 0xDC00, take(UInt8(ascii: "\\"), text), take(UInt8(ascii: "u"), text),
                let second = readHex(text), second >= 0xDC00, second < 0xE000
            else { return false }
            scalar = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        }
        guard let character = Unicode.Scalar(scalar) else { return false }
        for unit in UTF8.encode(character) ?? UTF8.encodedReplacementCharacter {
            bytes.append(unit)
        }
        return true
    }

    private mutating func readHex(_ text: Span<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(text), let digit = ASCII.hexValue(byte) else { return nil }
            value = value << 4 | UInt32(digit)
            at += 1
        }
        return value
    }
}

extension Span where Element == UInt8 {
    /// The length of the well-formed UTF-8 sequence beyond ASCII at `index` (RFC 3629 §4); 0: there is none.
    func utf8SequenceLength(at index: Int) -> Int {
        let lead = self[index]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if lead == 0xE0 { second = 0xA0...0xBF }
            if lead == 0xED { second = 0x80...0x9F }
        case 0xF0...0xF4:
            length = 4
            if lead == 0xF0 { second = 0x90...0xBF }
            if lead == 0xF4 { second = 0x80...0x8F }
        default: return 0
        }
        guard index + length <= count, second.contains(self[index + 1]) else { return 0 }
        for i in (index + 2)..<(index + length) where self[i] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
