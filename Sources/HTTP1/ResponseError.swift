/// Why an origin's response is refused: answer 502 and close the connection to it.
public enum ResponseError: UInt8, Error, Sendable, BitwiseCopyable, CaseIterable {
    /// A CR that no LF follows.
    case bareCR
    /// An LF without a CR before it.
    case bareLF
    /// A control byte, NUL among them.
    case controlByte
    /// The head is larger than `HeadBounds.headerBytes`.
    case headTooLarge
    /// There are more fields than `HeadBounds.fields`.
    case tooManyFields
    /// A field line begins with white space: a folded value (RFC 9112 §5.2).
    case obsoleteFold
    /// A field name is empty or not a token, or its colon is missing.
    case malformedFieldName
    /// White space inside or after a field name.
    case spaceBeforeColon
    /// The first line is not `version SP status [SP reason]`, or an empty line stands before it.
    case malformedStatusLine
    /// A version other than HTTP/1.0 and HTTP/1.1.
    case unsupportedVersion
    /// A status outside 100…999.
    case invalidStatus
    /// Content-Length fields that are not one number below 2⁶³.
    case invalidContentLength
    /// Transfer-Encoding together with Content-Length, or in HTTP/1.0.
    case ambiguousFraming
    /// Transfer-Encoding that is not exactly `chunked`, the only coding asked for.
    case unknownTransferCoding
    /// The Connection fields are longer than any honest ones.
    case connectionTooLong

    init(_ error: HeadError) {
        switch error {
        case .bareCR: self = .bareCR
        case .bareLF: self = .bareLF
        case .controlByte: self = .controlByte
        case .emptyLines: self = .malformedStatusLine
        case .firstLineTooLong, .tooLarge: self = .headTooLarge
        case .tooManyFields: self = .tooManyFields
        case .obsoleteFold: self = .obsoleteFold
        case .malformedFieldName: self = .malformedFieldName
        case .spaceBeforeColon: self = .spaceBeforeColon
        }
    }

    /// The reason in a few words, the same in the log and the metrics.
    public var reason: StaticString {
        switch self {
        case .bareCR: "bare CR"
        case .bareLF: "bare LF"
        case .controlByte: "control byte"
        case .headTooLarge: "head too large"
        case .tooManyFields: "too many fields"
        case .obsoleteFold: "folded field"
        case .malformedFieldName: "malformed field name"
        case .spaceBeforeColon: "space before colon"
        case .malformedStatusLine: "malformed status line"
        case .unsupportedVersion: "unsupported version"
        case .invalidStatus: "invalid status"
        case .invalidContentLength: "invalid content-length"
        case .ambiguousFraming: "ambiguous framing"
        case .unknownTransferCoding: "unknown transfer coding"
        case .connectionTooLong: "connection field too long"
        }
    }
}
