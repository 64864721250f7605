/// A response status code (RFC 9110 §15), 100 to 999.
public struct Status: Hashable, Sendable, BitwiseCopyable, ExpressibleByIntegerLiteral {
    /// The three-digit code.
    public let code: UInt16

    /// Creates the status of a literal code.
    public init(integerLiteral code: UInt16) { self.code = code }
    /// Creates the status of `code`, or `nil` outside 100…999.
    public init?(code: UInt64) {
        guard code >= 100 && code <= 999 else { return nil }
        self.code = UInt16(code)
    }

    /// Whether it is 1xx: more is to come.
    public var isInformational: Bool { code < 200 }
    /// Whether it is 2xx.
    public var isSuccess: Bool { code >= 200 && code < 300 }
    /// Whether it is 4xx or 5xx.
    public var isError: Bool { code >= 400 }
    /// Whether a response of this status never has a body (RFC 9112 §6.3).
    public var forbidsBody: Bool { code < 200 || code == 204 || code == 304 }
    /// Whether it may be stored without explicit freshness (RFC 9110 §15.1).
    public var isHeuristicallyCacheable: Bool {
        switch code {
        case 200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501: true
        default: false
        }
    }

    /// The usual reason phrase; `Unknown` where there is none.
    public var reason: StaticString {
        switch code {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 103: "Early Hints"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 203: "Non-Authoritative Information"
        case 204: "No Content"
        case 205: "Reset Content"
        case 206: "Partial Content"
        case 300: "Multiple Choices"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 425: "Too Early"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 499: "Client Closed Request"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 508: "Loop Detected"
        case 511: "Network Authentication Required"
        default: "Unknown"
        }
    }
}
