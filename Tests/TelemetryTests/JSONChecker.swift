/// A strict reader of one flat JSON object: what it accepts, every JSON reader accepts.
struct JSONChecker {
    struct Malformed: Error {}

    private var rest: Substring.UnicodeScalarView

    /// The fields of `line` in order, texts unescaped, numbers as they stand.
    static func fields(of line: String) throws -> [(key: String, value: String)] {
        guard line.hasSuffix("}\n"), line.unicodeScalars.filter({ $0 == "\n" }).count == 1 else {
            throw Malformed()
        }
        var checker = JSONChecker(rest: line.dropLast().unicodeScalars)
        return try checker.object()
    }

    private mutating func object() throws -> [(key: String, value: String)] {
        try expect("{")
        var fields: [(key: String, value: String)] = []
        while rest.first != "}" {
            if !fields.isEmpty { try expect(",") }
            let key = try string()
            try expect(":")
            fields.append((key, rest.first == "\"" ? try string() : try bare()))
        }
        try expect("}")
        guard rest.isEmpty else { throw Malformed() }
        return fields
    }

    private mutating func expect(_ scalar: Unicode.Scalar) throws {
        guard rest.popFirst() == scalar else { throw Malformed() }
    }

    private mutating func bare() throws -> String {
        var text = ""
        while let next = rest.first, next != ",", next != "}" {
            text.unicodeScalars.append(next)
            rest.removeFirst()
        }
        guard text == "true" || text == "false" || Double(text) != nil else { throw Malformed() }
        return text
    }

    private mutating func string() throws -> String {
        try expect("\"")
        var text = ""
        while let next = rest.popFirst() {
            switch next {
            case "\"": return text
            case "\\": text.unicodeScalars.append(try escape())
            default:
                guard next.value >= 32, next.value != 127, !(128..<160).contains(next.value) else {
                    throw Malformed()
                }
                text.unicodeScalars.append(next)
            }
        }
        throw Malformed()
    }

    private mutating func escape() throws -> Unicode.Scalar {
        switch rest.popFirst() {
        case "\"": return "\""
        case "\\": return "\\"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            var digits = ""
            for _ in 0..<4 {
                if let digit = rest.popFirst() { digits.unicodeScalars.append(digit) }
            }
            guard digits.count == 4, let value = UInt32(digits, radix: 16),
                let scalar = Unicode.Scalar(value)
            else { throw Malformed() }
            return scalar
        default: throw Malformed()
        }
    }
}
