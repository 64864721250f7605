import Primitives

/// A pattern of media types: `application/json`, `text/*`, or `application/*+json` by its suffix (RFC 6838
/// §4.2.8). Letters are compared without case, parameters are not looked at.
public struct MediaTypePattern: Sendable, Equatable {
    /// As it was written, in lower case.
    public let text: String
    private let type: [UInt8]
    private let subtype: [UInt8]
    private let isPrefixed: Bool

    /// Reads a pattern; `nil` when it is none.
    public init?(_ text: String) {
        let lower = text.lowercased()
        let parts = lower.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, MediaTypePattern.isToken(parts[0].utf8),
            !parts[0].contains("*")
        else { return nil }
        let isPrefixed = parts[1].hasPrefix("*")
        let rest = isPrefixed ? parts[1].dropFirst() : parts[1]
        guard !rest.contains("*"), isPrefixed || !rest.isEmpty,
            rest.isEmpty || MediaTypePattern.isToken(rest.utf8),
            !isPrefixed || rest.isEmpty || (rest.hasPrefix("+") && rest.count > 1)
        else { return nil }
        self.text = lower
        type = Array(parts[0].utf8)
        subtype = Array(rest.utf8)
        self.isPrefixed = isPrefixed
    }

    /// Whether the Content-Type `value` is one of them.
    public func matches(_ value: Span<UInt8>) -> Bool {
        let end = value.firstIndex(of: UInt8(ascii: ";")) ?? value.count
        let media = value.extracting(0..<end).trimmed
        guard let slash = media.firstIndex(of: UInt8(ascii: "/")),
            media.extracting(0..<slash).equalsIgnoringCase(type.span)
        else { return false }
        let theirs = media.extracting(slash + 1..<media.count)
        guard isPrefixed else { return theirs.equalsIgnoringCase(subtype.span) }
        guard theirs.count > subtype.count else { return false }
        return theirs.extracting(theirs.count - subtype.count..<theirs.count)
            .equalsIgnoringCase(subtype.span)
    }

    private static func isToken(_ text: Substring.UTF8View) -> Bool {
        !text.isEmpty && text.allSatisfy { $0 != UInt8(ascii: "*") && ASCII.isToken($0) }
    }
}
