import HTTPModel
public import Primitives

/// Keys of shared limits: readable text, the same in every replica.
extension LimitPolicy {
    /// Appends the key of a request under a limit, as Redis knows it:
    /// `weir:l:{user=42}:analytics:bucket:endpoint=GET /api/analytics/**`.
    ///
    /// The parts are the namespace, `l`, the hash tag in braces, the limit's name, its algorithm, and what else the
    /// limit counts by. The tag is what says most about who is counted: user, company, address, header field or
    /// claim, endpoint; for a limit of everybody it is the name. So limits about one subject share a slot of a
    /// cluster. A request without a user is counted by address, as in memory.
    ///
    /// No two keys are the same text: in values everything but visible ASCII, and `%`, `:`, `{` and `}`, is
    /// percent-encoded; a value longer than 64 bytes is `sha256-` and its digest in hexadecimal digits, and one that
    /// begins so has its `-` encoded.
    ///
    /// - Parameters:
    ///   - limit: Index of the limit.
    ///   - subject: Whom the request is counted as.
    ///   - dimensions: The values of `dimensions`.
    ///   - namespace: What all keys of this fleet begin with.
    ///   - buffer: Where the text goes.
    public func appendSharedKey(
        of limit: Int, _ subject: borrowing LimitSubject, _ dimensions: borrowing LimitDimensions,
        namespace: Span<UInt8>, to buffer: ByteBuffer
    ) {
        let compiled = limits[limit]
        let parts = SharedKeyParts(self, compiled, subject, dimensions)
        let name = sharedNames[limit]
        buffer.append(namespace)
        buffer.append(":l:{")
        if let tag = parts.tag {
            append(tag, compiled, subject, dimensions, to: buffer)
        } else {
            Self.append(value: name.span, to: buffer)
        }
        buffer.append("}:")
        Self.append(value: name.span, to: buffer)
        buffer.append(":")
        buffer.append(sharedRates[compiled.rates.lowerBound]?.kind.word ?? "local")
        for part in SharedKeyParts.order where part != parts.tag && parts.all.contains(part) {
            buffer.append(":")
            append(part, compiled, subject, dimensions, to: buffer)
        }
    }

    private func append(
        _ part: LimitParts, _ limit: CompiledLimit, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions, to buffer: ByteBuffer
    ) {
        switch part {
        case .user:
            buffer.append("user=")
            if let user = subject.user { Self.append(value: user, to: buffer) }
        case .company:
            buffer.append("company=")
            if let company = subject.company { Self.append(value: company, to: buffer) }
        case .ip:
            buffer.append("ip=")
            buffer.append(subject.counted)
        case .endpoint:
            buffer.append("endpoint=")
            buffer.append(subject.method == .other ? "OTHER" : subject.method.text)
            buffer.append(" ")
            let bytes = bytes
            Self.append(value: bytes.span(endpoint), to: buffer)
        default:
            var isFirst = true
            for index in extras(of: limit)?.dimensions ?? 0..<0 {
                guard let value = dimensions[index] else { continue }
                if !isFirst { buffer.append(":") }
                isFirst = false
                let text = dimensionTexts[index]
                Self.append(value: text.span, to: buffer)
                buffer.append("=")
                Self.append(value: value, to: buffer)
            }
        }
    }

    private static func append(value: Span<UInt8>, to buffer: ByteBuffer) {
        if value.count > LimitBounds.keyPartMax {
            buffer.append("sha256-")
            for byte in SHA256Digest(of: value).bytes {
                // In lower case, as digests are written.
                buffer.append(hex(byte >> 4) | 32)
                buffer.append(hex(byte & 15) | 32)
            }
            return
        }
        let looksLikeDigest = value.starts(with: "sha256-")
        for index in value.indices {
            let byte = value[index]
            let isPlain =
                switch byte {
                case UInt8(ascii: "%"), UInt8(ascii: ":"), UInt8(ascii: "{"), UInt8(ascii: "}"):
                    false
                default: byte > 0x20 && byte < 0x7F && !(looksLikeDigest && index == 6)
                }
            if isPlain {
                buffer.append(byte)
            } else {
                buffer.append("%")
                buffer.append(hex(byte >> 4))
                buffer.append(hex(byte & 15))
            }
        }
    }

    private static func hex(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }
}

/// The parts of one request's key under one limit.
private struct SharedKeyParts {
    /// In the order in which they are written.
    static let order: [LimitParts] = [.user, .company, .ip, .dimension, .endpoint]

    /// The parts there are.
    let all: LimitParts

    init(
        _ policy: LimitPolicy, _ limit: CompiledLimit, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions
    ) {
        var all = limit.parts
        if policy.lacksPart(limit, subject, dimensions) {
            if subject.user?.isEmpty ?? true { all.remove(.user) }
            if subject.company?.isEmpty ?? true { all.remove(.company) }
            let places = policy.extras(of: limit)?.dimensions ?? 0..<0
            if !places.contains(where: { dimensions[$0] != nil }) { all.remove(.dimension) }
            all.insert(.ip)
        }
        self.all = all
    }

    /// The part that is the hash tag; `nil` when everybody is counted together.
    var tag: LimitParts? { Self.order.first { all.contains($0) } }
}
