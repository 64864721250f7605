import HTTPModel
import Primitives

/// The fields that `no-cache="…"` and `private="…"` name: the rest of the answer is stored without them
/// (RFC 9111 §5.2.2.4, §5.2.2.7, cases `9111-5.2.2.4-qualified`, `9111-5.2.2.7-qualified`).
///
///     names   set-cookie␊x-user␊
struct WithheldFields {
    private(set) var names: [UInt8] = []

    /// Reads the names from the field that decides about a response (`CacheDirectives.init(ofResponse:)`).
    init(of fields: borrowing FieldList) {
        if let name = CacheDirectives.decidingField(of: fields) {
            readTargeted(fields.joined(name).span)
            return
        }
        for i in fields.indices where fields[i].name == .cacheControl {
            readLine(fields.value(at: i))
        }
    }

    /// Whether the field `name` is withheld.
    func contains(_ name: Span<UInt8>) -> Bool {
        let all = names.span
        var start = 0
        while let end = all.firstIndex(of: ASCII.lf, from: start) {
            if all.extracting(start..<end).equalsIgnoringCase(name) { return true }
            start = end + 1
        }
        return false
    }

    /// Whether the field `name`, in lower case, is withheld.
    func contains(_ name: StaticString) -> Bool {
        let all = names.span
        var start = 0
        while let end = all.firstIndex(of: ASCII.lf, from: start) {
            if all.extracting(start..<end).equalsIgnoringCase(name) { return true }
            start = end + 1
        }
        return false
    }

    /// Fields without which a stored answer means something else. A list that names one of them is read as
    /// none: the directive then holds for the whole answer.
    private static let needed: FieldNameSet = [
        .cacheControl, .cdnCacheControl, .weirCacheControl, .vary, .expires, .date, .age,
        .contentType, .contentEncoding, .contentLength, .contentRange, .transferEncoding,
        .connection,
    ]

    /// Whether a directive's argument, a token or in quotes, is such a list of names.
    static func isUsable(_ argument: Span<UInt8>) -> Bool { isList(unquoted(argument)) }

    /// Whether `list` names fields, at least one, that can be withheld.
    static func isList(_ list: Span<UInt8>) -> Bool {
        var count = 0
        var isUsable = true
        eachName(in: list) { name in
            count += 1
            for i in name.indices where !ASCII.isToken(name[i]) { isUsable = false }
            if needed.contains(FieldName(recognising: name)) { isUsable = false }
        }
        return isUsable && count > 0
    }

    @_lifetime(copy argument)
    private static func unquoted(_ argument: Span<UInt8>) -> Span<UInt8> {
        let text = argument.trimmed
        let quote = UInt8(ascii: "\"")
        guard text.count >= 2, text[0] == quote, text[text.count - 1] == quote else { return text }
        return text.extracting(1..<text.count - 1)
    }

    /// Calls `body` with each member that is not empty.
    private static func eachName(in list: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
        var start = 0
        while start < list.count {
            let end = list.firstIndex(of: UInt8(ascii: ","), from: start) ?? list.count
            let name = list.extracting(start..<end).trimmed
            if name.count > 0 { body(name) }
            start = end + 1
        }
    }

    private mutating func add(_ list: Span<UInt8>) {
        guard WithheldFields.isList(list) else { return }
        var added: [UInt8] = []
        WithheldFields.eachName(in: list) { name in
            added.append(name)
            added.append(ASCII.lf)
        }
        names.append(added.span)
    }

    private mutating func readLine(_ line: Span<UInt8>) {
        var start = 0
        while start < line.count {
            let end = CacheDirectives.endOfMember(line, from: start)
            let member = line.extracting(start..<end)
            if let equals = member.firstIndex(of: UInt8(ascii: "=")),
                WithheldFields.hasList(member.extracting(0..<equals).trimmed)
            {
                add(WithheldFields.unquoted(member.extracting(equals + 1..<member.count)))
            }
            start = end + 1
        }
    }

    private mutating func readTargeted(_ text: Span<UInt8>) {
        var lists: [ByteRange] = []
        try? StructuredField.readDictionary(text) { key, value in
            guard case .string(let list) = value, WithheldFields.hasList(key) else { return }
            lists.append(list)
        }
        for list in lists { add(text.extracting(list.indices)) }
    }

    private static func hasList(_ directive: Span<UInt8>) -> Bool {
        let flag = CacheDirectives.flag(directive)
        return flag == .noCache || flag == .isPrivate
    }
}
