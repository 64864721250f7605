import HTTPModel
public import Primitives

extension SharedForm {
    /// Reads a value; whatever the bytes are, it ends with a word for what is wrong with them.
    ///
    /// The answer's age is what it was on its writer's clock, plus the time since then by this machine's calendar: with
    /// clocks that differ by d it is wrong by d, and never below what it was on arrival.
    ///
    /// - Parameters:
    ///   - bytes: The value.
    ///   - clock: The present on both clocks.
    ///   - scope: What the key does not say, here.
    /// - Returns: What it says.
    public static func read(
        _ bytes: Span<UInt8>, at clock: ClockReading, scope: UInt64
    ) -> Reading {
        guard bytes.count >= checkedFrom, bytes.starts(with: magic) else {
            return .unusable(.foreign)
        }
        guard bytes[4] == version, bytes[6] == 0, bytes[7] == 0 else { return .unusable(.version) }
        guard bytes.littleEndianWord(at: 8) == checksum(of: bytes) else {
            return .unusable(.checksum)
        }
        switch Kind(rawValue: bytes[5]) {
        case .names:
            let names = bytes.extracting(checkedFrom..<bytes.count)
            guard names.count > 0, lines(names, areNames: true) != nil else {
                return .unusable(.variant)
            }
            return .names(names.copied)
        case .answer: return readAnswer(bytes, at: clock, scope: scope)
        case nil: return .unusable(.version)
        }
    }

    /// What the first bytes of a value say, without its checksum: enough to remove it, not to use it.
    public enum Beginning: Sendable, Equatable {
        /// There is no value.
        case none
        /// An answer, and how far its writer had followed purges.
        case answer(PurgePosition)
        /// The record of what a key's answers vary by.
        case names
        /// Another version's, to be left to that.
        case otherVersion
        /// No value of ours.
        case foreign
    }

    /// As many bytes as tell the beginning.
    public static let beginningCount = 96

    /// Reads the first bytes of a value, `beginningCount` of them where it has so many.
    public static func readBeginning(_ bytes: Span<UInt8>) -> Beginning {
        guard bytes.count > 0 else { return .none }
        guard bytes.count >= checkedFrom, bytes.starts(with: magic) else { return .foreign }
        guard bytes[4] == version, bytes[6] == 0, bytes[7] == 0 else { return .otherVersion }
        switch Kind(rawValue: bytes[5]) {
        case .names: return .names
        case .answer:
            guard bytes.count >= beginningCount else { return .foreign }
            return .answer(PurgePosition(word: bytes.littleEndianWord(at: 88)))
        case nil: return .otherVersion
        }
    }

    private static func readAnswer(
        _ bytes: Span<UInt8>, at clock: ClockReading, scope: UInt64
    ) -> Reading {
        guard bytes.count >= blocksFrom else { return .unusable(.lengths) }
        func word(_ index: Int) -> UInt64 { bytes.littleEndianWord(at: index) }
        guard word(80) == scope else { return .unusable(.scope) }
        var ranges: [Range<Int>] = []
        var position = blocksFrom
        for place in stride(from: 104, to: blocksFrom, by: 8) {
            guard let count = Int(exactly: word(place)), count <= bytes.count - position else {
                return .unusable(.lengths)
            }
            ranges.append(position..<position + count)
            position += count
        }
        guard position == bytes.count else { return .unusable(.lengths) }
        guard ranges[0].count > 0 else { return .unusable(.key) }
        let names = bytes.extracting(ranges[1])
        let values = bytes.extracting(ranges[2])
        guard let count = lines(names, areNames: true), count == lines(values, areNames: false)
        else { return .unusable(.variant) }
        guard let tags = CacheTags(packed: bytes.extracting(ranges[5])) else {
            return .unusable(.tags)
        }
        let received = WallTime(nanoseconds: word(24))
        guard received <= clock.wall + CacheBounds.clockSkew else { return .unusable(.future) }
        guard let date = date(word(72)) else { return .unusable(.times) }
        guard let traits = Traits(word(96)), SharedFields.areLines(bytes.extracting(ranges[4])),
            let fields = SharedFields(
                bytes.extracting(ranges[3]), status: traits.status, bodyCount: ranges[6].count)
        else { return .unusable(.head) }
        // What the monotonic clock cannot tell, because the machine has started since, is age.
        let elapsed = clock.wall - received
        let known = min(elapsed, Nanoseconds(clock.monotonic.nanoseconds))
        let asked = clock.wall - WallTime(nanoseconds: word(16))
        let head = CachedHead(
            shared: fields, status: traits.status, key: bytes.extracting(ranges[0]).copied,
            variant: VariantKey(names: names.copied, values: values.copied),
            unsent: bytes.extracting(ranges[4]).copied, contentLength: UInt64(ranges[6].count),
            acceptRanges: traits.acceptRanges, date: date,
            lifetime: traits.lifetime(word(48), word(56), word(64)),
            initialAge: Nanoseconds(word(32)) + (elapsed - known),
            requested: clock.monotonic.earlier(by: max(asked, elapsed)),
            received: clock.monotonic.earlier(by: known),
            delta: Nanoseconds(word(40)), tags: tags,
            isEncodable: traits.flags.contains(.isEncodable))
        let stored = StoredResponse(head: head, body: segments(bytes.extracting(ranges[6])))
        return .answer(SharedAnswer(stored: stored, position: word(88)))
    }

