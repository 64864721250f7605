import HTTPModel
import Primitives

/// `BypassRules` prepared for use with each request: any condition that holds is enough. Allocates nothing.
struct BypassMatcher: Sendable {
    private struct Condition: Sendable {
        let name: [UInt8]
        let value: [UInt8]?

        init(_ condition: BypassRules.Condition) {
            name = Array(condition.name.utf8)
            value = condition.value.map { Array($0.utf8) }
        }

        func accepts(_ found: Span<UInt8>) -> Bool { value.map { found.equals($0.span) } ?? true }
    }

    private let headers: [Condition]
    private let cookies: [Condition]
    private let query: [Condition]

    init(_ rules: BypassRules) {
        headers = rules.headers.map(Condition.init)
        cookies = rules.cookies.map(Condition.init)
        query = rules.query.map(Condition.init)
    }

    /// Whether a condition holds for `request`.
    func matches(_ request: borrowing RequestHead) -> Bool {
        if !headers.isEmpty && hasHeader(request.fields) { return true }
        if !cookies.isEmpty && request.fields.contains(.cookie) && hasCookie(request.fields) {
            return true
        }
        guard !query.isEmpty, let range = request.query else { return false }
        return hasPair(of: query, in: request.span(range), separator: UInt8(ascii: "&"))
    }

    private func hasHeader(_ fields: borrowing FieldList) -> Bool {
        for index in fields.indices {
            let name = fields.name(at: index)
            for condition in headers where name.equalsIgnoringCase(condition.name.span) {
                if condition.accepts(fields.value(at: index).trimmed) { return true }
            }
        }
        return false
    }

    private func hasCookie(_ fields: borrowing FieldList) -> Bool {
        for index in fields.indices where fields[index].name == .cookie {
            let line = fields.value(at: index)
            if hasPair(of: cookies, in: line, separator: UInt8(ascii: ";")) { return true }
        }
        return false
    }

    /// Whether one of the pairs `name=value` of `text` fulfils a condition. A name alone has an empty value.
    private func hasPair(
        of conditions: [Condition], in text: Span<UInt8>, separator: UInt8
    ) -> Bool {
        var start = 0
        while start <= text.count {
            let end = text.firstIndex(of: separator, from: start) ?? text.count
            let pair = text.extracting(start..<end).trimmed
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.count
            let name = pair.extracting(0..<equals)
            for condition in conditions where name.equals(condition.name.span) {
                let value = pair.extracting(min(equals + 1, pair.count)..<pair.count)
                if condition.accepts(value) { return true }
            }
            start = end + 1
        }
        return false
    }
}
