import Caching
import HTTPModel
import Primitives

/// What an answer says it cost, in a field of its own: `X-Cost: 12`.
enum LimitCost {
    /// The most units that a field can charge.
    static let unitsMax: UInt32 = 1_000_000

    /// The units in the only field named `name` (lower case); `nil` when there is none, or several, or it is no
    /// number.
    static func units(named name: [UInt8], in fields: borrowing FieldList) -> UInt32? {
        var found: Int?
        for index in fields.indices where fields.name(at: index).equalsIgnoringCase(name.span) {
            if found != nil { return nil }
            found = index
        }
        guard let found else { return nil }
        return units(fields.value(at: found))
    }

    /// The same of a head that was prepared for the cache.
    static func units(named name: [UInt8], in head: CachedHead) -> UInt32? {
        guard let range = head.onlyValue(of: name.span) else { return nil }
        let bytes = head.bytes
        return units(bytes.span(range))
    }

    /// A number of digits and nothing else; what is above `unitsMax` counts as that.
    private static func units(_ value: Span<UInt8>) -> UInt32? {
        guard !value.isEmpty else { return nil }
        var units: UInt32 = 0
        for index in value.indices {
            guard ASCII.isDigit(value[index]) else { return nil }
            units = min(units * 10 + UInt32(value[index] - UInt8(ascii: "0")), unitsMax)
        }
        return units
    }
}
