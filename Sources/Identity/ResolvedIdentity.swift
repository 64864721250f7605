public import Primitives

/// Who asks: the outcome of `IdentityResolver.resolve` for one request.
///
/// User, company and tier are ranges in one block of bytes, which is reused from request to request: a
/// warm value allocates nothing. What is `nil` is unknown, and never empty. It is lent to whoever looks at it; a
/// fetch that outlives its request has a `copy`.
public struct ResolvedIdentity: ~Copyable, Sendable {
    /// The client's address: the peer, or what trusted proxies say about it.
    public internal(set) var address = IPAddress(v4: 0)
    /// The address limits count: IPv6 cut to the configured prefix, IPv4 whole.
    public internal(set) var countedAddress = IPAddress(v4: 0)
    /// Whether the peer, at the other end of the connection, is a trusted proxy.
    public internal(set) var peerIsTrusted = false

    /// What the request's token or API key turned out to be.
    public internal(set) var credential = CredentialOutcome.none
    /// Whether the user was proven: by a token, an API key or a trusted proxy, not by a cookie.
    public internal(set) var userIsProven = false
    /// Which of the configured sources named the user; `nil`: none did.
    public internal(set) var userSource: Int?
    /// Which of the configured sources named the company; `nil`: none did.
    public internal(set) var companySource: Int?
    /// Which of the configured sources named the tier; `nil`: none did, it is the default.
    public internal(set) var tierSource: Int?

    private var bytes: [UInt8] = []
    /// The block of the token's claims (`ClaimBlock`).
    private var claimsRange: ByteRange?
    private var userRange: ByteRange?
    private var companyRange: ByteRange?
    private var tierRange: ByteRange?

    /// Creates the identity of nobody.
    public init() {}

    /// The same identity once more.
    public func copy() -> ResolvedIdentity {
        var copy = ResolvedIdentity()
        copy.address = address
        copy.countedAddress = countedAddress
        copy.peerIsTrusted = peerIsTrusted
        copy.credential = credential
        copy.userIsProven = userIsProven
        copy.userSource = userSource
        copy.companySource = companySource
        copy.tierSource = tierSource
        copy.bytes = bytes
        copy.claimsRange = claimsRange
        copy.userRange = userRange
        copy.companyRange = companyRange
        copy.tierRange = tierRange
        return copy
    }

    /// The user, or `nil` for an anonymous request.
    public var user: Span<UInt8>? {
        @_lifetime(borrow self) get { span(userRange) }
    }
    /// The company, or `nil`.
    public var company: Span<UInt8>? {
        @_lifetime(borrow self) get { span(companyRange) }
    }
    /// The tier, or `nil` when the request names none and there is no default.
    public var tier: Span<UInt8>? {
        @_lifetime(borrow self) get { span(tierRange) }
    }

    /// The value of a claim of the verified token, by its index in the list the credentials were made with; `nil`
    /// when there is no token or it has no such claim.
    @_lifetime(borrow self)
    public borrowing func claim(_ index: Int) -> Span<UInt8>? { span(rangeOfClaim(index)) }

    /// Becomes nobody again and keeps the memory.
    public mutating func reset() {
        address = IPAddress(v4: 0)
        countedAddress = IPAddress(v4: 0)
        peerIsTrusted = false
        credential = .none
        userIsProven = false
        userSource = nil
        companySource = nil
        tierSource = nil
        if !bytes.isEmpty { bytes.removeAll(keepingCapacity: true) }
        claimsRange = nil
        userRange = nil
        companyRange = nil
        tierRange = nil
    }

    /// Keeps a copy of `text` as a part of the identity.
    @inline(__always)
    mutating func keep(_ text: Span<UInt8>, as part: IdentityPart) {
        let range = ByteRange(start: bytes.count, count: text.count)
        bytes.append(text)
        set(part, range)
    }

    /// Makes a claim a part of the identity.
    ///
    /// - Returns: Whether there is such a claim.
    mutating func keepClaim(_ index: Int, as part: IdentityPart) -> Bool {
        guard let range = rangeOfClaim(index) else { return false }
        set(part, range)
        return true
    }

    /// Keeps a copy of the claims of the verified token.
    mutating func keepClaims(_ block: Span<UInt8>) {
        claimsRange = ByteRange(start: bytes.count, count: block.count)
        bytes.append(block)
    }

    @inline(__always)
    private mutating func set(_ part: IdentityPart, _ range: ByteRange) {
        switch part {
        case .user: userRange = range
        case .company: companyRange = range
        case .tier: tierRange = range
        }
    }

    private func rangeOfClaim(_ index: Int) -> ByteRange? {
        guard let block = claimsRange,
            let range = ClaimBlock.range(of: index, in: bytes.span(block))
        else { return nil }
        return ByteRange(start: Int(block.start) + Int(range.start), count: Int(range.count))
    }

    @_lifetime(borrow self)
    private borrowing func span(_ range: ByteRange?) -> Span<UInt8>? {
        guard let range else { return nil }
        return bytes.span(range)
    }
}

/// A part of the identity that has sources.
enum IdentityPart {
    case user, company, tier
}
