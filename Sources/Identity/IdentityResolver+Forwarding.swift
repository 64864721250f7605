public import HTTPModel
public import Primitives

extension IdentityResolver {
    /// The fields of a request that are written anew and not copied.
    public static let replacedFields: FieldNameSet = [
        .forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xRealIp,
    ]

    /// Whether `name` is one of the other `X-Forwarded-…` fields (Port, Prefix, Server …), which must not
    /// be copied when the peer is not trusted: nothing replaces them.
    public static func isForwardingName(_ name: Span<UInt8>) -> Bool {
        name.count > 12 && name.extracting(0..<12).equalsIgnoringCase("x-forwarded-")
    }

    /// Appends the lines that tell the origin where the request came from; each ends with CR LF.
    ///
    ///     X-Forwarded-For: 203.0.113.9, 10.0.0.7
    ///     X-Forwarded-Proto: https
    ///     X-Forwarded-Host: api.example.com
    ///     Forwarded: for=203.0.113.9, for=10.0.0.7;host=api.example.com;proto=http
    ///
    /// From a peer that is not trusted nothing is taken over. A trusted one's believed chain field
    /// (X-Forwarded-For, else Forwarded) is kept and the peer appended. The other field is made from the
    /// client's address and the peer, so that both tell the same: what that field held was not checked by
    /// anybody. X-Forwarded-Proto and -Host of a trusted peer are kept when they are one plain value.
    /// X-Real-IP is sent, with the client's address, only where the request had one.
    ///
    /// - Parameters:
    ///   - request: The request as it came in.
    ///   - identity: What `resolve` found for it.
    ///   - peer: The address at the other end of the connection.
    ///   - isTLS: Whether that connection is encrypted.
    ///   - output: Where the head for the origin is built.
    public static func appendForwardedFields(
        request: borrowing RequestHead, identity: borrowing ResolvedIdentity, peer: IPAddress,
        isTLS: Bool, to output: ByteBuffer
    ) {
        let chain = identity.peerIsTrusted ? chainField(in: request.fields) : nil
        let peerText = AddressText(peer)
        output.append("X-Forwarded-For: ")
        if chain == .xForwardedFor {
            appendLines(of: .xForwardedFor, request.fields, to: output)
        } else if identity.address != peer {
            output.append(identity.address)
            output.append(", ")
        }
        output.append(peerText)
        output.append("\r\nX-Forwarded-Proto: ")
        appendProto(request.fields, identity.peerIsTrusted, isTLS, to: output)
        appendHost(request, identity.peerIsTrusted, to: output)
        output.append("\r\nForwarded: ")
        if chain == .forwarded {
            appendLines(of: .forwarded, request.fields, to: output)
        } else if identity.address != peer {
            appendNode(identity.address, AddressText(identity.address), to: output)
            output.append(", ")
        }
        appendNode(peer, peerText, to: output)
        let authority = request.span(request.authority)
        if authority.count > 0 {
            output.append(";host=")
            appendValue(authority, to: output)
        }
        output.append(isTLS ? ";proto=https\r\n" : ";proto=http\r\n")
        if request.fields.contains(.xRealIp) {
            output.append("X-Real-IP: ")
            output.append(identity.address)
            output.append("\r\n")
        }
    }

    /// All lines of `name` as one list, with a comma at the end for what follows.
    private static func appendLines(
        of name: FieldName, _ fields: borrowing FieldList, to output: ByteBuffer
    ) {
        for index in fields.indices
        where fields[index].name == name && !fields[index].valueRange.isEmpty {
            output.append(fields.value(at: index))
            output.append(", ")
        }
    }

    private static func appendProto(
        _ fields: borrowing FieldList, _ isTrusted: Bool, _ isTLS: Bool, to output: ByteBuffer
    ) {
        var isEncrypted = isTLS
        if isTrusted, fields.count(of: .xForwardedProto) == 1,
            let value = fields.first(.xForwardedProto)
        {
            if value.equalsIgnoringCase("https") { isEncrypted = true }
            if value.equalsIgnoringCase("http") { isEncrypted = false }
        }
        output.append(isEncrypted ? "https" : "http")
    }

    private static func appendHost(
        _ request: borrowing RequestHead, _ isTrusted: Bool, to output: ByteBuffer
    ) {
        if isTrusted, request.fields.count(of: .xForwardedHost) == 1,
            let value = request.fields.first(.xForwardedHost), isPlainHost(value)
        {
            output.append("\r\nX-Forwarded-Host: ")
            output.append(value)
            return
        }
        let authority = request.span(request.authority)
        guard authority.count > 0 else { return }
        output.append("\r\nX-Forwarded-Host: ")
        output.append(authority)
    }

    private static func isPlainHost(_ value: Span<UInt8>) -> Bool {
        for i in value.indices {
            let byte = value[i]
            let isPunctuation =
                byte == UInt8(ascii: ":") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
            if !isPunctuation && !ASCII.isToken(byte) { return false }
        }
        return value.count > 0
    }

    /// `for=` and the address; IPv6 in brackets and quotes (RFC 7239 §6).
    private static func appendNode(
        _ address: IPAddress, _ text: borrowing AddressText, to output: ByteBuffer
    ) {
        if address.isV4 {
            output.append("for=")
            output.append(text)
        } else {
            output.append("for=\"[")
            output.append(text)
            output.append("]\"")
        }
    }

    /// A token as it is, anything else as a quoted-string (RFC 9110 §5.6.4).
    private static func appendValue(_ value: Span<UInt8>, to output: ByteBuffer) {
        if value.isToken {
            output.append(value)
            return
        }
        output.append(UInt8(ascii: "\""))
        var written = 0
        for i in value.indices
        where value[i] == UInt8(ascii: "\"") || value[i] == UInt8(ascii: "\\") {
            output.append(value.extracting(written..<i))
            output.append(UInt8(ascii: "\\"))
            written = i
        }
        output.append(value.extracting(written..<value.count))
        output.append(UInt8(ascii: "\""))
    }
}
