internal import CLinux
import Synchronization

/// Which thread a loop belongs to.
struct OwnerThread: ~Copyable {
    // Relaxed: a thread asks only about itself, and it sees its own store.
    private let thread = Atomic<UInt>(0)

    /// Makes the calling thread the owner.
    func claim() { thread.store(UInt(weir_thread()), ordering: .relaxed) }

    /// Whether the calling thread is the owner.
    var isCurrent: Bool { weir_is_thread(uintptr_t(thread.load(ordering: .relaxed))) != 0 }
}
