import HTTPModel
public import Primitives

/// What a fetch brought.
public struct FetchedBody: Sendable, Equatable {
    /// The body.
    public var bytes: [UInt8]
    /// For how long it says it may be used: `max-age` less `Age` (RFC 9111 §4.2); `nil`: it does not say.
    public var maxAge: Nanoseconds?

    /// Creates a body.
    public init(bytes: [UInt8], maxAge: Nanoseconds? = nil) {
        self.bytes = bytes
        self.maxAge = maxAge
    }

    /// The `max-age` of the fields less `Age`.
    static func maxAge(_ fields: borrowing FieldList) -> Nanoseconds? {
        guard fields.contains(.cacheControl) else { return nil }
        var found: Nanoseconds?
        for index in fields.indices where fields[index].name == .cacheControl && found == nil {
            found = maxAge(in: fields.value(at: index))
        }
        guard let found else { return nil }
        let age = fields.first(.age)?.decimalValue ?? 0
        return found - .seconds(age)
    }

    /// The argument of the first `max-age` in one line of directives.
    private static func maxAge(in line: Span<UInt8>) -> Nanoseconds? {
        let name: StaticString = "max-age="
        var start = 0
        while start < line.count {
            let end = line.firstIndex(of: UInt8(ascii: ","), from: start) ?? line.count
            let member = line.extracting(start..<end).trimmed
            let length = name.utf8CodeUnitCount
            if member.count > length,
                member.extracting(0..<length).equalsIgnoringCase(name),
                let seconds = member.extracting(length..<member.count).decimalValue
            {
                return .seconds(seconds)
            }
            start = end + 1
        }
        return nil
    }
}
