import Primitives

/// Small questions about texts and their bytes.
enum Text {
    static func isLetter(_ byte: UInt8) -> Bool { ASCII.isAlpha(byte) }
    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        ASCII.isAlpha(byte) || ASCII.isDigit(byte)
    }

    /// Whether `text` is a token of HTTP (RFC 9110 §5.6.2): a method or the name of a field.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(ASCII.isToken)
    }

    /// Whether `text` can be the value of a field: no controls, no space at its ends.
    static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy(ASCII.isFieldContent) && trimmed(text) == text
    }

    /// Whether `text` is a name of ours: a letter or digit, then letters, digits, `_`, `.` and `-`.
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetterOrDigit(first) else { return false }
        guard text.utf8.count <= Bounds.nameBytes else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || "_.-".utf8.contains($0) }
    }

    /// ASCII letters in lower case, everything else as it is.
    static func lowered(_ text: String) -> String {
        String(decoding: text.utf8.map(ASCII.lower), as: UTF8.self)
    }

    /// `text` without spaces and tabs at its ends.
    static func trimmed(_ text: String) -> String {
        var rest = text[...]
        while let first = rest.first, first == " " || first == "\t" { rest = rest.dropFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
        return String(rest)
    }

    /// The number written in digits and nothing else, without a leading zero; `nil` beyond 18
    /// digits.
    static func decimal(_ text: some StringProtocol) -> Int? {
        let digits = text.utf8
        guard (1...18).contains(digits.count), digits.allSatisfy(ASCII.isDigit) else { return nil }
        guard digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        return Int(text)
    }
}
