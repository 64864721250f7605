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
        name.count > 12 && ASCII.lower(name[0]) == UInt8(ascii: "x")
            && name.extracting(0..<12).equalsIgnoringCase("x-forwarded-")
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
        request: borrowing RequestHead, identity: borrowing ResolvedIdentity, peer: AddressText,
        isTLS: Bool, to output: ByteBuffer
    ) {
        let chain = identity.peerIsTrusted ? chainField(in: request.fields) : nil
        let authority = request.span(request.authority)
        output.append("X-Forwarded-For: ")
        if chain == .xForwardedFor {
            appendLines(of: .xForwardedFor, request.fields, to: output)
        } else if identity.address != peer.address {
            output.append(identity.address)
            output.append(", ")
        }
        output.append(peer)
        if isEncrypted(request.fields, identity.peerIsTrusted, isTLS) {
            output.append("\r\nX-Forwarded-Proto: https\r\n")
        } else {
            output.append("\r\nX-Forwarded-Proto: http\r\n")
        }
        if !(identity.peerIsTrusted && appendKnownHost(request.fields, to: output))
            && authority.count > 0
        {
            output.append("X-Forwarded-Host: ", authority, "\r\n")
        }
        output.append("Forwarded: ")
        if chain == .forwarded {
            appendLines(of: .forwarded, request.fields, to: output)
        } else if identity.address != peer.address {
            appendNode(AddressText(identity.address), to: output)
            output.append(", ")
        }
        appendNode(peer, to: output)
        if authority.count > 0 { appendHostPair(authority, to: output) }
        if isTLS {
            output.append(";proto=https\r\n")
        } else {
            output.append(";proto=http\r\n")
        }
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

    /// Whether the client's connection is encrypted: ours, or what a trusted peer says of its own.
    private static func isEncrypted(
        _ fields: borrowing FieldList, _ isTrusted: Bool, _ isTLS: Bool
    ) -> Bool {
        guard isTrusted, fields.count(of: .xForwardedProto) == 1,
            let value = fields.first(.xForwardedProto)
        else { return isTLS }
        if value.equalsIgnoringCase("https") { return true }
        return value.equalsIgnoringCase("http") ? false : isTLS
    }

    /// Appends the host that a trusted peer was asked for; `false` when it names none that can be passed on.
    private static func appendKnownHost(
        _ fields: borrowing FieldList, to output: ByteBuffer
    ) -> Bool {
        guard fields.count(of: .xForwardedHost) == 1, let value = fields.first(.xForwardedHost),
            isPlainHost(value)
        else { return false }
        output.append("X-Forwarded-Host: ", value, "\r\n")
        return true
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
    @inline(__always)
    private static func appendNode(_ node: AddressText, to output: ByteBuffer) {
        if node.address.isV4 {
            output.append("for=")
            output.append(node)
        } else {
            output.append("for=\"[")
            output.append(node)
            output.append("]\"")
        }
    }

    /// `;host=` and a token as it is, anything else as a quoted-string (RFC 9110 §5.6.4).
    @inline(__always)
    private static func appendHostPair(_ value: Span<UInt8>, to output: ByteBuffer) {
        let end = endOfName(in: value)
        if !isPlainName(value, to: end) {
            appendUnusual(value, to: output)
        } else if end == value.count {
            output.append(";host=", value, "")
        } else {
            output.append(";host=\"", value, "\"")
        }
    }

    /// Where the colon and the digits of a port begin, or the end.
    @inline(__always)
    private static func endOfName(in host: Span<UInt8>) -> Int {
        var i = host.count &- 1
        while i > 0, ASCII.isDigit(host[i]) { i &-= 1 }
        return i > 0 && host[i] == UInt8(ascii: ":") ? i : host.count
    }

    /// Whether the first `count` bytes are letters, digits, dots and hyphens, as nearly all hosts are.
    @inline(__always)
    private static func isPlainName(_ host: Span<UInt8>, to count: Int) -> Bool {
        guard count >= 8 else {
            for i in 0..<count where unusualInHosts(UInt64(host[i])) & 0x80 != 0 { return false }
            return true
        }
        // Eight at a time; the last eight may overlap those before them.
        var marks = unusualInHosts(host.littleEndianWord(at: count &- 8))
        var i = 0
        while i < count &- 8 {
            marks |= unusualInHosts(host.littleEndianWord(at: i))
            i &+= 8
        }
        return marks & 0x8080_8080_8080_8080 == 0
    }

    private static func appendUnusual(_ value: Span<UInt8>, to output: ByteBuffer) {
        if value.isToken { return output.append(";host=", value, "") }
        output.append(";host=\"")
        for i in value.indices {
            if value[i] == UInt8(ascii: "\"") || value[i] == UInt8(ascii: "\\") {
                output.append(UInt8(ascii: "\\"))
            }
            output.append(value[i])
        }
        output.append("\"")
    }

    /// Marks the bytes of a word that are no letters, digits, dots or hyphens, by their top bits.
    @inline(__always)
    private static func unusualInHosts(_ word: UInt64) -> UInt64 {
        let all: UInt64 = 0x0101_0101_0101_0101
        /// Marks the bytes from `bound` on; without top bits no sum reaches the next byte.
        func from(_ bound: UInt64, _ bytes: UInt64) -> UInt64 { bytes &+ all * (0x80 - bound) }
        let low = word & (all * 0x7F)
        let lower = low | (all * 0x20)
        let isLetter = from(0x61, lower) & ~from(0x7B, lower)
        let isDigit = from(0x30, low) & ~from(0x3A, low)
        let isMark = from(0x2D, low) & ~from(0x2F, low)
        return ~(isLetter | isDigit | isMark) | word
    }
}
