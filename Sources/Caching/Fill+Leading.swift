public import HTTPModel
public import Primitives

extension Fill {
    /// Gives the head of an interim answer to the first client (RFC 9110 §15.2); beyond a bound it is lost.
    public func publishInterim(_ head: [UInt8]) {
        notify { state in
            guard case .waiting = state.phase,
                state.interims.count < CacheBounds.interimsPerFill
            else { return }
            state.interims.append(head)
        }
    }

    /// Gives the head to the readers.
    ///
    /// A head that is not storable, must be validated on each use or has no lifetime left is not shared: all
    /// readers but the owner are released at once, and the key is remembered for a short time, so that the
    /// next requests do not wait for each other.
    ///
    /// - Parameters:
    ///   - head: The head of the whole answer.
    ///   - part: What of it will be appended, where that is not all.
    ///   - status: What the origin answered, where that is not the head's.
    public func publish(_ head: CachedHead, part: BodySlice? = nil, status: Status? = nil) {
        let isShareable = Fill.isShareable(head)
        if !isShareable { store.pass(self, at: head.received) }
        if !head.isStorable && Fill.replacesStored(head.status) { store.discardStored(of: self) }
        notify { state in
            guard case .waiting = state.phase else { return }
            state.phase = .streaming(head)
            state.head = head
            state.origin = Origin(part: part, status: status?.code)
            if !isShareable { state.isShared = false }
            if !head.isStorable { state.turnToWindow() }
        }
    }

    /// Appends a part of the body. An empty part is nothing.
    public func append(_ segment: [UInt8]) -> FillAppend {
        guard !segment.isEmpty else { return .more }
        let isRoom = store.reserveFillBytes(segment.count)
        var outgrown = false
        var result = FillAppend.more
        notify { state in
            guard case .streaming = state.phase else {
                store.returnFillBytes(isRoom ? segment.count : 0)
                result = .unwanted
                return
            }
            state.append(segment)
            if state.keepsAll && (!isRoom || state.received > bytesMax) {
                outgrown = true
                store.returnFillBytes(state.received - (isRoom ? 0 : segment.count))
                state.turnToWindow()
            } else if !state.keepsAll {
                store.returnFillBytes(isRoom ? segment.count : 0)
                state.dropRead()
            }
            guard !state.keepsAll else { return }
            guard let lag = state.lag else {
                result = .unwanted
                return
            }
            result = lag >= CacheBounds.windowBytes ? .full : .more
        }
        if outgrown { store.forget(self, isTooLarge: true) }
        return result
    }

