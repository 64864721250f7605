/// Which parts of a body are stored, where not all of it is (RFC 9111 §3.3, §3.4).
///
///     the whole     0 ───────────────────────────── length
///     slices            [═════]      [════]             ascending, with a gap between any two
///     stored            [═════][════]                    the segments, one behind the other
public struct BodyParts: Sendable, Equatable {
    /// The parts, in ascending order; none touches another, and together they are not all.
    public let slices: [BodySlice]
    /// The length of the whole body in bytes.
    public let length: Int

    /// - Parameters:
    ///   - slices: One or more, ascending, none overlapping another; those that touch become one.
    ///   - length: The length of the whole body.
    init(_ slices: [BodySlice], of length: Int) {
        var joined: [BodySlice] = []
        for slice in slices {
            if let last = joined.last, last.end == slice.start {
                joined[joined.count - 1] = BodySlice(last.start, slice.end)
            } else {
                joined.append(slice)
            }
        }
        precondition((joined.last?.end ?? 0) <= length)
        self.slices = joined
        self.length = length
    }

    /// Whether all is there.
    var areWhole: Bool { slices.count == 1 && slices[0] == BodySlice(0, length) }

    /// Whether all bytes of `slice` are there.
    public func contain(_ slice: BodySlice) -> Bool {
        slices.contains { $0.contains(slice) }
    }

    /// Where among the stored bytes the byte `number` of the whole stands; it must be there.
    func position(of number: Int) -> Int {
        var before = 0
        for slice in slices {
            if number < slice.end && number >= slice.start { return before + number - slice.start }
            before += slice.count
        }
        preconditionFailure("byte \(number) is not stored")
    }

    /// The bytes from the first to the last that is missing: what one request must bring to make it whole.
    public var gap: BodySlice {
        let first = slices[0].start == 0 ? slices[0].end : 0
        let last = slices[slices.count - 1]
        let end = last.end == length ? last.start : length
        return BodySlice(first, end)
    }
}
