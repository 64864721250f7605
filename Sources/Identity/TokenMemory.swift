import Primitives

/// The verified tokens a worker remembers, so that a signature is checked once and not on every request.
///
/// A picture: `sets` rows of `ways` places. A token's digest chooses the row; there it stands anywhere, and when
/// the row is full the one used longest ago leaves. Only verified tokens come in, so a client cannot push
/// others out without having an issuer sign tokens for it. No lookup allocates.
struct TokenMemory {
    static let sets = 512
    static let ways = 8

    /// A remembered token.
    struct Entry {
        var digest: SHA256Digest
        var validity: TokenPolicy.Validity
        /// The reading of `clock` when it was last looked up.
        var used: UInt64
        /// Its claims (`ClaimBlock`); empty: the place is free.
        var claims: [UInt8]

        fileprivate var cost: Int { claims.isEmpty ? 0 : claims.count + 64 }
    }

    private var entries: [Entry] = []
    /// Counts lookups.
    private var clock: UInt64 = 0
    /// The next place to be emptied when there are too many bytes.
    private var hand = 0
    /// Bytes of all claims and their housekeeping.
    private(set) var bytes = 0

    /// The number of tokens.
    var count: Int { entries.reduce(0) { $0 + ($1.claims.isEmpty ? 0 : 1) } }

    /// The place of the token with this digest, or `nil`.
    mutating func find(_ digest: SHA256Digest) -> Int? {
        guard !entries.isEmpty else { return nil }
        clock &+= 1
        for place in places(for: digest)
        where entries[place].digest == digest && !entries[place].claims.isEmpty {
            entries[place].used = clock
            return place
        }
        return nil
    }

    /// When the token at `place` is valid.
    func validity(at place: Int) -> TokenPolicy.Validity { entries[place].validity }

    /// The claims of the token at `place`.
    func claims(at place: Int) -> [UInt8] { entries[place].claims }

    /// Remembers a token that is not yet remembered, if its claims are within the bound.
    mutating func remember(
        _ digest: SHA256Digest, _ validity: TokenPolicy.Validity, claims: [UInt8], at now: WallTime
    ) {
        guard claims.count <= IdentityBounds.rememberedBytesPerToken else { return }
        if entries.isEmpty {
            let free = Entry(
                digest: digest, validity: TokenPolicy.Validity(from: 0, until: 0), used: 0,
                claims: [])
            entries = Array(repeating: free, count: TokenMemory.sets * TokenMemory.ways)
        }
        let place = leaving(places(for: digest), at: now)
        forget(place)
        let entry = Entry(digest: digest, validity: validity, used: clock, claims: claims)
        while bytes + entry.cost > IdentityBounds.rememberedBytesMax {
            forget(hand)
            hand = (hand + 1) % entries.count
        }
        bytes += entry.cost
        entries[place] = entry
    }

    /// Empties a place.
    mutating func forget(_ place: Int) {
        bytes -= entries[place].cost
        entries[place].claims = []
    }

    /// Forgets all tokens, and gives the memory back.
    mutating func forgetAll() {
        entries = []
        bytes = 0
        hand = 0
    }

    private func places(for digest: SHA256Digest) -> Range<Int> {
        let first = Int(truncatingIfNeeded: digest.words.0 % UInt64(TokenMemory.sets))
        return (first * TokenMemory.ways)..<((first + 1) * TokenMemory.ways)
    }

    /// The place of a row that is free, or expired, or used longest ago.
    private func leaving(_ row: Range<Int>, at now: WallTime) -> Int {
        var oldest = row.lowerBound
        for place in row {
            if entries[place].claims.isEmpty { return place }
            if now.nanoseconds >= entries[place].validity.until { return place }
            if entries[place].used < entries[oldest].used { oldest = place }
        }
        return oldest
    }
}
