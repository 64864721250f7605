import Primitives

extension ByteBuffer {
    /// Appends `text` as the inside of a JSON string; beyond `max` bytes it is cut, never inside a
    /// character, and `…` appended.
    func append(jsonText text: Span<UInt8>, max: Int) {
        let end = min(text.count, max)
        var i = 0
        var plain = 0
        while i < end {
            let byte = text[i]
            if byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"")
                && byte != UInt8(ascii: "\\")
            {
                i += 1
                continue
            }
            append(text.extracting(plain..<i))
            plain = i
            if byte < 0x80 {
                append(jsonEscape: byte)
                i += 1
            } else {
                let length = text.utf8SequenceLength(at: i)
                if i + abs(length) > end && text.count > max { break }
                append(character: text.extracting(i..<(i + abs(length))), isValid: length > 0)
                i += abs(length)
            }
            plain = i
        }
        if plain < i { append(text.extracting(plain..<i)) }
        if text.count > max { append("\u{2026}") }
    }

    private func append(jsonEscape byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 10: append("\\n")
        case 13: append("\\r")
        case 9: append("\\t")
        default:
            append("\\u00")
            append(hex: UInt64(byte), digits: 2)
        }
    }

    private func append(character: Span<UInt8>, isValid: Bool) {
        if !isValid {
            append("\u{FFFD}")
        } else if character.count == 2 && character[0] == 0xC2 && character[1] < 0xA0 {
            // U+0080…U+009F steer terminals just as the controls of ASCII do.
            append("\\u00")
            append(hex: UInt64(character[1]), digits: 2)
        } else {
            append(character)
        }
    }
}

extension Span where Element == UInt8 {
    /// The length of the UTF-8 sequence at `index`, whose byte is 0x80 or above; for a damaged one, less
    /// than zero: how much of it one U+FFFD replaces (Unicode 16, §3.9, maximal subparts).
    fileprivate func utf8SequenceLength(at index: Int) -> Int {
        let lead = self[index]
        let length: Int
        var low: UInt8 = 0x80
        var high: UInt8 = 0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if lead == 0xE0 { low = 0xA0 }
            // Surrogates are no characters.
            if lead == 0xED { high = 0x9F }
        case 0xF0...0xF4:
            length = 4
            if lead == 0xF0 { low = 0x90 }
            if lead == 0xF4 { high = 0x8F }
        default: return -1
        }
        for i in 1..<length {
            guard index + i < count, self[index + i] >= low, self[index + i] <= high else {
                return -i
            }
            low = 0x80
            high = 0xBF
        }
        return length
    }
}
