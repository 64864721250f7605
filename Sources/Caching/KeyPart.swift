import HTTPModel
import Primitives

/// A part of `vary_by`, prepared for writing keys.
struct KeyPart: Sendable {
    enum Kind: Sendable, BitwiseCopyable {
        case user, company, tier, ip, header, cookie, body
    }

    let kind: Kind
    /// What the part begins with: `|user`, `|header:accept-language`.
    let label: [UInt8]
    /// The name of the field or cookie.
    let name: [UInt8]
    /// The same, as far as it is known.
    let known: FieldName

    /// A field of the request under a label of its own.
    init(label: StaticString, _ known: FieldName) {
        kind = .header
        var bytes: [UInt8] = []
        bytes.append(label)
        self.label = bytes
        name = []
        self.known = known
    }

    init(_ part: CachePolicy.VaryBy) {
        var name = ""
        switch part {
        case .user: kind = .user
        case .company: kind = .company
        case .tier: kind = .tier
        case .ip: kind = .ip
        case .header(let field):
            kind = .header
            name = field
        case .cookie(let cookie):
            kind = .cookie
            name = cookie
        case .body: kind = .body
        }
        // Of what may stand in a name only the bar means something in a key.
        label = Array(
            ("|"
                + part.text.split(separator: "|", omittingEmptySubsequences: false)
                .joined(separator: "||")).utf8)
        let bytes = Array(name.utf8)
        self.name = bytes
        known = FieldName(recognising: bytes.span)
    }
}
