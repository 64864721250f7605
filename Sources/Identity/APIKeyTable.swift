import Primitives

/// One API key of the file.
public struct APIKeyEntry: Sendable, Equatable {
    /// The SHA-256 of the key, 32 bytes.
    public var digest: [UInt8]
    /// The user.
    public var user: String?
    /// The company.
    public var company: String?
    /// The tier.
    public var tier: String?

    /// Creates an entry.
    public init(digest: [UInt8], user: String?, company: String?, tier: String?) {
        self.digest = digest
        self.user = user
        self.company = company
        self.tier = tier
    }

    /// The SHA-256 of a key in clear.
    public static func digest(of key: [UInt8]) -> [UInt8] { SHA256Digest(of: key.span).bytes }
}

/// API keys by their SHA-256.
///
/// Open addressing over at least twice as many places as keys. Keys in clear are in no memory: a request's is
/// digested and the digests compared in full. How long that takes may tell something of a digest's first
/// bits, and nothing of a key.
public struct APIKeyTable: Sendable {
    /// The number of keys.
    public var count: Int { entries.count }

    private struct Entry: Sendable {
        var digest: SHA256Digest
        var user: [UInt8]
        var company: [UInt8]
        var tier: [UInt8]
    }

    private var entries: [Entry] = []
    /// Indices of entries by the digest's first word; -1: nothing.
    private var places: [Int32] = []

    /// Creates a table. Of two entries with one digest the first counts; one whose digest is not 32 bytes is left
    /// out. A user, company or tier that is not `isUsable` counts as absent.
    public init(_ entries: [APIKeyEntry]) {
        var size = 2
        while size < entries.count * 2 { size *= 2 }
        places = Array(repeating: -1, count: size)
        for entry in entries {
            guard let digest = SHA256Digest(entry.digest), index(of: digest) == nil else {
                continue
            }
            var place = Int(truncatingIfNeeded: digest.words.0) & (size - 1)
            while places[place] >= 0 { place = (place + 1) & (size - 1) }
            places[place] = Int32(self.entries.count)
            self.entries.append(
                Entry(
                    digest: digest, user: APIKeyTable.usable(entry.user),
                    company: APIKeyTable.usable(entry.company),
                    tier: APIKeyTable.usable(entry.tier)))
        }
    }

    /// Whether a text can be a user, company or tier: not empty, at most `IdentityBounds.claimBytesMax` bytes, and
    /// one a header field can carry unchanged.
    public static func isUsable(_ text: String) -> Bool { !usable(text).isEmpty }

    private static func usable(_ text: String?) -> [UInt8] {
        let bytes = Array((text ?? "").utf8)
        return bytes.span.isUsableIdentity ? bytes : []
    }

    /// The index of the key with this digest, or `nil`.
    func index(of digest: SHA256Digest) -> Int? {
        var place = Int(truncatingIfNeeded: digest.words.0) & (places.count - 1)
        while places[place] >= 0 {
            let index = Int(places[place])
            if entries[index].digest == digest { return index }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }

    /// What the file says of the key at `index`; empty: nothing.
    func value(_ part: IdentitySettings.APIKeyPart, of index: Int) -> [UInt8] {
        switch part {
        case .user: entries[index].user
        case .company: entries[index].company
        case .tier: entries[index].tier
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether these bytes can be a user, company, tier or claim of an identity: a field value that arrives as it
    /// was sent, without line ends, outer white space or control bytes, not empty and not too long.
    var isUsableIdentity: Bool {
        guard count > 0 && count <= IdentityBounds.claimBytesMax else { return false }
        for i in indices where !ASCII.isFieldContent(self[i]) { return false }
        return trimmed.count == count
    }
}
