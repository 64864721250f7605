import HTTPModel
import Primitives
import Testing

/// What a Dictionary says, one `key=value` for each member, or nothing when it is malformed.
private func dictionary(_ field: String) -> [String]? {
    let bytes = Array(field.utf8)
    let text = bytes.span
    var members: [String] = []
    do {
        try StructuredField.readDictionary(text) { key, value in
            members.append("\(key.text)=\(show(value, bytes))")
        }
    } catch {
        return nil
    }
    return members
}

private func list(_ field: String) -> [String]? {
    let bytes = Array(field.utf8)
    var members: [String] = []
    do { try StructuredField.readList(bytes.span) { members.append(show($0, bytes)) } } catch {
        return nil
    }
    return members
}

private func show(_ value: StructuredValue, _ bytes: [UInt8]) -> String {
    func text(_ range: ByteRange) -> String { bytes.span(range).text }
    return switch value {
    case .integer(let number): "\(number)"
    case .decimal(let thousandths): "\(thousandths)/1000"
    case .string(let range): "'\(text(range))'"
    case .token(let range): text(range)
    case .bytes(let range): ":\(text(range)):"
    case .boolean(let flag): flag ? "true" : "false"
    case .date(let seconds): "@\(seconds)"
    case .displayString(let range): "%'\(text(range))'"
    case .innerList(let range): "(\(text(range)))"
    }
}

@Suite struct StructuredFieldTests {
    /// Case, text, members; `nil`: malformed.
    static let dictionaries: [(String, String, [String]?)] = [
        ("9651-3.2-integer", "max-age=60", ["max-age=60"]),
        ("9651-3.2-bare-key", "a, b ,\tc", ["a=true", "b=true", "c=true"]),
        ("9651-3.2-empty", "", []),
        ("9651-3.2-spaces", "   ", []),
        ("9651-3.2-around", "  a=1  ", ["a=1"]),
        ("9651-3.2-repeated", "a=1, a=2", ["a=1", "a=2"]),
        ("9651-3.2-key-characters", "*a_b-c.d0=1", ["*a_b-c.d0=1"]),
        ("9651-3.2-key-upper-case", "Max-age=60", nil),
        ("9651-3.2-key-digit-first", "0a=1", nil),
        ("9651-3.2-trailing-comma", "a=1,", nil),
        ("9651-3.2-trailing-comma-space", "a=1, ", nil),
        ("9651-3.2-double-comma", "a=1,,b=2", nil),
        ("9651-3.2-leading-comma", ",a=1", nil),
        ("9651-3.2-tab-in-front", "\ta=1", nil),
        ("9651-3.2-no-comma", "a=1 b=2", nil),
        ("9651-3.2-no-value", "a=", nil),
        ("9651-3.2-space-before-value", "a= 1", nil),
        ("9651-3.2-space-before-equals", "a =1", nil),
        ("9651-3.1.2-parameters", "a=1;x=2;y, b;z=\"q\"", ["a=1", "b=true"]),
        ("9651-3.1.2-parameter-space", "a=1; x", ["a=1"]),
        ("9651-3.1.2-parameter-space-before", "a=1 ;x", nil),
        ("9651-3.1.2-parameter-no-key", "a=1;", nil),
        ("9651-3.3.1-negative", "a=-5", ["a=-5"]),
        ("9651-3.3.1-zeros", "a=007", ["a=7"]),
        ("9651-3.3.1-fifteen", "a=999999999999999", ["a=999999999999999"]),
        ("9651-3.3.1-sixteen", "a=1000000000000000", nil),
        ("9651-3.3.1-minus", "a=-", nil),
        ("9651-3.3.1-plus", "a=+1", nil),
        ("9651-3.3.2-decimal", "a=60.5", ["a=60500/1000"]),
        ("9651-3.3.2-negative", "a=-0.125", ["a=-125/1000"]),
        ("9651-3.3.2-twelve", "a=999999999999.999", ["a=999999999999999/1000"]),
        ("9651-3.3.2-thirteen", "a=1000000000000.0", nil),
        ("9651-3.3.2-four", "a=1.0000", nil),
        ("9651-3.3.2-no-fraction", "a=1.", nil),
        ("9651-3.3.2-two-points", "a=1.1.1", nil),
        ("9651-3.3.3-string", "a=\"x, \\\"y\\\\\"", ["a='x, \\\"y\\\\'"]),
        ("9651-3.3.3-empty", "a=\"\"", ["a=''"]),
        ("9651-3.3.3-open", "a=\"x", nil),
        ("9651-3.3.3-escape", "a=\"\\n\"", nil),
        ("9651-3.3.3-escape-at-end", "a=\"\\", nil),
        ("9651-3.3.3-control", "a=\"\u{1}\"", nil),
        ("9651-3.3.3-unicode", "a=\"\u{e9}\"", nil),
        ("9651-3.3.4-token", "a=*x:/y%", ["a=*x:/y%"]),
        ("9651-3.3.5-bytes", "a=:aGk=:", ["a=:aGk=:"]),
        ("9651-3.3.5-open", "a=:aGk=", nil),
        ("9651-3.3.5-alphabet", "a=:a_b:", nil),
        ("9651-3.3.6-booleans", "a=?1, b=?0", ["a=true", "b=false"]),
        ("9651-3.3.6-other", "a=?2", nil),
        ("9651-3.3.7-date", "a=@1659578233", ["a=@1659578233"]),
        ("9651-3.3.7-decimal", "a=@1.5", nil),
        ("9651-3.3.8-display", "a=%\"f%c3%bc\"", ["a=%'f%c3%bc'"]),
        ("9651-3.3.8-upper-case", "a=%\"%C3%BC\"", nil),
        ("9651-3.3.8-damaged", "a=%\"%c3\"", nil),
        ("9651-3.3.8-short", "a=%\"%c\"", nil),
        ("9651-3.1.1-inner", "a=(\"x\";q 1  b);p, c", ["a=(\"x\";q 1  b)", "c=true"]),
        ("9651-3.1.1-empty", "a=( )", ["a=( )"]),
        ("9651-3.1.1-open", "a=(1", nil),
        ("9651-3.1.1-no-space", "a=(\"x\"\"y\")", nil),
        ("9651-3.1.1-nested", "a=((1))", nil),
    ]

