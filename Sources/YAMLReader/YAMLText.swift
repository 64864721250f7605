/// The characters of a YAML text before it is parsed.
public enum YAMLText {
    /// The lines of a text without their ends, split as YAML counts lines; damaged UTF-8 is
    /// replaced.
    public static func lines(of bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var afterCR = false
        for scalar in String(decoding: withoutMark(bytes), as: UTF8.self).unicodeScalars {
            if afterCR && scalar == "\n" {
                afterCR = false
                continue
            }
            afterCR = scalar == "\r"
            if isBreak(scalar) {
                lines.append(String(line))
                line = String.UnicodeScalarView()
            } else {
                line.append(scalar)
            }
        }
        lines.append(String(line))
        return lines
    }

    /// The bytes without a byte order mark at the front.
    static func withoutMark(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
    }

    /// The first place that is not UTF-8 or holds a character YAML forbids (YAML 1.1 §4.1.1).
    static func firstFault(in bytes: ArraySlice<UInt8>) -> YAMLProblem? {
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var place = YAMLPosition.start
        var afterCR = false
        while true {
            switch parser.parseScalar(from: &iterator) {
            case .emptyInput:
                return nil
            case .error:
                return fault("the text is not UTF-8 here", at: place)
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                guard isAllowed(scalar) else {
                    let code = String(scalar.value, radix: 16, uppercase: true)
                    return fault("the character U+\(padded(code)) may not stand in YAML", at: place)
                }
                place.offset += 1
                if scalar == "\n" && afterCR {
                    afterCR = false
                } else if isBreak(scalar) {
                    afterCR = scalar == "\r"
                    place.line += 1
                    place.column = 1
                } else {
                    afterCR = false
                    place.column += 1
                }
            }
        }
    }

    static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0A, 0x0D, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD:
            true
        case 0x10000...: true
        default: false
        }
    }

    private static func fault(_ message: String, at place: YAMLPosition) -> YAMLProblem {
        YAMLProblem(
            kind: .encoding, range: YAMLRange(start: place, end: place), message: message,
            help: "save the file as UTF-8 text without control characters")
    }

    private static func padded(_ code: String) -> String {
        String(repeating: "0", count: max(0, 4 - code.count)) + code
    }
}
