import HTTPModel
import Identity
import Primitives

/// A request head with these fields, as the parser would leave it.
func request(_ fields: [(String, String)] = [], authority: String = "api.test") -> RequestHead {
    var head = RequestHead()
    head.authority = head.fields.appendBytes(Array(authority.utf8).span)
    for (name, value) in fields {
        head.fields.append(name: Array(name.utf8).span, value: Array(value.utf8).span)
    }
    return head
}

/// The address of a literal that is known to be right.
func address(_ text: String) -> IPAddress {
    guard let address = IPAddress(parsing: text) else {
        preconditionFailure("not an address: \(text)")
    }
    return address
}

extension ResolvedIdentity {
    /// What it lends, as strings that can be compared.
    var texts: (user: String?, company: String?, tier: String?) {
        (text(of: user), text(of: company), text(of: tier))
    }

    private func text(of span: Span<UInt8>?) -> String? {
        guard let span else { return nil }
        return span.text
    }
}

/// Credentials of a configuration without keys.
var nobody: Credentials { Credentials(IdentitySettings(), claims: [], keys: CredentialKeys()) }
