public import EventLoop
public import Primitives
public import Settings

extension ReachabilityProbe {
    /// Tries to connect to `server`, for people who want to know now.
    ///
    /// - Returns: Why that failed, in words; `nil` when it accepts connections.
    public static func fault(
        of server: UpstreamSettings.Server, on loop: EventLoop, until deadline: MonotonicTime
    ) async -> String? {
        let addresses = await Server.addresses(of: server, loop, until: deadline)
        guard !addresses.isEmpty else { return "the name is not known" }
        var fault = "timed out"
        for (index, address) in addresses.enumerated() {
            let share = (deadline - loop.now).count / UInt64(addresses.count - index)
            do throws(StreamError) {
                try await ByteStream.connect(
                    to: address, loop: loop, deadline: loop.now + Nanoseconds(share)
                ).close()
                return nil
            } catch {
                switch error {
                case .refused(let number): fault = HostError(number: number).text
                case .timedOut, .aborted: fault = "timed out"
                case .closedByPeer: fault = "closed at once"
                }
            }
        }
        return fault
    }
}
