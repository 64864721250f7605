import Foundation

/// An origin that does what a scenario says, on a thread for each connection.
package final class RawOrigin: Sendable {
    package let place: Place
    private let listener: RawSocket
    private let state = Board(State())

    private struct State {
        var requests: [RawConnection.Message] = []
        var connections = 0
        var open: [RawConnection] = []
        var failures: [String] = []
    }

    /// Runs `script` with each connection; the connection closes when it returns.
    package init(
        at place: Place = .port(0),
        script: @escaping @Sendable (RawOrigin, RawConnection) throws -> Void
    ) throws {
        listener = try RawSocket.listen(on: place)
        self.place = if case .unix = place { place } else { .port(listener.port) }
        Thread.detachNewThread { [self] in
            while let socket = listener.accept() {
                let connection = RawConnection(socket)
                state.change {
                    $0.connections += 1
                    $0.open.append(connection)
                }
                Thread.detachNewThread { [self] in run(script, connection) }
            }
        }
    }

    /// Answers each request with what `answer` makes of it, the bytes of a whole response.
    package convenience init(
        at place: Place = .port(0),
        answering answer: @escaping @Sendable (RawConnection.Message) throws -> String
    ) throws {
        try self.init(at: place) { origin, connection in
            while let request = try connection.readRequest() {
                origin.note(request)
                try connection.send(try answer(request))
            }
        }
    }

    private func run(
        _ script: (RawOrigin, RawConnection) throws -> Void, _ connection: RawConnection
    ) {
        do {
            try script(self, connection)
        } catch is RawSocket.Reset {
        } catch is RawSocket.TimedOut {
        } catch {
            state.change { $0.failures.append("\(error)") }
        }
        connection.socket.shutDown()
        state.change { state in state.open.removeAll { $0 === connection } }
    }

    package func note(_ request: RawConnection.Message) {
        state.change { $0.requests.append(request) }
    }

    /// The requests seen so far.
    package var requests: [RawConnection.Message] { state.value.requests }
    /// Connections accepted so far.
    package var connections: Int { state.value.connections }
    /// Connections that are open.
    package var openConnections: Int { state.value.open.count }

    /// Waits until `count` requests have been seen.
    package func awaitRequests(_ count: Int) throws {
        try state.wait(for: "\(count) requests at the origin") {
            $0.requests.count >= count ? () : nil
        }
    }

    /// Waits until no connection is open.
    package func awaitNoConnection(within bound: Duration = patience) throws {
        try state.wait(for: "the origin's connections end", within: bound) {
            $0.open.isEmpty ? () : nil
        }
    }

    /// Stops it; no answer is under way any more.
    package func close() {
        listener.shutDown()
        for connection in state.value.open { connection.socket.shutDown() }
    }
}

/// A whole response with a body.
package func response(_ status: String = "200 OK", _ fields: [String] = [], body: String = "")
    -> String
{
    let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + fields
    return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
}

/// A whole request without a body.
package func request(_ target: String, method: String = "GET", _ fields: [String] = []) -> String {
    (["\(method) \(target) HTTP/1.1", "Host: api.test"] + fields).joined(separator: "\r\n")
        + "\r\n\r\n"
}

/// A whole request with a body.
package func post(_ target: String, _ body: String, _ fields: [String] = []) -> String {
    request(target, method: "POST", ["Content-Length: \(body.utf8.count)"] + fields) + body
}
