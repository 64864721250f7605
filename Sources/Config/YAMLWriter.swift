/// A YAML text to be written. Block style outside, flow style where it is short.
indirect enum YAMLOutput {
    /// A text that is quoted where that is needed; `${` is written so that it stays what it is.
    case text(String)
    /// A text that is written as it is.
    case verbatim(String)
    case list([YAMLOutput])
    /// A mapping in a block.
    case block([(String, YAMLOutput)])
    /// A mapping in braces on one line.
    case flow([(String, YAMLOutput)])

    /// The text of a whole file.
    static func file(_ entries: [(String, YAMLOutput)]) -> String {
        var lines = ""
        for (key, value) in entries { value.write(key: key, indent: 0, into: &lines) }
        return lines
    }

    /// Writes `key: value` at `indent`, with the value's lines below where it has some.
    private func write(key: String, indent: Int, into lines: inout String) {
        let margin = String(repeating: " ", count: indent)
        let quotedKey = Self.quoted(key, isKey: true)
        switch self {
        case .block(let entries) where !entries.isEmpty:
            lines += "\(margin)\(quotedKey):\n"
            for (inner, value) in entries {
                value.write(key: inner, indent: indent + 2, into: &lines)
            }
        case .list(let items) where items.contains { $0.isBlock }:
            lines += "\(margin)\(quotedKey):\n"
            for item in items { item.write(itemAt: indent + 2, into: &lines) }
        default:
            lines += "\(margin)\(quotedKey): \(inline)\n"
        }
    }

    /// Writes `- value` at `indent`.
    private func write(itemAt indent: Int, into lines: inout String) {
        let margin = String(repeating: " ", count: indent)
        guard case .block(let entries) = self, !entries.isEmpty else {
            lines += "\(margin)- \(inline)\n"
            return
        }
        var inner = ""
        for (key, value) in entries { value.write(key: key, indent: indent + 2, into: &inner) }
        // The dash takes the place of the first key's margin.
        lines += "\(margin)- \(inner.dropFirst(indent + 2))"
    }

    private var isBlock: Bool {
        if case .block = self { return true }
        return false
    }

    private var inline: String {
        switch self {
        case .text(let text): return Self.quoted(text, isKey: false)
        case .verbatim(let text): return text
        case .list(let items): return "[" + items.map(\.inline).joined(separator: ", ") + "]"
        case .flow(let entries), .block(let entries):
            let pairs = entries.map { "\(Self.quoted($0.0, isKey: true)): \($0.1.inline)" }
            return "{" + pairs.joined(separator: ", ") + "}"
        }
    }

    /// `text` in double quotes, unless it is plainly one word. Keys take no variables.
    private static func quoted(_ text: String, isKey: Bool) -> String {
        if isPlain(text) { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default:
                let isPrintable =
                    scalar.value >= 32 && !(0x7F...0x9F).contains(scalar.value)
                    && scalar.value != 0x2028 && scalar.value != 0x2029
                if isPrintable {
                    result.unicodeScalars.append(scalar)
                } else {
                    let code = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: max(0, 4 - code.count)) + code
                }
            }
        }
        if !isKey { result = escapedVariables(result) }
        return result + "\""
    }

    /// `text` with `$${` for each `${`.
    private static func escapedVariables(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            result += rest[dollar...].hasPrefix("${") ? "$$" : "$"
            rest = rest[rest.index(after: dollar)...]
        }
        return result + rest
    }

    /// Whether `text` means itself without quotes, in blocks and in braces.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        guard Text.isLetterOrDigit(first) || first == UInt8(ascii: "/"), last != UInt8(ascii: ":")
        else { return false }
        if ["null", "true", "false", "yes", "no", "on"].contains(text) { return false }
        return text.utf8.allSatisfy { Text.isLetterOrDigit($0) || "_./:%*-".utf8.contains($0) }
    }
}
