public import Caching
import EventLoop
public import Primitives
import Synchronization

/// What this process knows of the others that share its Redis. One for the process; any thread reads it, `FleetLink`
/// keeps it.
public final class FleetState: Sendable {
    /// What answers in Redis are compared with, and own purges on their way.
    public let purges: PurgeHistory

    // Relaxed: numbers for people and for shares of limits; they order nothing.
    private let replicas = Atomic<Int>(1)
    private let connected = Atomic<Bool>(false)
    private let readings = Atomic<UInt64>(0)
    private let received = Atomic<UInt64>(0)
    private let sent = Atomic<UInt64>(0)
    private let waiter = Guarded<Waiter?>(nil)

    /// Knows of nobody yet. `seed`: the secret of digests.
    public init(seed: KeyedHasher.Seed) { purges = PurgeHistory(seed: seed) }

    /// Processes that live, this one among them; while Redis is away, those of the last time it was there.
    public var liveReplicas: Int { replicas.load(ordering: .relaxed) }
    /// Whether announcements of purges arrive.
    public var isConnected: Bool { connected.load(ordering: .relaxed) }
    /// How often purges were read that announcements had left out.
    public var catchUps: UInt64 { readings.load(ordering: .relaxed) }
    /// Purges of other processes that were applied here.
    public var receivedPurges: UInt64 { received.load(ordering: .relaxed) }
    /// Purges of this process that Redis has taken.
    public var sentPurges: UInt64 { sent.load(ordering: .relaxed) }

    /// Tells the others what was purged here, as soon as Redis can be reached. From any thread.
    public func spread(_ record: PurgeRecord, at now: MonotonicTime) {
        purges.addOwn(record, at: now)
        waiter.withLock { $0 }?.wake()
    }

    // MARK: For the link

    func setWaiter(_ new: Waiter) { waiter.withLock { $0 = new } }
    func noteReplicas(_ count: Int) { replicas.store(count, ordering: .relaxed) }
    func noteConnected(_ isConnected: Bool) { connected.store(isConnected, ordering: .relaxed) }
    func noteReadings(_ count: UInt64) { readings.store(count, ordering: .relaxed) }
    func noteReceived() { received.add(1, ordering: .relaxed) }
    func noteSent(_ count: Int) { sent.add(UInt64(count), ordering: .relaxed) }
}
