import EventLoop

/// Something a simulated epoll can watch.
class Pollable {
    /// Where it is watched, at most once.
    var registration: Registration?

    /// What is true of it now, in epoll's terms.
    func readiness() -> Readiness { [] }

    /// Something has happened to it: the next wait reports all that is true then and asked for.
    final func edge() { registration?.queue() }

    /// There is space again.
    final func spaceEdge() {
        if registration?.watchesWriting ?? false { edge() }
    }
}

/// One watched descriptor of a simulated epoll.
final class Registration {
    let token: UInt64
    let source: Pollable
    private(set) var watchesWriting: Bool
    private let poll: Poll
    private(set) var isQueued = false
    private var isForgotten = false

    init(token: UInt64, source: Pollable, poll: Poll, watchesWriting: Bool) {
        self.token = token
        self.source = source
        self.poll = poll
        self.watchesWriting = watchesWriting
    }

    /// Tells of space to write from now on; as in Linux what is true already is an edge.
    func watchWriting() {
        watchesWriting = true
        queue()
    }

    func queue() {
        guard !isQueued && !isForgotten else { return }
        isQueued = true
        poll.queued.append(self)
    }

    /// The event for a wait; `nil` when the cause of the edge is gone.
    func take() -> PollEvent? {
        isQueued = false
        guard !isForgotten else { return nil }
        var readiness = source.readiness()
        // An end is told to all.
        if !watchesWriting { readiness.remove(.writable) }
        return readiness.isEmpty ? nil : PollEvent(token: token, readiness: readiness)
    }

    /// The descriptor was closed.
    func forget() {
        isForgotten = true
        source.registration = nil
    }
}

/// A simulated epoll: what has had an edge since the last wait.
///
/// As in Linux an edge puts a descriptor on the list, whatever caused it, and the wait reports
/// everything that is true of it by then: an edge of new bytes also tells that it is writable.
final class Poll: Pollable {
    var queued: [Registration] = []
}

/// A simulated eventfd, always readable as the loop never reads it: each wake is an edge.
final class WakeSource: Pollable {
    /// What runs after each wake, where a thread waits for it instead of a loop.
    var thread: (@Sendable () -> Void)?

    override func readiness() -> Readiness { .readable }
}

/// A simulated signalfd.
final class SignalQueue: Pollable {
    var pending: [Int32] = []
    let signals: [Int32]

    init(_ signals: [Int32]) { self.signals = signals }

    override func readiness() -> Readiness { pending.isEmpty ? [] : .readable }
}
