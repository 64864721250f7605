import Foundation

/// A way to a Redis that can swallow what goes over connections that listen to channels, while all others work: a network
/// that loses one flow and tells nobody.
package final class RedisRelay: Sendable {
    /// Where it listens, as a URL of Redis.
    package var url: String { "redis://\(origin.place)" }
    private let origin: RawOrigin
    private let state: Board<State>

    private struct State {
        var isSwallowing = false
        var swallowed = 0
    }

    /// Relays to `server`.
    package init(to server: RedisServer) throws {
        let (place, state) = (server.place, Board(State()))
        self.state = state
        origin = try RawOrigin { _, client in
            let server = RawConnection(try RawSocket(to: place))
            let listens = Board(false)
            Thread.detachNewThread {
                RedisRelay.pump(from: server, to: client) {
                    state.change { state in
                        guard state.isSwallowing && listens.value else { return false }
                        state.swallowed += 1
                        return true
                    }
                }
            }
            RedisRelay.pump(from: client, to: server) { bytes in
                if String(decoding: bytes, as: UTF8.self).contains("SUBSCRIBE") {
                    listens.change { $0 = true }
                }
                return listens.value && state.value.isSwallowing
            }
        }
    }

    /// Swallows, or no more.
    package func swallow(_ isSwallowing: Bool) {
        state.change { $0.isSwallowing = isSwallowing }
    }

    /// How many times something was swallowed that the server had sent.
    package var swallowed: Int { state.value.swallowed }

    /// Ends it.
    package func close() { origin.close() }

    private static func pump(
        from: RawConnection, to: RawConnection, _ swallows: ([UInt8]) -> Bool
    ) {
        while let bytes = try? from.readSome(), !bytes.isEmpty {
            if swallows(bytes) { continue }
            if (try? to.send(bytes)) == nil { break }
        }
        from.socket.shutDown()
        to.socket.shutDown()
    }

    private static func pump(
        from: RawConnection, to: RawConnection, _ swallows: () -> Bool
    ) {
        pump(from: from, to: to) { _ in swallows() }
    }
}
