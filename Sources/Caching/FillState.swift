import HTTPModel
import Primitives

/// What a fill's lock guards. Closures that must be called are handed out, never called here.
///
///     segments   [dropped …|  5  |  6  |  7  |]      absolute numbers
///     readers             ▲ slowest        ▲ fastest
struct FillState: Sendable {
    typealias Wake = @Sendable () -> Void

    enum Phase: Sendable {
        case waiting
        case streaming(CachedHead)
        case complete(CachedHead)
        case replaced(StoredResponse, FillSource)
        case failed(FillFailure)
        case released
    }

    struct Reader: Sendable {
        var serial: UInt32
        var isOwner: Bool
        var hasHead = false
        /// Interim answers taken.
        var interims = 0
        /// The absolute number of the next segment.
        var next = 0
        /// Bytes read.
        var offset = 0
        var wake: Wake?
    }

    var phase = Phase.waiting
    /// What of the answer is fetched.
    var origin = Fill.Origin(part: nil, status: nil)
    /// The head, once there is one, also after a failure.
    var head: CachedHead?
    /// Whether requests other than the first one get this answer.
    var isShared: Bool
    /// Whether all segments are kept: for the store and for readers yet to come.
    var keepsAll = true
    var segments: [[UInt8]] = []
    /// Heads of interim answers, for the owner.
    var interims: [[UInt8]] = []
    private(set) var dropped = 0
    private(set) var received = 0
    private(set) var readers: [Reader?] = []
    private var serial: UInt32 = 0
    private(set) var readerCount = 0
    private var leaderWake: Wake?

    init(isShared: Bool) { self.isShared = isShared }

    /// Whether no more can come.
    var hasEnded: Bool {
        switch phase {
        case .waiting, .streaming: false
        default: true
        }
    }
}

// MARK: The leader's side

extension FillState {
    mutating func append(_ segment: [UInt8]) {
        segments.append(segment)
        received += segment.count
    }

    /// Stops keeping: from here on only what some reader still needs stays.
    mutating func turnToWindow() {
        keepsAll = false
        isShared = false
        dropRead()
    }

    /// Bytes by which the slowest attached reader lags; `nil` without readers.
    var lag: Int? {
        var slowest: Int?
        for case .some(let reader) in readers where concerns(reader) {
            slowest = min(slowest ?? .max, reader.offset)
        }
        return slowest.map { received - $0 }
    }

    /// Readers that will be released do not hold the leader up.
    private func concerns(_ reader: Reader) -> Bool {
        reader.isOwner || reader.hasHead || isShared
    }

    mutating func setLeaderWake(_ wake: @escaping Wake) { leaderWake = wake }

    /// Drops segments that all readers have, and hands out the leader's closure when there is room again.
    mutating func dropRead() {
        guard !keepsAll else { return }
        var first = dropped + segments.count
        for case .some(let reader) in readers where concerns(reader) {
            first = min(first, reader.next)
        }
        segments.removeFirst(first - dropped)
        dropped = first
    }

    /// The leader's closure, when it need not wait any longer.
    mutating func takeLeaderWake() -> Wake? {
        guard leaderWake != nil, hasEnded || (lag ?? 0) < CacheBounds.windowBytes / 2 else {
            return nil
        }
        defer { leaderWake = nil }
        return leaderWake
    }

    /// The closures of all readers that wait.
    mutating func takeWakes() -> [Wake] {
        var wakes: [Wake] = []
        for i in readers.indices {
            guard let wake = readers[i]?.wake else { continue }
            wakes.append(wake)
            readers[i]?.wake = nil
        }
        return wakes
    }
}

// MARK: The readers' side

extension FillState {
    mutating func join(isOwner: Bool) -> FillReader? {
        guard dropped == 0, readerCount < CacheBounds.readersPerFill, isOwner || isShared else {
            return nil
        }
        switch phase {
        case .failed, .released: return nil
        default: break
        }
        serial &+= 1
        readerCount += 1
        let reader = Reader(serial: serial, isOwner: isOwner)
        if let free = readers.firstIndex(where: { $0 == nil }) {
            readers[free] = reader
            return FillReader(slot: UInt32(free), serial: serial, isOwner: isOwner)
        }
        readers.append(reader)
        return FillReader(slot: UInt32(readers.count - 1), serial: serial, isOwner: isOwner)
    }

    mutating func leave(_ id: FillReader) {
        guard reader(id) != nil else { return }
        readers[Int(id.slot)] = nil
        readerCount -= 1
        while let last = readers.last, last == nil { readers.removeLast() }
        dropRead()
    }

    private func reader(_ id: FillReader) -> Reader? {
        guard Int(id.slot) < readers.count, let reader = readers[Int(id.slot)],
            reader.serial == id.serial
        else { return nil }
        return reader
    }

    /// The reader's next step. After a last one (`end`, `stored`, `failed`, `released`) it has left.
    mutating func next(
        _ id: FillReader, wake: @escaping Wake, isMine: (CachedHead) -> FillRelease?
    ) -> FillStep {
        guard var reader = reader(id) else { return .failed(.abandoned) }
        let step = step(&reader, isMine: isMine)
        switch step {
        case .end, .stored, .failed, .released:
            leave(id)
        case .wait:
            reader.wake = wake
            readers[Int(id.slot)] = reader
        case .head, .segment, .interim:
            readers[Int(id.slot)] = reader
            dropRead()
        }
        return step
    }

    private func step(_ reader: inout Reader, isMine: (CachedHead) -> FillRelease?) -> FillStep {
        if !reader.hasHead {
            if reader.isOwner && reader.interims < interims.count {
                reader.interims += 1
                return .interim(interims[reader.interims - 1])
            }
            switch phase {
            case .waiting: return .wait
            case .released: return .released(.notShared)
            case .failed(let reason): return .failed(reason)
            case .replaced(let stored, let source):
                if let release = release(reader, stored.head, isMine) { return .released(release) }
                return .stored(stored, source)
            case .streaming(let head), .complete(let head):
                if let release = release(reader, head, isMine) { return .released(release) }
                reader.hasHead = true
                return .head(head)
            }
        }
        let position = reader.next - dropped
        if position < segments.count {
            let segment = segments[position]
            reader.next += 1
            reader.offset += segment.count
            return .segment(segment)
        }
        switch phase {
        case .complete: return .end
        case .failed(let reason): return .failed(reason)
        default: return .wait
        }
    }

    private func release(
        _ reader: Reader, _ head: CachedHead, _ isMine: (CachedHead) -> FillRelease?
    ) -> FillRelease? {
        if reader.isOwner { return nil }
        return isShared ? isMine(head) : .notShared
    }
}