    /// The number of lines, each ended by a line feed; `nil` when the last one is not, or of names when one is none, or
    /// when they are too many.
    private static func lines(_ bytes: Span<UInt8>, areNames: Bool) -> Int? {
        var count = 0
        var start = 0
        while let end = bytes.firstIndex(of: ASCII.lf, from: start) {
            if areNames {
                guard end > start else { return nil }
                for i in start..<end
                where !ASCII.isToken(bytes[i]) || ASCII.lower(bytes[i]) != bytes[i] { return nil }
            }
            count += 1
            start = end + 1
        }
        return start == bytes.count && count <= CacheBounds.varyNamesMax ? count : nil
    }

    /// Seconds since 1970, not beyond the year 9999.
    private static func date(_ word: UInt64) -> Int64? {
        guard let date = Int64(exactly: word), date < 253_402_300_800 else { return nil }
        return date
    }

    private static func segments(_ body: Span<UInt8>) -> [[UInt8]] {
        var segments: [[UInt8]] = []
        var start = 0
        while start < body.count {
            let end = min(start + CacheBounds.segmentBytesJoined, body.count)
            segments.append(body.extracting(start..<end).copied)
            start = end
        }
        return segments
    }

    /// What stands in the word at 96.
    private struct Traits {
        let status: Status
        let source: Lifetime.Source
        let acceptRanges: AcceptRanges
        let flags: SharedFlags

        init?(_ word: UInt64) {
            guard let status = Status(code: word & 0xFFFF), (200...599).contains(status.code),
                let source = Lifetime.Source(rawValue: UInt8(truncatingIfNeeded: word >> 16)),
                let ranges = AcceptRanges(rawValue: UInt8(truncatingIfNeeded: word >> 24)),
                word >> 32 <= UInt64(SharedFlags.all.rawValue)
            else { return nil }
            self.status = status
            self.source = source
            acceptRanges = ranges
            flags = SharedFlags(rawValue: UInt8(truncatingIfNeeded: word >> 32))
        }

        func lifetime(_ fresh: UInt64, _ revalidate: UInt64, _ onError: UInt64) -> Lifetime {
            Lifetime(
                fresh: Nanoseconds(fresh), source: source,
                staleWhileRevalidate: Nanoseconds(revalidate), staleIfError: Nanoseconds(onError),
                mustValidate: flags.contains(.mustValidate),
                forbidsStale: flags.contains(.forbidsStale),
                isImmutable: flags.contains(.isImmutable),
                isForEverybody: flags.contains(.isForEverybody))
        }
    }
}

extension MonotonicTime {
    /// The moment `time` ago, or the clock's start.
    fileprivate func earlier(by time: Nanoseconds) -> MonotonicTime {
        MonotonicTime(nanoseconds: (Nanoseconds(nanoseconds) - time).count)
    }
}
