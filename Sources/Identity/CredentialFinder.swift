import HTTPModel
import Primitives

/// Finds a request's credentials in its fields.
struct CredentialFinder: Sendable {
    /// Where a credential stands.
    enum Place: BitwiseCopyable {
        /// There is none.
        case absent
        /// There are several, or it is not written as it should be.
        case ambiguous
        /// In these bytes of the field list.
        case at(ByteRange)
    }

    private let cookie: [UInt8]?
    private let apiKey: FieldSource?

    init(_ settings: IdentitySettings) {
        cookie = settings.jwt?.cookie.map { Array($0.utf8) }
        apiKey = settings.apiKeys.map { FieldSource($0.header) }
    }

    /// The token: of the Authorization field (RFC 6750 §2.1), or, when there is no such field, of the cookie. Of
    /// several Authorization fields the origin may believe another one: none of them counts.
    func token(in fields: borrowing FieldList) -> Place {
        guard let index = fields.firstIndex(of: .authorization) else {
            guard let cookie, let range = Cookies.only(cookie.span, in: fields) else {
                return .absent
            }
            return .at(range)
        }
        guard fields.count(of: .authorization) == 1 else { return .ambiguous }
        let range = fields[index].valueRange
        let value = fields.span(range)
        guard value.count >= 6, value.extracting(0..<6).equalsIgnoringCase("bearer") else {
            return .absent
        }
        var start = 6
        while start < value.count && value[start] == ASCII.space { start += 1 }
        // Without a space it is another scheme; with nothing behind it no token.
        if start == 6 && value.count > 6 { return .absent }
        guard start < value.count else { return .ambiguous }
        return .at(ByteRange(start: Int(range.start) + start, count: value.count - start))
    }

    /// The API key; an empty field is none.
    func apiKey(in fields: borrowing FieldList) -> Place {
        guard let apiKey else { return .absent }
        switch apiKey.count(in: fields) {
        case 0: return .absent
        case 1:
            guard let index = apiKey.onlyIndex(in: fields) else { return .absent }
            return .at(fields[index].valueRange)
        default: return .ambiguous
        }
    }
}

/// A header field by its name, however it is spelt.
struct FieldSource: Sendable {
    private let name: [UInt8]
    private let known: FieldName

    init(_ name: String) {
        let lowercased = Array(name.lowercased().utf8)
        self.name = lowercased
        known = FieldName(recognising: lowercased.span)
    }

    /// The index of the field, when it is there once and has a value.
    func onlyIndex(in fields: borrowing FieldList) -> Int? {
        if known != .other && !fields.contains(known) { return nil }
        var found: Int?
        for index in fields.indices {
            guard fields[index].name == known else { continue }
            if known == .other && !fields.name(at: index).equalsIgnoringCase(name.span) { continue }
            if found != nil { return nil }
            found = index
        }
        guard let found, !fields[found].valueRange.isEmpty else { return nil }
        return found
    }

    /// How many fields of the name there are.
    func count(in fields: borrowing FieldList) -> Int {
        if known != .other { return fields.count(of: known) }
        var count = 0
        for index in fields.indices where fields[index].name == .other {
            if fields.name(at: index).equalsIgnoringCase(name.span) { count += 1 }
        }
        return count
    }
}