    /// Calls `wake` once when the slowest reader has caught up, the readers have left or the fill has ended.
    ///
    /// - Returns: `true` when that is so already; `wake` is then not called.
    public func whenDrained(wake: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            if state.hasEnded || (state.lag ?? 0) < CacheBounds.windowBytes { return true }
            state.setLeaderWake(wake)
            return false
        }
    }

    /// Ends the body, stores the answer if it may be, and tells the readers.
    ///
    /// - Parameter now: The present, up to which the origin's time is measured.
    /// - Returns: The stored answer; `nil` when it was not stored, also when the body was shorter or longer
    ///   than its Content-Length, which fails the fill.
    @discardableResult
    public func finish(at now: MonotonicTime) -> StoredResponse? {
        let whole = state.withLock { state -> (CachedHead, [[UInt8]]?, BodySlice?)? in
            guard case .streaming(let head) = state.phase else { return nil }
            let part = state.origin.part
            let length = part.map { UInt64($0.count) } ?? head.contentLength
            if let length, length != UInt64(state.received) { return nil }
            return (head, state.keepsAll && head.isStorable ? state.segments : nil, part)
        }
        guard let (head, segments, part) = whole else {
            fail(.incomplete, at: now)
            return nil
        }
        var stored: StoredResponse?
        if let segments, let part {
            let length = Int(clamping: head.contentLength ?? 0)
            let response = Fill.part(head, segments, part, of: length, at: now)
            if store.complete(self, withPart: response) { stored = response }
        } else if let segments {
            let body = Fill.joined(segments)
            let count = body.reduce(0) { $0 + $1.count }
            let complete = CachedHead(head, bodyCount: count, finished: now)
            let response = StoredResponse(head: complete, body: body)
            // In the store before the readers hear of the end: who asks after it gets a hit.
            if store.complete(self, with: response) { stored = response }
        } else {
            store.forget(self)
        }
        end { $0.phase = .complete(head) }
        return stored
    }

    /// Ends the fill with a whole answer: the stored one, freshened by a 304.
    ///
    /// The readers get it in place of a head, if it may be shared; it replaces the old one in the store.
    ///
    /// - Returns: Whether it is in the store.
    @discardableResult
    public func complete(with response: StoredResponse) -> Bool {
        let isShareable = Fill.isShareable(response.head)
        var isStored = false
        if !isShareable { store.pass(self, at: response.head.received) }
        if response.head.isStorable {
            isStored = store.complete(self, with: response)
        } else {
            store.discardStored(of: self)
            store.forget(self)
        }
        end { state in
            if !isShareable { state.isShared = false }
            state.phase = .replaced(response, .validated)
        }
        return isStored
    }

    /// Ends the fill with a fresh answer that another process had put into Redis: the origin is not asked.
    public func complete(withShared response: StoredResponse) {
        _ = store.complete(self, with: response)
        end { $0.phase = .replaced(response, .shared) }
    }

    /// Ends the fill with a stale answer from Redis that may be served while it is fetched again: it is put into the
    /// store, and the readers look there again.
    ///
    /// - Returns: Whether it is in the store; otherwise the fill goes on.
    public func complete(withStale response: StoredResponse) -> Bool {
        guard store.complete(self, with: response) else { return false }
        end { $0.phase = .replaced(response, .kept) }
        return true
    }

    /// Ends the fill with the stale answer, because the origin failed and `mayServeStale(onErrorAt:)` allows
    /// it. For a second the origin is not asked again.
    ///
    /// Unless `toAll`, the first client alone allows that, and all others go upstream themselves.
    public func serveStale(
        _ response: StoredResponse, at now: MonotonicTime, toAll: Bool = true
    ) {
        store.hold(self, response, until: now + CacheBounds.errorHold)
        store.forget(self)
        end { state in
            if !toAll { state.isShared = false }
            state.phase = .replaced(response, .stale)
        }
    }

    /// Ends the fill without an answer; what has come of one may be kept. Readers that have a head must break
    /// their connections.
    public func fail(_ reason: FillFailure, at now: MonotonicTime) {
        if let stored { store.hold(self, stored, until: now + CacheBounds.errorHold) }
        if reason == .incomplete { keepReceived(at: now) }
        store.forget(self)
        end { $0.phase = .failed(reason) }
    }

    /// Ends the fill because its answer goes to the first client alone, by another way: all readers go
    /// upstream themselves, and the key is remembered as not shareable for a short time.
    public func release(at now: MonotonicTime) {
        store.pass(self, at: now)
        store.forget(self)
        end { $0.phase = .released }
    }

    /// Whether the answer may go to requests other than the one it was fetched for (RFC 9111 §4).
    private static func isShareable(_ head: CachedHead) -> Bool {
        head.isStorable && !head.lifetime.mustValidate && head.initialAge < head.lifetime.fresh
    }

    /// Whether an answer that is not stored itself tells that the stored one is wrong (RFC 9111 §4.3.3). Errors
    /// of the moment do not.
    private static func replacesStored(_ status: Status) -> Bool {
        status.code < 400 || status == 404 || status == 410
    }

    /// Changes the state and then calls who waits.
    private func notify(_ change: (inout FillState) -> Void) {
        let wakes = state.withLock { state in
            change(&state)
            return (state.takeWakes(), state.takeLeaderWake())
        }
        for wake in wakes.0 { wake() }
        wakes.1?()
    }

    private func end(_ change: (inout FillState) -> Void) {
        notify { state in
            guard !state.hasEnded else { return }
            if state.keepsAll { store.returnFillBytes(state.received) }
            change(&state)
        }
    }

    /// Small parts joined into larger ones, so that a hit is written in few pieces.
    static func joined(_ segments: [[UInt8]]) -> [[UInt8]] {
        let count = segments.reduce(0) { $0 + $1.count }
        guard segments.count > 1, count / segments.count < CacheBounds.segmentBytesJoined else {
            return segments
        }
        var out: [[UInt8]] = []
        var rest = count
        var current: [UInt8] = []
        for segment in segments {
            if current.isEmpty {
                current.reserveCapacity(
                    max(segment.count, min(rest, CacheBounds.segmentBytesJoined)))
            } else if current.count + segment.count > CacheBounds.segmentBytesJoined {
                out.append(current)
                current = []
                current.reserveCapacity(
                    max(segment.count, min(rest, CacheBounds.segmentBytesJoined)))
            }
            current.append(segment.span)
            rest -= segment.count
        }
        out.append(current)
        return out
    }
}
