import Primitives

/// A JWS in compact form (RFC 7515 §7.1): three parts in base64url with dots between them.
struct CompactToken {
    let header: Range<Int>
    let payload: Range<Int>
    let signature: Range<Int>

    /// What is signed: header, dot and payload as they stand.
    var signed: Range<Int> { header.lowerBound..<payload.upperBound }

    /// Finds the parts; `nil` when there are not exactly three, or the first or second is empty. An empty signature
    /// is left to be refused for its algorithm.
    init?(_ token: Span<UInt8>) {
        guard let first = token.firstIndex(of: UInt8(ascii: ".")), first > 0,
            let second = token.firstIndex(of: UInt8(ascii: "."), from: first + 1),
            second > first + 1, token.firstIndex(of: UInt8(ascii: "."), from: second + 1) == nil
        else { return nil }
        header = 0..<first
        payload = (first + 1)..<second
        signature = (second + 1)..<token.count
    }
}
