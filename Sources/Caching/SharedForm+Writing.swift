import HTTPModel
public import Primitives

extension SharedForm {
    /// The bytes of a stored answer; `nil` for parts of one, and for what may not be stored.
    ///
    /// - Parameters:
    ///   - stored: The answer.
    ///   - clock: The present on both clocks, by which its times become those of the calendar.
    ///   - scope: What the key does not say (`SharedAnswer`'s reader must have the same).
    ///   - position: How far the purges of the fleet had been followed when the origin was asked.
    /// - Returns: One block.
    public static func write(
        _ stored: StoredResponse, at clock: ClockReading, scope: UInt64, position: UInt64
    ) -> [UInt8]? {
        let head = stored.head
        guard stored.isWhole, head.isStorable, !head.key.isEmpty else { return nil }
        let blocks = [
            head.key, head.variant.names, head.variant.values, head.bytes, head.unsent,
            head.tags.bytes,
        ]
        var form = SharedFormWriter(
            .answer, reserving: blocksFrom + blocks.reduce(stored.bodyCount) { $0 + $1.count })
        form.append(clock.wall(of: head.requested).nanoseconds)
        form.append(clock.wall(of: head.received).nanoseconds)
        form.append(head.initialAge.count)
        form.append(head.delta.count)
        form.append(head.lifetime.fresh.count)
        form.append(head.lifetime.staleWhileRevalidate.count)
        form.append(head.lifetime.staleIfError.count)
        form.append(UInt64(bitPattern: head.date))
        form.append(scope)
        form.append(position)
        form.append(traits(of: head))
        for block in blocks { form.append(UInt64(block.count)) }
        form.append(UInt64(stored.bodyCount))
        for block in blocks { form.append(block) }
        for segment in stored.body { form.append(segment) }
        return form.finish()
    }

    /// The bytes of the record that names the fields by which the answers of a key vary.
    public static func write(names: [UInt8]) -> [UInt8] {
        var form = SharedFormWriter(.names, reserving: checkedFrom + names.count)
        form.append(names)
        return form.finish()
    }

    private static func traits(of head: CachedHead) -> UInt64 {
        var flags: SharedFlags = []
        if head.lifetime.mustValidate { flags.insert(.mustValidate) }
        if head.lifetime.forbidsStale { flags.insert(.forbidsStale) }
        if head.lifetime.isImmutable { flags.insert(.isImmutable) }
        if head.lifetime.isForEverybody { flags.insert(.isForEverybody) }
        if head.isEncodable { flags.insert(.isEncodable) }
        return UInt64(head.status.code) | UInt64(head.lifetime.source.rawValue) << 16
            | UInt64(head.acceptRanges.rawValue) << 24 | UInt64(flags.rawValue) << 32
    }
}

/// Writes one value.
private struct SharedFormWriter {
    private var bytes: [UInt8] = []

    init(_ kind: SharedForm.Kind, reserving count: Int) {
        bytes.reserveCapacity(count)
        bytes.append(SharedForm.magic)
        bytes.append(SharedForm.version)
        bytes.append(kind.rawValue)
        bytes.append(0)
        bytes.append(0)
        // The checksum's place.
        append(0)
    }

    mutating func append(_ word: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
    }

    mutating func append(_ block: [UInt8]) { bytes.append(block.span) }

    consuming func finish() -> [UInt8] {
        let checksum = SharedForm.checksum(of: bytes.span)
        for i in 0..<8 {
            bytes[8 + i] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * i))
        }
        return bytes
    }
}

extension ClockReading {
    /// What the calendar clock says of a moment before this reading, by this reading: a clock that was set since
    /// then does no harm.
    fileprivate func wall(of moment: MonotonicTime) -> WallTime {
        let ago = monotonic - moment
        return WallTime(nanoseconds: wall.nanoseconds - min(wall.nanoseconds, ago.count))
    }
}
