public import Synchronization

/// A value that several threads change, one at a time: a `Mutex` whose order the thread sanitizer sees too.
///
/// On Linux a `Mutex` is a futex of the standard library's own, of which the sanitizer knows nothing: what two
/// threads do under the same lock looks to it like a race. A build with `TSAN` defined (`make tsan`)
/// therefore also says with an atomic what the lock guarantees: who enters sees what the last one did.
/// Every other build is the bare `Mutex`.
public struct Guarded<Value: ~Copyable>: ~Copyable, Sendable {
    @usableFromInline let mutex: Mutex<Value>
    #if TSAN
        @usableFromInline let order = Atomic<Int>(0)
    #endif

    /// Guards `value` from now on.
    @inlinable
    public init(_ value: consuming sending Value) { mutex = Mutex(value) }

    /// Runs `body` with the value once no other thread does, and returns what it returns.
    ///
    /// Not reentrant, and nothing that waits belongs in `body`.
    @inlinable
    @inline(__always)
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        #if TSAN
            return try mutex.withLock { value throws(Failure) in
                _ = order.load(ordering: .acquiring)
                defer { order.store(0, ordering: .releasing) }
                return try body(&value)
            }
        #else
            return try mutex.withLock(body)
        #endif
    }
}
