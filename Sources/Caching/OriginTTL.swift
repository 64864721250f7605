import HTTPModel
import Primitives

/// The lifetime that an origin names for this cache alone, in a field that the configuration chooses
/// (`origin_ttl: X-Accel-Expires`). Clients do not get the field.
///
///     X-Accel-Expires: 300            five minutes from the receipt
///     X-Accel-Expires: @1790812800    until that second of Unix time
///     X-Accel-Expires: 0, or off      not stored
enum OriginTTL: Equatable {
    /// The field is not looked at, not there or cannot be read.
    case none
    /// The answer is not stored.
    case refuse
    /// The time from the receipt on.
    case fresh(Nanoseconds)

    /// Reads the first of the fields called as the policy says. Seconds beyond 2³¹ count as 2³¹.
    init(of fields: borrowing FieldList, policy: borrowing CachePolicy, receivedAt now: UInt64) {
        self = .none
        let name = policy.originTTLName
        guard !name.isEmpty else { return }
        for index in fields.indices where fields.name(at: index).equalsIgnoringCase(name.span) {
            self = OriginTTL.read(fields.value(at: index).trimmed, now)
            return
        }
    }

    private static func read(_ text: Span<UInt8>, _ now: UInt64) -> OriginTTL {
        if text.equalsIgnoringCase("off") { return .refuse }
        guard text.count > 0, text[0] == UInt8(ascii: "@") else {
            guard let seconds = text.decimalValue else { return .none }
            return seconds == 0 ? .refuse : .fresh(capped(seconds))
        }
        guard let end = text.extracting(1..<text.count).decimalValue else { return .none }
        return .fresh(capped(end > now ? end - now : 0))
    }

    private static func capped(_ seconds: UInt64) -> Nanoseconds {
        .seconds(min(seconds, UInt64(CacheBounds.deltaSecondsMax)))
    }
}
