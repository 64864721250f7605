import Caching
import EventLoop
import HTTPModel
import Primitives
import RedisClient

/// One fetch for all replicas (`collapse: cluster`): whoever takes the lease asks the origin, the others wait for its
/// answer in Redis. Clients wait with them only where nothing that is stored may be served.
extension CacheFetch {
    /// Takes the lease, or waits for the answer of whoever has it.
    ///
    /// A holder that dies costs the others what is left of its lease. When Redis does not answer, the answer cannot be
    /// shared or the wait takes too long, this process fetches for itself.
    ///
    /// - Returns: Whether the fetch has ended with another process's answer.
    func endsWithFleet(_ second: SecondLevel) async -> Bool {
        let deadline = now + Bounds.leaseTime
        var pause = Bounds.leasePause
        var hasWaited = false
        while true {
            switch await second.takeLease(of: fill.key, for: Bounds.leaseTime) {
            case .eachForItself, .unavailable: return false
            case .taken(let taken):
                lease = taken
                // Its last holder may have put an answer there since it was looked for, however short ago that was.
                let isThere = await look(in: second) == .ended
                if isThere { endLease(eachForItself: .zero) }
                return isThere
            case .elsewhere:
                guard now < deadline else { return false }
                if !hasWaited { second.noteWait() }
                hasWaited = true
                await second.awaitEnd(ofLeaseOn: fill.key, until: now + pause)
                pause = min(pause + pause, Bounds.leasePauseMax)
                switch await look(in: second) {
                case .ended: return true
                case .unavailable: return false
                case .nothing: continue
                }
            }
        }
    }

    /// Gives the lease back, if there is one.
    func endLease(eachForItself time: Nanoseconds) {
        guard let lease, let second else { return }
        self.lease = nil
        second.end(lease, eachForItself: time)
    }
}