    @Test(arguments: dictionaries)
    func `dictionaries are read as RFC 9651 says`(row: (String, String, [String]?)) {
        #expect(dictionary(row.1) == row.2, "\(row.0)")
    }

    @Test func `lists have values without keys`() {
        #expect(list("\"a\", b;c=1, (1 2)") == ["'a'", "b", "(1 2)"])
        #expect(list("") == [])
        #expect(list("a=1") == nil)
        #expect(list("a,") == nil)
    }

    @Test func `lines are joined in their order`() {
        var fields = FieldList()
        fields.append(.cdnCacheControl, "a=1")
        fields.append(.host, "x")
        fields.append(.cdnCacheControl, "b")
        #expect(fields.joined(.cdnCacheControl).span.text == "a=1, b")
        #expect(fields.joined(.weirCacheControl).isEmpty)
    }

    /// A random member as it is written, and as it is read.
    private func member(_ random: inout SeededRandom) -> (String, String) {
        switch random.below(7) {
        case 0:
            let number = Int64(random.below(1_000_000_000)) * (random.below(2) == 0 ? 1 : -1)
            return ("\(number)", "\(number)")
        case 1:
            let whole = 1 + random.below(9)
            return ("\(whole).5", "\(whole)500/1000")
        case 2: return ("\"a, b=\\\" ;\"", "'a, b=\\\" ;'")
        case 3: return ("tok/en", "tok/en")
        case 4: return ("?0", "false")
        case 5: return ("(1 \"),\" x);y=?1", "(1 \"),\" x)")
        default: return (":YWJj:", ":YWJj:")
        }
    }

    @Test func `what is written is read again, whatever parameters and spaces stand between`() {
        var random = SeededRandom(seed: 9651)
        let parameters = ["", ";a", ";a=1; b=\"x,y\"", ";  *=?0"]
        let commas = [",", ", ", " ,", "\t, \t"]
        for _ in 0..<2_000 {
            var written = ""
            var expected: [String] = []
            for i in 0..<random.below(6) {
                if i > 0 { written += commas[random.below(commas.count)] }
                let key = "k\(random.below(4))"
                let (value, read) = member(&random)
                written += "\(key)=\(value)\(parameters[random.below(parameters.count)])"
                expected.append("\(key)=\(read)")
            }
            #expect(dictionary(written) == expected, "\(written)")
        }
    }

    @Test func `random bytes are read or refused, and never stop the process`() {
        var random = SeededRandom(seed: 17)
        let alphabet = Array("abz019*_-.=,;:?@%\"\\/()\t Ac3\u{e9}".utf8)
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = (0..<random.below(24)).map { _ in alphabet[random.below(alphabet.count)] }
            do {
                var ends: [Int] = []
                try StructuredField.readDictionary(bytes.span) { key, value in
                    ends.append(key.count)
                    if case .string(let range) = value { ends.append(range.end) }
                }
                accepted += 1
                #expect(ends.allSatisfy { $0 <= bytes.count })
            } catch {}
        }
        #expect(accepted > 100)
    }

    @Test func `whatever is cut off a dictionary leaves a dictionary or nothing`() {
        let whole =
            "max-age=60;x=\"a\", no-cache=\"set-cookie, x\", a=(1 b), c=%\"%c3%bc\", d=:YQ==:"
        for end in 0...whole.utf8.count {
            let part = String(decoding: whole.utf8.prefix(end), as: UTF8.self)
            if let members = dictionary(part), end < whole.utf8.count {
                #expect(members.count <= 5)
            }
        }
        #expect(dictionary(whole)?.count == 5)
    }
}
