public import HTTPModel
import Primitives

extension Fill {
    /// Attaches a reader at the beginning; `nil` when the fill has failed, dropped a part or is full.
    public func join() -> FillReader? {
        state.withLock { $0.join(isOwner: false) }
    }

    /// Attaches the client whose request began the fill: it gets the answer also when nobody else may.
    func joinAsOwner() -> FillReader? {
        state.withLock { $0.join(isOwner: true) }
    }

    /// The reader's next step.
    ///
    /// - Parameters:
    ///   - reader: From `join` or a lookup.
    ///   - request: The reader's request: whether an answer that varies is for it shows with the head.
    ///   - wake: Called once, from any thread, when the step was `wait` and something changed.
    /// - Returns: What to do; after `end`, `stored`, `failed` and `released` the reader has left.
    public func next(
        _ reader: FillReader, request: borrowing RequestHead,
        wake: @escaping @Sendable () -> Void
    ) -> FillStep {
        let (step, leader) = state.withLock { state in
            let step = state.next(reader, wake: wake) { head in
                release(of: head, for: request.fields)
            }
            return (step, state.takeLeaderWake())
        }
        leader?()
        return step
    }

    /// Detaches a reader. Doing it twice, or after a last step, does nothing.
    public func leave(_ reader: FillReader) {
        let leader = state.withLock { state in
            state.leave(reader)
            return state.takeLeaderWake()
        }
        leader?()
    }

    private func release(of head: CachedHead, for request: borrowing FieldList) -> FillRelease? {
        if !hasIdentity && request.hasCredentials && !head.lifetime.isForEverybody {
            return .notShared
        }
        var scratch: [UInt8] = []
        return head.variant.matches(request, scratch: &scratch) ? nil : .otherVariant
    }
}
