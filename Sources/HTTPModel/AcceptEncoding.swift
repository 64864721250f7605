import Primitives

/// What a client says about content codings in Accept-Encoding (RFC 9110 §12.5.3). A plain value.
///
/// Weights are in thousandths. All lines count as one list; of members that name the same coding the first
/// counts. A member whose weight cannot be read, or that has other parameters, weighs 0: what is not
/// understood is not sent. Names are compared without case, and `x-gzip` is `gzip` (§8.4.1.3).
public struct AcceptEncoding: Sendable, BitwiseCopyable, Equatable {
    private var br: UInt16?
    private var gzip: UInt16?
    private var identity: UInt16?
    private var star: UInt16?

    /// Reads the field of a request; without one the client takes the body as it is.
    public init(_ request: borrowing FieldList) {
        guard request.contains(.acceptEncoding) else { return }
        for i in request.indices where request[i].name == .acceptEncoding {
            let line = request.value(at: i)
            var start = 0
            while start < line.count {
                let end = line.firstIndex(of: UInt8(ascii: ","), from: start) ?? line.count
                note(line.extracting(start..<end).trimmed)
                start = end + 1
            }
        }
    }

    /// The coding to send, or `nil` for the body as it is.
    ///
    /// The coding with the greatest weight; of equal ones the first of `order`. An `identity` that is named
    /// with a greater weight wins over both; one that is not named loses against every coding that is
    /// accepted. A client that accepts nothing at all gets the body as it is (§12.5.3 allows that).
    public func choice(from order: CodingOrder) -> ContentCoding? {
        var best = order.first
        var weight = weight(of: best)
        if let second = order.second, self.weight(of: second) > weight {
            best = second
            weight = self.weight(of: second)
        }
        if weight == 0 { return nil }
        if let identity, identity > weight { return nil }
        return best
    }

    private func weight(of coding: ContentCoding) -> UInt16 {
        switch coding {
        case .br: br ?? star ?? 0
        case .gzip: gzip ?? star ?? 0
        }
    }

    private mutating func note(_ member: Span<UInt8>) {
        let end = member.firstIndex(of: UInt8(ascii: ";")) ?? member.count
        let name = member.extracting(0..<end).trimmed
        let weight =
            end < member.count
            ? AcceptEncoding.weight(member.extracting(end + 1..<member.count).trimmed) : 1000
        if name.equalsIgnoringCase("br") {
            br = br ?? weight
        } else if name.equalsIgnoringCase("gzip") || name.equalsIgnoringCase("x-gzip") {
            gzip = gzip ?? weight
        } else if name.equalsIgnoringCase("identity") {
            identity = identity ?? weight
        } else if name.equals("*") {
            star = star ?? weight
        }
    }

    /// The thousandths of `q=0.125` (RFC 9110 §12.4.2); 0 when it is not of that form.
    private static func weight(_ text: Span<UInt8>) -> UInt16 {
        guard text.count >= 3, text.count <= 7, text[0] | 0x20 == UInt8(ascii: "q"),
            text[1] == UInt8(ascii: "="),
            text[2] == UInt8(ascii: "0") || text[2] == UInt8(ascii: "1")
        else { return 0 }
        var weight = UInt16(text[2] - UInt8(ascii: "0")) * 1000
        guard text.count > 3 else { return weight }
        guard text[3] == UInt8(ascii: ".") else { return 0 }
        var scale: UInt16 = 100
        for i in 4..<text.count {
            guard text[i] >= UInt8(ascii: "0"), text[i] <= UInt8(ascii: "9") else { return 0 }
            weight += UInt16(text[i] - UInt8(ascii: "0")) * scale
            scale /= 10
        }
        return weight > 1000 ? 0 : weight
    }
}
