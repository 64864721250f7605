import Primitives

/// The claims of a verified token that somebody asked for, as one block of bytes: what is remembered, and what a
/// `ResolvedIdentity` takes over with one copy.
///
/// A picture, for three claims of which the second is absent: a word of 16 bits with their number, for each
/// the position and length of its text in the block, then the texts.
///
///     3 · (14, 2) · (0, 0) · (16, 4) · 42 · acme
enum ClaimBlock {
    /// Appends the block for the claims called `names` to `block`, which must be empty.
    ///
    /// Strings are kept as they are, whole numbers in decimal digits; all other kinds count as absent, and so
    /// does a text that cannot be part of an identity (`isUsableIdentity`).
    static func write(_ names: [[UInt8]], of claims: JSONDocument, to block: inout [UInt8]) {
        let head = 2 + 4 * names.count
        append(names.count, to: &block)
        var end = head
        for name in names {
            let node = node(of: name, in: claims)
            let count = node.map { claims.text(of: $0).count } ?? 0
            append(count == 0 ? 0 : end, to: &block)
            append(count, to: &block)
            end += count
        }
        for name in names {
            if let node = node(of: name, in: claims) { block.append(claims.text(of: node)) }
        }
    }

    /// Where the text of the claim at `index` stands in a block; `nil`: it is absent or was not asked for.
    static func range(of index: Int, in block: Span<UInt8>) -> ByteRange? {
        guard index >= 0 && index < word(at: 0, in: block) else { return nil }
        let count = word(at: 4 + 4 * index, in: block)
        return count == 0 ? nil : ByteRange(start: word(at: 2 + 4 * index, in: block), count: count)
    }

    private static func node(of name: [UInt8], in claims: JSONDocument) -> Int? {
        guard let node = claims.member(name.span) else { return nil }
        let text = claims.text(of: node)
        switch claims.kind(of: node) {
        case .string: break
        case .number:
            for i in text.indices where !ASCII.isDigit(text[i]) && text[i] != UInt8(ascii: "-") {
                return nil
            }
        default: return nil
        }
        return text.isUsableIdentity ? node : nil
    }

    private static func append(_ word: Int, to block: inout [UInt8]) {
        block.append(UInt8(truncatingIfNeeded: word))
        block.append(UInt8(truncatingIfNeeded: word >> 8))
    }

    private static func word(at index: Int, in block: Span<UInt8>) -> Int {
        Int(block[index]) | Int(block[index + 1]) << 8
    }
}

/// The claims whose values are kept: first those asked for by name, then those that sources of the identity
/// name. The same for a worker's credentials and for the resolver, which are made from the same settings.
struct ClaimNames: Sendable {
    private(set) var names: [[UInt8]]

    init(_ settings: IdentitySettings, claims: [String]) {
        names = claims.map { Array($0.utf8) }
        for source in settings.user + settings.company + settings.tier {
            guard case .claim(let name) = source else { continue }
            let bytes = Array(name.utf8)
            if !names.contains(bytes) { names.append(bytes) }
        }
        // Positions in a block have 16 bits: all claims together may have as many bytes as a token.
        precondition(names.count < 8192)
    }

    func index(of name: String) -> Int? { names.firstIndex(of: Array(name.utf8)) }
}
