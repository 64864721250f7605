public import HTTPModel
public import Primitives

/// Finds out who asks: the client's address behind trusted proxies, and user, company and tier from the
/// fields that such a proxy sets.
///
/// **Address.** Beginning with the peer: while the current address is a trusted proxy's, step to the next
/// element of X-Forwarded-For from the right, all lines taken as one list. The first address that is not
/// trusted is the client. An element that is not an address (`unknown`, obfuscated, garbage, empty) ends
/// the walk at the last good address. So nothing a client writes is ever believed: it stands to the left
/// of what the first trusted proxy appended.
///
/// **Both fields.** X-Forwarded-For decides; Forwarded (RFC 7239) is read only when there is no
/// X-Forwarded-For. Nearly all proxies append to X-Forwarded-For and pass a client's Forwarded on, so
/// the other order would let clients choose their address. A trusted proxy that writes Forwarded alone
/// must remove the client's X-Forwarded-For.
///
/// **Fields.** A user, company or tier field is believed only when the peer itself is trusted, and only
/// when it is there once and not empty: of two values one may be the client's.
///
/// Immutable; shared by all connections of a worker. Costs nothing more than a look at the peer when it is
/// not trusted.
public final class IdentityResolver: Sendable {
    /// The most elements that are walked; beyond them the last address counts.
    public static let hopsMax = 64

    private let trustedProxies: [IPNetwork]
    private let ipv6Prefix: Int
    private let user: FieldSource?
    private let company: FieldSource?
    private let tier: FieldSource?
    private let defaultTier: [UInt8]

    /// Creates a resolver; `claims` are those of its `Credentials`. The prefix length is clamped to 1…128.
    public init(_ settings: IdentitySettings, claims: [String] = []) {
        trustedProxies = settings.trustedProxies
        ipv6Prefix = min(max(settings.ipv6Prefix, 1), 128)
        user = settings.user.first.map(FieldSource.init)
        company = settings.company.first.map(FieldSource.init)
        tier = settings.tier.first.map(FieldSource.init)
        defaultTier = Array((settings.defaultTier ?? "").utf8)
    }

    /// Whether `address` is that of a trusted proxy.
    public func trusts(_ address: IPAddress) -> Bool {
        for network in trustedProxies where network.contains(address) { return true }
        return false
    }

    /// The address that limits count for `address`.
    public func counted(_ address: IPAddress) -> IPAddress {
        address.isV4 ? address : address.prefix(ipv6Prefix)
    }

    /// Writes who sent `request` over a connection from `peer` into `identity`, whatever it held.
    ///
    /// - Complexity: O(fields + hops · trusted networks). No allocation once `identity` is warm.
    public func resolve(
        peer: IPAddress, request: borrowing RequestHead, credentials: Credentials,
        at now: WallTime, into identity: inout ResolvedIdentity
    ) {
        identity.reset()
        identity.peerIsTrusted = trusts(peer)
        identity.address =
            identity.peerIsTrusted ? client(behind: peer, request.fields) : peer
        identity.countedAddress = counted(identity.address)
        if identity.peerIsTrusted {
            if let index = user?.onlyIndex(in: request.fields) {
                identity.setUser(request.fields.value(at: index))
            }
            if let index = company?.onlyIndex(in: request.fields) {
                identity.setCompany(request.fields.value(at: index))
            }
            if let index = tier?.onlyIndex(in: request.fields) {
                identity.setTier(request.fields.value(at: index))
                return
            }
        }
        let tier = defaultTier
        if !tier.isEmpty { identity.setTier(tier.span) }
    }

    /// The field that tells where the request came from, or `nil`.
    public static func chainField(in fields: borrowing FieldList) -> FieldName? {
        if fields.contains(.xForwardedFor) { return .xForwardedFor }
        return fields.contains(.forwarded) ? .forwarded : nil
    }

    private func client(behind peer: IPAddress, _ fields: borrowing FieldList) -> IPAddress {
        guard let name = IdentityResolver.chainField(in: fields) else { return peer }
        var hops = HopList(name, in: fields)
        var current = peer
        for _ in 0..<IdentityResolver.hopsMax {
            guard trusts(current), let element = hops.next(in: fields) else { return current }
            let text = fields.span(element)
            let address =
                name == .forwarded
                ? ForwardedNode.address(inForwarded: text)
                : ForwardedNode.address(inXForwardedFor: text)
            guard let address else { return current }
            current = address
        }
        return current
    }
}

/// A field that names a part of the identity.
private struct FieldSource: Sendable {
    private let name: [UInt8]
    private let known: FieldName

    init(_ source: IdentitySettings.Source) {
        let lowercased: [UInt8] =
            switch source {
            case .header(let text): Array(text.lowercased().utf8)
            default: []
            }
        name = lowercased
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
}
