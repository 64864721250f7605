public import EventLoop
public import Primitives

/// Fetches small documents for the proxy itself, such as the keys of an issuer: one GET, one connection.
///
/// Over `https` the server must prove its name to the system's authorities, or to those given. Bodies are at
/// most 1 MiB; only status 200 counts, and no redirect is followed: where keys come from is written in the
/// configuration and nowhere else.
public struct FetchClient: Sendable {
    private let authorities: [UInt8]

    /// Creates a client that also trusts the certificates of the PEM text `authorities`.
    public init(authorities: [UInt8] = []) { self.authorities = authorities }

    /// Fetches `url`. The host's addresses are tried in turn, each with its share of the time that is left.
    ///
    /// - Parameters:
    ///   - url: What to fetch.
    ///   - deadline: When the whole answer must be there.
    ///   - loop: The loop of the calling task.
    /// - Returns: The body, or why the last address gave none.
    public func fetch(
        _ url: FetchURL, until deadline: MonotonicTime, on loop: EventLoop
    ) async -> Result<FetchedBody, FetchError> {
        let addresses: [IPAddress]
        if let literal = url.address {
            addresses = [literal]
        } else {
            addresses = await loop.resolve(url.host, until: deadline)
        }
        guard !addresses.isEmpty else {
            return .failure(loop.now < deadline ? .unresolved : .timedOut)
        }
        var failure = FetchError.timedOut
        for (index, address) in addresses.enumerated() {
            let left = deadline - loop.now
            guard left > .zero else { break }
            let share = Nanoseconds(left.count / UInt64(addresses.count - index))
            do throws(FetchError) {
                return .success(try await get(url, at: address, until: loop.now + share, loop))
            } catch {
                failure = error
                if !error.mayDependOnAddress { break }
            }
        }
        return .failure(failure)
    }

    private func get(
        _ url: FetchURL, at address: IPAddress, until deadline: MonotonicTime, _ loop: EventLoop
    ) async throws(FetchError) -> FetchedBody {
        let connection = try await FetchConnection.open(
            address, for: url, trusting: authorities, until: deadline, on: loop)
        defer { connection.close() }
        return try await connection.get(url, until: deadline)
    }
}
