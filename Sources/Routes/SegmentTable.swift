import Primitives

/// All literal segments of a route table, each with a small number: one look-up per request segment,
/// whatever the number of routes.
///
/// An open hash table at most half full. It holds only what the configuration says and never grows while
/// requests run, so clients cannot flood it.
struct SegmentTable: Sendable {
    private var bytes: [UInt8] = []
    private var ranges: [ByteRange] = []
    /// Number + 1 of the segment in each slot; 0: empty.
    private var slots: [UInt32] = []

    /// Creates the table of `literals`; equal ones share a number.
    init(_ literals: Set<[UInt8]>) {
        var size = 4
        while size < literals.count * 2 { size *= 2 }
        slots = Array(repeating: 0, count: size)
        for literal in literals.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let start = bytes.count
            bytes += literal
            ranges.append(ByteRange(start: start, count: literal.count))
            var slot = SegmentTable.hash(literal.span) & (size - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = UInt32(ranges.count)
        }
    }

    /// The number of `segment`, or `nil` when no pattern has it.
    @inline(__always)
    func number(of segment: Span<UInt8>) -> Int? {
        let mask = slots.count - 1
        var slot = SegmentTable.hash(segment) & mask
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if bytes.span(ranges[number]).equals(segment) { return number }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// FNV-1a with its upper bits folded in, since the lower ones choose the slot.
    private static func hash(_ segment: Span<UInt8>) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for i in segment.indices { hash = (hash ^ UInt64(segment[i])) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: (hash ^ (hash >> 32)) & 0xFFFF_FFFF)
    }
}
