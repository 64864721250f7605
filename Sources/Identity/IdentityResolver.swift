public import HTTPModel
public import Primitives

/// Finds out who asks: the client's address behind trusted proxies, and user, company and tier from the
/// fields that such a proxy sets, from a verified token, an API key or a cookie.
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
/// **Sources.** User, company and tier each have a list of sources; the first that knows one counts. A field is
/// believed only when the peer itself is trusted, and only when it is there once and not empty: of two
/// values one may be the client's. A claim is believed when its token was verified, what the key file
/// says when the key is in it. A bad token or key says nothing; the other sources are asked as if it were
/// not there, and `credential` tells what was wrong with it. A cookie is believed for want of something better:
/// `userIsProven` tells which.
///
/// Immutable; shared by all connections of a worker. Costs nothing more than a look at the peer when it is
/// not trusted and there are no other sources than fields.
public final class IdentityResolver: Sendable {
    /// The most elements that are walked; beyond them the last address counts.
    public static let hopsMax = 64

    private let trustedProxies: [IPNetwork]
    private let ipv6Prefix: Int
    private let user: [PartSource]
    private let company: [PartSource]
    private let tier: [PartSource]
    /// The names of fields, in lower case, and of cookies.
    private let names: [UInt8]
    private let defaultTier: [UInt8]
    /// Whether tokens or API keys are looked at.
    private let examinesCredentials: Bool
    /// Whether somebody can have a name who does not come from a trusted proxy.
    private let hasOpenSources: Bool

    /// Creates a resolver; `claims` are those of its `Credentials`, in the same order. The prefix length is clamped
    /// to 1…128.
    public init(_ settings: IdentitySettings, claims: [String] = []) {
        trustedProxies = settings.trustedProxies
        ipv6Prefix = min(max(settings.ipv6Prefix, 1), 128)
        let claims = ClaimNames(settings, claims: claims)
        var names: [UInt8] = []
        user = settings.user.map { PartSource($0, claims: claims, names: &names) }
        company = settings.company.map { PartSource($0, claims: claims, names: &names) }
        tier = settings.tier.map { PartSource($0, claims: claims, names: &names) }
        self.names = names
        defaultTier = Array((settings.defaultTier ?? "").utf8)
        examinesCredentials = settings.jwt != nil || settings.apiKeys != nil
        hasOpenSources = (user + company + tier).contains { !$0.needsTrust }
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
    /// - Complexity: O(fields + hops · trusted networks), and what `Credentials` says. No allocation once `identity`
    ///   is warm and its token is remembered.
    public func resolve(
        peer: IPAddress, request: borrowing RequestHead, credentials: Credentials,
        at now: WallTime, into identity: inout ResolvedIdentity
    ) {
        identity.reset()
        identity.peerIsTrusted = trusts(peer)
        identity.address =
            identity.peerIsTrusted ? client(behind: peer, request.fields) : peer
        identity.countedAddress = counted(identity.address)
        var apiKey: Int?
        if examinesCredentials {
            apiKey = credentials.examine(request.fields, at: now, into: &identity)
        }
        if identity.peerIsTrusted || hasOpenSources {
            if let index = find(user, request.fields, credentials, apiKey, &identity, .user) {
                identity.userSource = index
                identity.userIsProven = user[index].isProof
            }
            identity.companySource = find(
                company, request.fields, credentials, apiKey, &identity, .company)
            identity.tierSource = find(tier, request.fields, credentials, apiKey, &identity, .tier)
            if identity.tierSource != nil { return }
        }
        let tier = defaultTier
        if !tier.isEmpty { identity.keep(tier.span, as: .tier) }
    }

    /// Asks the sources of a part in their order; the index of the one that knew it.
    @inline(__always)
    private func find(
        _ sources: [PartSource], _ fields: borrowing FieldList, _ credentials: Credentials,
        _ apiKey: Int?, _ identity: inout ResolvedIdentity, _ part: IdentityPart
    ) -> Int? {
        // A local one, so that its bytes can be lent.
        let names = names
        for index in sources.indices {
            switch sources[index] {
            case .header(let known, let name):
                guard identity.peerIsTrusted,
                    let field = fields.onlyIndex(of: known, named: names.span(name))
                else { continue }
                identity.keep(fields.value(at: field), as: part)
            case .claim(let claim):
                guard identity.keepClaim(claim, as: part) else { continue }
            case .apiKey(let name):
                guard let apiKey else { continue }
                let value = credentials.keys.apiKeys.value(name, of: apiKey)
                if value.isEmpty { continue }
                identity.keep(value.span, as: part)
            case .cookie(let name):
                guard let range = Cookies.only(names.span(name), in: fields) else { continue }
                identity.keep(fields.span(range), as: part)
            }
            return index
        }
        return nil
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

/// A source of a part of the identity, ready to be asked. Without references, so that asking costs no count of them:
/// names stand in the resolver's bytes.
private enum PartSource: Sendable, BitwiseCopyable {
    case header(FieldName, ByteRange)
    /// The claim's index in a `ClaimBlock`.
    case claim(Int)
    case apiKey(IdentitySettings.APIKeyPart)
    case cookie(ByteRange)

    init(
        _ source: IdentitySettings.Source, claims: ClaimNames, names: inout [UInt8]
    ) {
        switch source {
        case .header(let text):
            let name = Array(text.lowercased().utf8)
            let range = ByteRange(start: names.count, count: name.count)
            self = .header(FieldName(recognising: name.span), range)
            names += name
        case .claim(let name):
            // It is there: the list was made from the same settings.
            self = .claim(claims.index(of: name) ?? -1)
        case .apiKey(let part):
            self = .apiKey(part)
        case .cookie(let name):
            self = .cookie(ByteRange(start: names.count, count: name.utf8.count))
            names += Array(name.utf8)
        }
    }

    /// Whether only a trusted peer can use it.
    var needsTrust: Bool {
        if case .header = self { return true }
        return false
    }

    /// Whether what it says is more than a client's word.
    var isProof: Bool {
        if case .cookie = self { return false }
        return true
    }
}
