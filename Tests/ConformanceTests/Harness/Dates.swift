import Foundation

/// Dates as origins and clients write them (RFC 9110 §5.6.7).
enum Dates {
    private static func text(_ seconds: Int, _ format: String) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = format
        return formatter.string(from: Date(timeIntervalSince1970: TimeInterval(seconds)))
    }

    static var now: Int { Int(Date().timeIntervalSince1970) }

    static func imfFixdate(_ seconds: Int) -> String {
        text(seconds, "EEE, dd MMM yyyy HH:mm:ss 'GMT'")
    }

    static func rfc850(_ seconds: Int) -> String {
        text(seconds, "EEEE, dd-MMM-yy HH:mm:ss 'GMT'")
    }

    /// Its day of the month is filled up with a space.
    static func asctime(_ seconds: Int) -> String {
        let day = text(seconds, "d")
        return text(seconds, "EEE MMM ") + (day.count == 1 ? " " : "") + day
            + text(seconds, " HH:mm:ss yyyy")
    }

    /// Replaces the names in braces of a line (`Reply`).
    static func expand(_ line: String, start: Int, path: String) -> String {
        var result = ""
        var rest = Substring(line)
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            result += rest[..<open]
            result += value(of: rest[rest.index(after: open)..<close], start, path)
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }

    private static func value(of name: Substring, _ start: Int, _ path: String) -> String {
        if name == "path" { return path }
        let word = name.prefix { $0.isLetter || $0 == "8" || $0 == "5" || $0 == "0" }
        let seconds = start + (Int(name.dropFirst(word.count)) ?? 0)
        switch word {
        case "date": return imfFixdate(seconds)
        case "rfc850": return rfc850(seconds)
        case "asctime": return asctime(seconds)
        default: return "{\(name)}"
        }
    }
}
