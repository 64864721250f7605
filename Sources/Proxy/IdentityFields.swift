import HTTP1
import HTTPModel
import Identity
import Primitives
import Settings

/// The fields in which the origin learns who asks, and which of them clients may not set.
///
///     X-Weir-User: 42
///     X-Weir-Company: acme%20gmbh%2C%20K%C3%B6ln      with a byte outside of visible ASCII
///
/// **Never a client's.** What comes in under one of these names is dropped, from trusted peers too, and so is a
/// name that differs in case or has `_` for `-`: servers that hand fields on as variables (CGI, WSGI) take
/// `X_Weir_User` for `X-Weir-User`.
///
/// **Values.** Visible ASCII but `%` is sent as it is; every other byte is percent-encoded, so that no value can
/// end the field, two users never look alike, and decoding gives the exact bytes.
struct IdentityFields: Sendable {
    private let user: [UInt8]
    private let company: [UInt8]
    private let tier: [UInt8]
    /// The fields from which trusted peers' identities are taken; from others they are dropped.
    private let claimed: [[UInt8]]
    /// The names with a case of their own that no request's copy has.
    private let left: FieldNameSet
    /// Those that only a trusted peer's copy has.
    private let claimedKnown: FieldNameSet
    /// Bit `n`: one of our names is `n` bytes long, or 63 and more. Most fields are told apart by it.
    private let ownLengths: UInt64
    /// The same for the claimed ones.
    private let claimedLengths: UInt64

    init(_ settings: IdentitySettings) {
        user = Array((settings.forwarded.user ?? "").utf8)
        company = Array((settings.forwarded.company ?? "").utf8)
        tier = Array((settings.forwarded.tier ?? "").utf8)
        let sources = settings.user + settings.company + settings.tier
        claimed = sources.compactMap { source in
            if case .header(let name) = source { Array(name.utf8) } else { nil }
        }
        left = IdentityFields.known([user, company, tier]).union(HopByHop.known)
            .union(IdentityResolver.replacedFields).union(ForwardedHead.madeAnew)
        claimedKnown = IdentityFields.known(claimed)
        ownLengths = IdentityFields.lengths([user, company, tier])
        claimedLengths = IdentityFields.lengths(claimed)
    }

    /// The fields with a case of their own that are not passed on as they came from whom `identity` names: those said
    /// here, those that end at this proxy, and those that it makes anew.
    func left(_ identity: borrowing ResolvedIdentity) -> FieldNameSet {
        identity.peerIsTrusted ? left : left.union(claimedKnown)
    }

    /// The cases of `names`, for any server.
    private static func known(_ names: [[UInt8]]) -> FieldNameSet {
        var known: FieldNameSet = []
        for name in names {
            let folded = name.map(fold)
            let field = FieldName(recognising: folded.span)
            if field != .other { known.insert(field) }
        }
        return known
    }

    /// Whether `name` is one that only the proxy itself sets.
    func isOwn(_ name: Span<UInt8>) -> Bool {
        guard ownLengths & IdentityFields.length(name.count) != 0 else { return false }
        return IdentityFields.matches(name, user) || IdentityFields.matches(name, company)
            || IdentityFields.matches(name, tier)
    }

    /// Whether a field says who the client is, which only a trusted peer may.
    func isClaim(_ name: Span<UInt8>) -> Bool {
        if IdentityResolver.isForwardingName(name) { return true }
        guard claimedLengths & IdentityFields.length(name.count) != 0 else { return false }
        for field in claimed where IdentityFields.matches(name, field) { return true }
        return false
    }

    private static func lengths(_ names: [[UInt8]]) -> UInt64 {
        names.reduce(0) { $1.isEmpty ? $0 : $0 | length($1.count) }
    }

    private static func length(_ count: Int) -> UInt64 { 1 << UInt64(min(count, 63)) }

    /// Appends the line of each part that is known.
    func append(_ identity: borrowing ResolvedIdentity, to buffer: ByteBuffer) {
        if let value = identity.user { append(user, value, to: buffer) }
        if let value = identity.company { append(company, value, to: buffer) }
        if let value = identity.tier { append(tier, value, to: buffer) }
    }

    private func append(_ name: [UInt8], _ value: Span<UInt8>, to buffer: ByteBuffer) {
        guard !name.isEmpty, !value.isEmpty else { return }
        buffer.append(name.span)
        buffer.append(": ")
        var start = 0
        for index in value.indices where !IdentityFields.isPlain(value[index]) {
            buffer.append(value.extracting(start..<index))
            buffer.append(UInt8(ascii: "%"))
            buffer.append(hexadecimal: value[index] >> 4)
            buffer.append(hexadecimal: value[index] & 15)
            start = index + 1
        }
        buffer.append(value.extracting(start..<value.count))
        buffer.append("\r\n")
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > ASCII.space && byte < 0x7F && byte != UInt8(ascii: "%")
    }

    /// Whether both are the same name for any server: letters without case, `_` as `-`.
    private static func matches(_ name: Span<UInt8>, _ own: [UInt8]) -> Bool {
        guard name.count == own.count, !own.isEmpty else { return false }
        for index in name.indices where fold(name[index]) != fold(own[index]) { return false }
        return true
    }

    private static func fold(_ byte: UInt8) -> UInt8 {
        byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : ASCII.lower(byte)
    }
}

extension ByteBuffer {
    /// Appends one hexadecimal digit.
    fileprivate func append(hexadecimal digit: UInt8) {
        append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
    }
}
