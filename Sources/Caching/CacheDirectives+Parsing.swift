public import HTTPModel
import Primitives

extension CacheDirectives {
    /// Reads all Cache-Control lines of a message as one list (RFC 9111 §5.2, cases `9111-5.2-…`). Of a
    /// response they count only when no targeted field does: `init(ofResponse:)`.
    public init(of fields: borrowing FieldList) {
        self.init()
        guard fields.contains(.cacheControl) else { return }
        for i in fields.indices where fields[i].name == .cacheControl {
            read(fields.value(at: i))
        }
    }

    /// Reads a request's directives; without Cache-Control `Pragma: no-cache` counts as `no-cache` (§5.4).
    public init(ofRequest fields: borrowing FieldList) {
        self.init(of: fields)
        // In a request `no-cache` has no list.
        if flags.contains(.withholdsFields) { flags.insert(.noCache) }
        guard !fields.contains(.cacheControl), fields.contains(.pragma) else { return }
        for i in fields.indices where fields[i].name == .pragma {
            var pragma = CacheDirectives()
            pragma.read(fields.value(at: i))
            flags.formUnion(pragma.flags.intersection(.noCache))
        }
    }

    /// Adds the directives of one line: `name`, `name=token` or `name="quoted"`, separated by commas.
    ///
    /// Anything malformed ends at the next comma outside quotes; what stands around it still counts.
    public mutating func read(_ line: Span<UInt8>) {
        var i = 0
        while i < line.count {
            let start = i
            let end = CacheDirectives.endOfMember(line, from: start)
            readMember(line.extracting(start..<end).trimmed)
            i = end + 1
        }
    }

    /// The index of the comma that ends the list member at `start`, or the end of the line.
    static func endOfMember(_ line: Span<UInt8>, from start: Int) -> Int {
        var i = start
        var isQuoted = false
        while i < line.count {
            let byte = line[i]
            if isQuoted {
                if byte == UInt8(ascii: "\\") {
                    i += 1
                } else if byte == UInt8(ascii: "\"") {
                    isQuoted = false
                }
            } else if byte == UInt8(ascii: "\"") {
                isQuoted = true
            } else if byte == UInt8(ascii: ",") {
                return i
            }
            i += 1
        }
        return line.count
    }

    private mutating func readMember(_ member: Span<UInt8>) {
        guard let equals = member.firstIndex(of: UInt8(ascii: "=")) else {
            if let flag = CacheDirectives.flag(member) {
                flags.insert(flag)
            } else if member.equalsIgnoringCase("max-stale") {
                flags.insert(.maxStaleAny)
            } else if let timed = CacheDirectives.timed(member) {
                // A time without its number says nothing that can be relied on: stale.
                record(timed, 0)
            }
            return
        }
        let name = member.extracting(0..<equals).trimmed
        let argument = member.extracting(equals + 1..<member.count)
        if let timed = CacheDirectives.timed(name) {
            record(timed, CacheDirectives.deltaSeconds(argument))
        } else if let flag = CacheDirectives.flag(name) {
            let isQualified = flag == .noCache || flag == .isPrivate
            flags.insert(
                isQualified && WithheldFields.isUsable(argument) ? .withholdsFields : flag)
        }
    }

    /// The directive of that name that needs no number; `nil` when there is none.
    static func flag(_ name: Span<UInt8>) -> Flags? {
        switch name.count {
        case 6 where name.equalsIgnoringCase("public"): .isPublic
        case 7 where name.equalsIgnoringCase("private"): .isPrivate
        case 8 where name.equalsIgnoringCase("no-store"): .noStore
        case 8 where name.equalsIgnoringCase("no-cache"): .noCache
        case 9 where name.equalsIgnoringCase("immutable"): .immutable
        case 12 where name.equalsIgnoringCase("no-transform"): .noTransform
        case 14 where name.equalsIgnoringCase("only-if-cached"): .onlyIfCached
        case 15 where name.equalsIgnoringCase("must-revalidate"): .mustRevalidate
        case 15 where name.equalsIgnoringCase("must-understand"): .mustUnderstand
        case 16 where name.equalsIgnoringCase("proxy-revalidate"): .proxyRevalidate
        default: nil
        }
    }

    /// The directive of that name that has a number of seconds; `nil` when there is none.
    static func timed(_ name: Span<UInt8>) -> Timed? {
        switch name.count {
        case 7 where name.equalsIgnoringCase("max-age"): .maxAge
        case 8 where name.equalsIgnoringCase("s-maxage"): .sharedMaxAge
        case 9 where name.equalsIgnoringCase("max-stale"): .maxStale
        case 9 where name.equalsIgnoringCase("min-fresh"): .minFresh
        case 14 where name.equalsIgnoringCase("stale-if-error"): .staleIfError
        case 22 where name.equalsIgnoringCase("stale-while-revalidate"): .staleWhileRevalidate
        default: nil
        }
    }

    /// The value of a delta-seconds argument, in quotes or not (§1.2.2, §5.2): above 2³¹ it is 2³¹, anything
    /// but digits is 0.
    static func deltaSeconds(_ argument: Span<UInt8>) -> UInt32 {
        var digits = argument.trimmed
        let quote = UInt8(ascii: "\"")
        if digits.count >= 2, digits[0] == quote, digits[digits.count - 1] == quote {
            digits = digits.extracting(1..<digits.count - 1)
        }
        guard digits.count > 0 else { return 0 }
        for i in digits.indices where !ASCII.isDigit(digits[i]) { return 0 }
        // All digits, so a failure means beyond 64 bits.
        let value = digits.decimalValue ?? .max
        return UInt32(min(value, UInt64(CacheBounds.deltaSecondsMax)))
    }
}
