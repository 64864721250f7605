import Primitives

/// Reads a JSON object whose values are texts, numbers, `true` and `false` (RFC 8259): a request to the admin API.
struct FlatJSON {
    private var rest: ArraySlice<UInt8>

    /// The members in their order, values as texts; `nil` when it is anything else.
    static func members(of body: [UInt8]) -> [(name: String, value: String)]? {
        var reader = FlatJSON(rest: body[...])
        guard let members = reader.object() else { return nil }
        reader.skip()
        return reader.rest.isEmpty ? members : nil
    }

    private mutating func object() -> [(name: String, value: String)]? {
        guard take("{") else { return nil }
        var members: [(name: String, value: String)] = []
        if take("}") { return members }
        repeat {
            skip()
            guard let name = string(), take(":"), let value = value() else { return nil }
            members.append((name, value))
        } while take(",")
        return take("}") ? members : nil
    }

    private mutating func value() -> String? {
        skip()
        if rest.first == UInt8(ascii: "\"") { return string() }
        let word = rest.prefix {
            ASCII.isAlpha($0) || ASCII.isDigit($0) || "+-.".utf8.contains($0)
        }
        rest = rest.dropFirst(word.count)
        let text = String(decoding: word, as: UTF8.self)
        if text == "true" || text == "false" { return text }
        guard let first = word.first, ASCII.isDigit(first) || first == UInt8(ascii: "-"),
            Double(text) != nil
        else { return nil }
        return text
    }

    private mutating func string() -> String? {
        guard rest.popFirst() == UInt8(ascii: "\"") else { return nil }
        var text = String.UnicodeScalarView()
        var plain: [UInt8] = []
        func flush() -> Bool {
            guard let part = String(validating: plain, as: UTF8.self) else { return false }
            text.append(contentsOf: part.unicodeScalars)
            plain.removeAll()
            return true
        }
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return flush() ? String(text) : nil
            case UInt8(ascii: "\\"):
                guard flush(), let scalar = escape() else { return nil }
                text.append(scalar)
            case 0..<0x20: return nil
            default: plain.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        switch rest.popFirst() {
        case UInt8(ascii: "\""): "\""
        case UInt8(ascii: "\\"): "\\"
        case UInt8(ascii: "/"): "/"
        case UInt8(ascii: "b"): "\u{8}"
        case UInt8(ascii: "f"): "\u{C}"
        case UInt8(ascii: "n"): "\n"
        case UInt8(ascii: "r"): "\r"
        case UInt8(ascii: "t"): "\t"
        case UInt8(ascii: "u"): scalar()
        default: nil
        }
    }

    private mutating func scalar() -> Unicode.Scalar? {
        guard let first = unit() else { return nil }
        guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) }
        guard rest.popFirst() == UInt8(ascii: "\\"), rest.popFirst() == UInt8(ascii: "u"),
            let second = unit(), (0xDC00..<0xE000).contains(second)
        else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private mutating func unit() -> UInt32? {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = rest.popFirst().flatMap({ ASCII.hexValue($0) }) else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    private mutating func take(_ sign: Unicode.Scalar) -> Bool {
        skip()
        guard rest.first == UInt8(ascii: sign) else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func skip() {
        rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }
}
