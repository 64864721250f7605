public import HTTPModel

/// Why a request's head is refused. The connection cannot go on: answer `status` and close it.
public enum RequestError: UInt8, Error, Sendable, BitwiseCopyable, CaseIterable {
    /// A CR that no LF follows.
    case bareCR
    /// An LF without a CR before it.
    case bareLF
    /// A control byte, NUL among them.
    case controlByte
    /// Too many empty lines before the request line.
    case emptyLines
    /// The head is larger than `HeadBounds.headerBytes`.
    case headTooLarge
    /// There are more fields than `HeadBounds.fields`.
    case tooManyFields
    /// A field line begins with white space: a folded value (RFC 9112 §5.2).
    case obsoleteFold
    /// A field name is empty or not a token, or its colon is missing.
    case malformedFieldName
    /// White space inside or after a field name (RFC 9112 §5.1).
    case spaceBeforeColon
    /// The request line is not `method SP target SP version`.
    case malformedRequestLine
    /// The method is not a token without small letters.
    case malformedMethod
    /// The method's name is longer than any that is known.
    case methodTooLong
    /// CONNECT or TRACE: never for a gateway.
    case methodNotAllowed
    /// A version other than HTTP/1.0 and HTTP/1.1; also the preface of HTTP/2.
    case unsupportedVersion
    /// The target is longer than `HeadBounds.targetBytes`, or the request line than a whole head.
    case targetTooLong
    /// The target has none of the four forms (RFC 9112 §3.2), or one its method does not take.
    case malformedTarget
    /// A byte in the target that must be escaped.
    case forbiddenTargetByte
    /// A `%` in the target without two hexadecimal digits.
    case malformedEscape
    /// The target climbs above the root by `..`.
    case targetAboveRoot
    /// A request of HTTP/1.1 without Host.
    case missingHost
    /// More than one Host.
    case repeatedHost
    /// A Host, or the authority of the target, that is not `host[:port]`.
    case invalidHost
    /// A Content-Length that is not one number below 2⁶³.
    case invalidContentLength
    /// More than one Content-Length line, equal or not.
    case repeatedContentLength
    /// Transfer-Encoding together with Content-Length.
    case conflictingFraming
    /// Transfer-Encoding where `chunked` is repeated, missing or not last.
    case invalidTransferEncoding
    /// A transfer coding besides `chunked`.
    case unknownTransferCoding
    /// Transfer-Encoding in HTTP/1.0.
    case transferEncodingInHTTP10
    /// The Connection fields are longer than any honest ones.
    case connectionTooLong

    init(_ error: HeadError) {
        switch error {
        case .bareCR: self = .bareCR
        case .bareLF: self = .bareLF
        case .controlByte: self = .controlByte
        case .emptyLines: self = .emptyLines
        case .firstLineTooLong: self = .targetTooLong
        case .tooLarge: self = .headTooLarge
        case .tooManyFields: self = .tooManyFields
        case .obsoleteFold: self = .obsoleteFold
        case .malformedFieldName: self = .malformedFieldName
        case .spaceBeforeColon: self = .spaceBeforeColon
        }
    }

    init(_ error: TargetError) {
        switch error {
        case .forbiddenByte: self = .forbiddenTargetByte
        case .malformedEscape: self = .malformedEscape
        case .aboveRoot: self = .targetAboveRoot
        }
    }

    /// The status to answer with.
    public var status: Status {
        switch self {
        case .targetTooLong: 414
        case .headTooLarge, .tooManyFields, .connectionTooLong: 431
        case .methodNotAllowed: 405
        case .methodTooLong, .unknownTransferCoding: 501
        case .unsupportedVersion: 505
        default: 400
        }
    }

    /// The reason in a few words, the same in the answer, the log and the metrics.
    public var reason: StaticString {
        switch self {
        case .bareCR: "bare CR"
        case .bareLF: "bare LF"
        case .controlByte: "control byte"
        case .emptyLines: "too many empty lines"
        case .headTooLarge: "head too large"
        case .tooManyFields: "too many fields"
        case .obsoleteFold: "folded field"
        case .malformedFieldName: "malformed field name"
        case .spaceBeforeColon: "space before colon"
        case .malformedRequestLine: "malformed request line"
        case .malformedMethod: "malformed method"
        case .methodTooLong: "method too long"
        case .methodNotAllowed: "method not allowed"
        case .unsupportedVersion: "unsupported version"
        case .targetTooLong: "target too long"
        case .malformedTarget: "malformed target"
        case .forbiddenTargetByte: "forbidden byte in target"
        case .malformedEscape: "malformed escape in target"
        case .targetAboveRoot: "target above root"
        case .missingHost: "missing host"
        case .repeatedHost: "repeated host"
        case .invalidHost: "invalid host"
        case .invalidContentLength: "invalid content-length"
        case .repeatedContentLength: "repeated content-length"
        case .conflictingFraming: "content-length with transfer-encoding"
        case .invalidTransferEncoding: "invalid transfer-encoding"
        case .unknownTransferCoding: "unknown transfer coding"
        case .transferEncodingInHTTP10: "transfer-encoding in HTTP/1.0"
        case .connectionTooLong: "connection field too long"
        }
    }
}
