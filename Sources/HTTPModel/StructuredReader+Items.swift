import Primitives

/// The eight kinds of bare items (RFC 9651 §4.2.3.1).
extension StructuredReader {
    mutating func readBareItem(
        _ text: Span<UInt8>
    ) throws(StructuredFieldError) -> StructuredValue {
        guard let first = peek(text) else { throw StructuredFieldError() }
        switch first {
        case UInt8(ascii: "\""): return .string(try readString(text))
        case UInt8(ascii: ":"): return .bytes(try readBytes(text))
        case UInt8(ascii: "?"): return .boolean(try readBoolean(text))
        case UInt8(ascii: "@"):
            advance()
            guard case .integer(let seconds) = try readNumber(text) else {
                throw StructuredFieldError()
            }
            return .date(seconds)
        case UInt8(ascii: "%"): return .displayString(try readDisplayString(text))
        case UInt8(ascii: "-"): return try readNumber(text)
        default: break
        }
        if ASCII.isDigit(first) { return try readNumber(text) }
        guard ASCII.isAlpha(first) || first == UInt8(ascii: "*") else {
            throw StructuredFieldError()
        }
        return .token(readToken(text))
    }

    /// At most 15 digits, or 12 before the point and 3 behind it.
    private mutating func readNumber(
        _ text: Span<UInt8>
    ) throws(StructuredFieldError) -> StructuredValue {
        let isNegative = take(UInt8(ascii: "-"), text)
        var value: Int64 = 0
        var digits = 0
        while let byte = peek(text), ASCII.isDigit(byte) {
            advance()
            digits += 1
            guard digits <= 15 else { throw StructuredFieldError() }
            value = value * 10 + Int64(byte &- 48)
        }
        guard digits > 0 else { throw StructuredFieldError() }
        guard take(UInt8(ascii: "."), text) else { return .integer(isNegative ? -value : value) }
        guard digits <= 12 else { throw StructuredFieldError() }
        var behind = 0
        while let byte = peek(text), ASCII.isDigit(byte) {
            advance()
            behind += 1
            guard behind <= 3 else { throw StructuredFieldError() }
            value = value * 10 + Int64(byte &- 48)
        }
        guard behind > 0 else { throw StructuredFieldError() }
        for _ in behind..<3 { value *= 10 }
        return .decimal(thousandths: isNegative ? -value : value)
    }

    private mutating func readString(_ text: Span<UInt8>) throws(StructuredFieldError) -> ByteRange
    {
        advance()
        let start = at
        while let byte = peek(text) {
            advance()
            switch byte {
            case UInt8(ascii: "\""): return ByteRange(start: start, count: at - 1 - start)
            case UInt8(ascii: "\\"):
                guard take(UInt8(ascii: "\""), text) || take(UInt8(ascii: "\\"), text) else {
                    throw StructuredFieldError()
                }
            case 0x20...0x7E: continue
            default: throw StructuredFieldError()
            }
        }
        throw StructuredFieldError()
    }

    private mutating func readToken(_ text: Span<UInt8>) -> ByteRange {
        let start = at
        while let byte = peek(text),
            ASCII.isToken(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "/")
        {
            advance()
        }
        return ByteRange(start: start, count: at - start)
    }

    private mutating func readBytes(_ text: Span<UInt8>) throws(StructuredFieldError) -> ByteRange {
        advance()
        let start = at
        while let byte = peek(text) {
            advance()
            if byte == UInt8(ascii: ":") { return ByteRange(start: start, count: at - 1 - start) }
            guard
                ASCII.isAlpha(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "+")
                    || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "=")
            else { throw StructuredFieldError() }
        }
        throw StructuredFieldError()
    }

    private mutating func readBoolean(_ text: Span<UInt8>) throws(StructuredFieldError) -> Bool {
        advance()
        if take(UInt8(ascii: "1"), text) { return true }
        guard take(UInt8(ascii: "0"), text) else { throw StructuredFieldError() }
        return false
    }

    /// `%"…"` with lower-case percent escapes of UTF-8.
    private mutating func readDisplayString(
        _ text: Span<UInt8>
    ) throws(StructuredFieldError) -> ByteRange {
        advance()
        guard take(UInt8(ascii: "\""), text) else { throw StructuredFieldError() }
        let start = at
        var decoded: [UInt8] = []
        while let byte = peek(text) {
            advance()
            switch byte {
            case UInt8(ascii: "\""):
                guard String(validating: decoded, as: UTF8.self) != nil else {
                    throw StructuredFieldError()
                }
                return ByteRange(start: start, count: at - 1 - start)
            case UInt8(ascii: "%"):
                let high = try readHex(text)
                decoded.append(high << 4 | (try readHex(text)))
            case 0x20...0x7E: decoded.append(byte)
            default: throw StructuredFieldError()
            }
        }
        throw StructuredFieldError()
    }

    private mutating func readHex(_ text: Span<UInt8>) throws(StructuredFieldError) -> UInt8 {
        guard let byte = peek(text), let value = ASCII.hexValue(byte), byte == ASCII.lower(byte)
        else { throw StructuredFieldError() }
        advance()
        return value
    }
}
