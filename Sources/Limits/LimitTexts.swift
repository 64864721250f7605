import Primitives

/// Texts that are made once, when a policy is compiled.
enum LimitTexts {
    /// A rate as people say it: `30 per 1 minute`, `5 per 10 seconds`.
    static func rate(_ rate: LimitDefinition.Rate) -> String {
        if rate.isMonthly { return "\(rate.count) per calendar month" }
        let units: [(UInt64, String)] = [
            (86_400_000_000_000, "day"), (3_600_000_000_000, "hour"), (60_000_000_000, "minute"),
            (1_000_000_000, "second"), (1_000_000, "millisecond"), (1_000, "microsecond"),
        ]
        for (length, name) in units
        where rate.period.count >= length && rate.period.count % length == 0 {
            let number = rate.period.count / length
            return "\(rate.count) per \(number) \(name)\(number == 1 ? "" : "s")"
        }
        return "\(rate.count) per \(rate.period.count) nanoseconds"
    }

    /// The parameters of RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11): `;q=30;w=60`. The window
    /// has whole seconds only, so it is left out when the period has not, and for calendar months.
    static func policyParameters(_ rate: LimitDefinition.Rate, isConcurrency: Bool) -> String {
        if isConcurrency { return ";q=\(rate.count);qu=\"concurrent-requests\"" }
        let seconds = rate.period.wholeSeconds
        let isWhole = seconds > 0 && rate.period == .seconds(seconds) && !rate.isMonthly
        return ";q=\(rate.count)" + (isWhole ? ";w=\(seconds)" : "")
    }

    /// The fields of X-RateLimit up to the units that are left.
    static func limitField(quota: UInt32) -> String {
        "X-RateLimit-Limit: \(quota)\r\nX-RateLimit-Remaining: "
    }

    /// The member of RateLimit of a limit whose name is quoted, up to the units that are left.
    static func remainingItem(name: [UInt8]) -> [UInt8] { name + Array(";r=".utf8) }

    /// The fields of draft-ietf-httpapi-ratelimit-headers-11 with a single limit, up to the units that are left.
    static func draft11(policyItem: [UInt8], name: [UInt8]) -> [UInt8] {
        Array("RateLimit-Policy: ".utf8) + policyItem + Array("\r\nRateLimit: ".utf8)
            + remainingItem(name: name)
    }

    /// A refusal's body up to the seconds to wait: `"error":"Rate limit exceeded","detail":"30 per 1 minute",…`.
    static func refusal(by name: String, detail: String) -> [UInt8] {
        Array("\"error\":\"Rate limit exceeded\",\"detail\":\"\(detail)\",\"limit\":".utf8)
            + jsonString(name) + Array(",\"retry_after\":".utf8)
    }

    /// `text` as a String of structured fields, quoted (RFC 9651 §3.3.3). What is not printable ASCII cannot
    /// stand there and is percent-encoded.
    static func structuredString(_ text: String) -> [UInt8] {
        quoted(text, plain: 0x20...0x7E, escape: "%")
    }

    /// `text` as a JSON string, quoted (RFC 8259 §7).
    static func jsonString(_ text: String) -> [UInt8] {
        quoted(text, plain: 0x20...0xFF, escape: "\\u00")
    }

    /// `text` in quotes: quotes and backslashes after a backslash, other bytes than `plain` as `escape` and
    /// two hexadecimal digits.
    private static func quoted(
        _ text: String, plain: ClosedRange<UInt8>, escape: StaticString
    ) -> [UInt8] {
        var result: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                result.append(UInt8(ascii: "\\"))
                result.append(byte)
            } else if plain.contains(byte) {
                result.append(byte)
            } else {
                result.append(escape)
                result.append(contentsOf: [hex(byte >> 4), hex(byte & 15)])
            }
        }
        result.append(UInt8(ascii: "\""))
        return result
    }

    private static func hex(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
}
