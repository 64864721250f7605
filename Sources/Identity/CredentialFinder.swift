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
    private let apiKey: [UInt8]
    private let apiKeyField: FieldName

    init(_ settings: IdentitySettings) {
        cookie = settings.jwt?.cookie.map { Array($0.utf8) }
        let name = Array((settings.apiKeys?.header ?? "").lowercased().utf8)
        apiKey = name
        apiKeyField = FieldName(recognising: name.span)
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
        if apiKey.isEmpty { return .absent }
        switch fields.count(of: apiKeyField, named: apiKey.span) {
        case 0: return .absent
        case 1:
            guard let index = fields.onlyIndex(of: apiKeyField, named: apiKey.span) else {
                return .absent
            }
            return .at(fields[index].valueRange)
        default: return .ambiguous
        }
    }
}

extension FieldList {
    /// The index of the field of a name (`known`, and `name` in lower case), when it is there once and has a value.
    func onlyIndex(of known: FieldName, named name: Span<UInt8>) -> Int? {
        if known != .other && !contains(known) { return nil }
        var found: Int?
        for index in indices {
            guard self[index].name == known else { continue }
            if known == .other && !self.name(at: index).equalsIgnoringCase(name) { continue }
            if found != nil { return nil }
            found = index
        }
        guard let found, !self[found].valueRange.isEmpty else { return nil }
        return found
    }

    /// How many fields of a name (`known`, and `name` in lower case) there are.
    func count(of known: FieldName, named name: Span<UInt8>) -> Int {
        if known != .other { return count(of: known) }
        var count = 0
        for index in indices where self[index].name == .other {
            if self.name(at: index).equalsIgnoringCase(name) { count += 1 }
        }
        return count
    }
}
