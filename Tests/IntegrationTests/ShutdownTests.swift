import Foundation
import Testing

extension Integration {
    /// SIGTERM: not ready any more, nothing new, and what runs may end.
    struct ShutdownTests {
        /// Waits until `weir` takes no new connections.
        private static func awaitRefusal(_ weir: RunningWeir) throws {
            let deadline = ContinuousClock.now + patience
            while ContinuousClock.now < deadline {
                do {
                    let client = try weir.connect()
                    // One that the kernel took before the listener closed is reset.
                    client.socket.bound(.milliseconds(100))
                    _ = try? client.socket.read(1)
                } catch is RawSocket.Refused {
                    return
                }
            }
            throw Failure("it still listens")
        }

        @Test func `what runs ends, nothing new begins, and the process leaves with 0`() throws {
            let release = Gate()
            let origin = try RawOrigin { origin, connection in
                guard let request = try connection.readRequest() else { return }
                origin.note(request)
                try release.pass()
                try connection.send(response(body: "finished"))
            }
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: 5m")) { weir throws in
                let idle = try weir.connect()
                #expect(try weir.askAdmin("/readyz").status == 200)
                let running = try weir.connect()
                try running.send(request("/running"))
                // Around the cache too.
                let posting = try weir.connect()
                try posting.send(post("/posting", "x"))
                try origin.awaitRequests(2)

                weir.program.signal(SIGTERM)
                try weir.program.awaitLine("the line `draining`") { lines in
                    lines.contains { JSON($0)?["event"] == "draining" } ? () : nil
                }
                try Self.awaitRefusal(weir)
                #expect(try weir.askAdmin("/readyz").status == 503)
                #expect(try weir.askAdmin("/healthz").status == 200)
                #expect(JSON(try weir.askAdmin("/health").text)?["status"] == "draining")
                try idle.awaitClose()
                #expect(weir.program.isRunning)

                release.open()
                for client in [running, posting] {
                    let answer = try client.readResponse()
                    #expect(answer.text == "finished")
                    #expect(answer["connection"] == "close")
                    try client.awaitClose()
                }
                #expect(try weir.program.awaitExit() == 0)
                try weir.program.awaitEndOfOutput()
                #expect(weir.accessLog.contains { $0["path"] == "/running" })
                let stopped = weir.program.output.value.compactMap(JSON.init).last
                #expect(stopped?["event"] == "stopped")
                #expect(stopped?["connections_cut_off"] == "0")
            }
        }

        @Test func `an idle process leaves at once`() throws {
            let origin = try RawOrigin(answering: { _ in response() })
            defer { origin.close() }
            try Weir.run(configuration(origin)) { weir throws in
                let idle = try weir.connect()
                #expect(try idle.ask(request("/")).status == 200)
                weir.program.signal(SIGTERM)
                #expect(try weir.program.awaitExit(within: .seconds(5)) == 0)
            }
        }

        @Test func `a second signal leaves at once with 1`() throws {
            let origin = try RawOrigin { origin, connection in
                guard let request = try connection.readRequest() else { return }
                origin.note(request)
                try connection.awaitClose()
            }
            defer { origin.close() }
            try Weir.run(configuration(origin)) { weir throws in
                let client = try weir.connect()
                try client.send(request("/"))
                try origin.awaitRequests(1)
                weir.program.signal(SIGTERM)
                try weir.program.awaitLine("the line `draining`") { lines in
                    lines.contains { JSON($0)?["event"] == "draining" } ? () : nil
                }
                #expect(weir.program.isRunning)
                weir.program.signal(SIGTERM)
                #expect(try weir.program.awaitExit(within: .seconds(5)) == 1)
            }
        }

        @Test func `what does not end within the drain is cut off`() throws {
            let origin = try RawOrigin { origin, connection in
                guard let request = try connection.readRequest() else { return }
                origin.note(request)
                try connection.awaitClose()
            }
            defer { origin.close() }
            try Weir.run(configuration(origin, "shutdown: {drain: 300ms}")) { weir throws in
                let client = try weir.connect()
                try client.send(request("/"))
                try origin.awaitRequests(1)
                weir.program.signal(SIGTERM)
                #expect(try weir.program.awaitExit(within: .seconds(5)) == 0)
                try weir.program.awaitEndOfOutput()
                let stopped = weir.program.output.value.compactMap(JSON.init).last {
                    $0["event"] == "stopped"
                }
                #expect(stopped?["connections_cut_off"] == "1")
                try client.awaitClose()
            }
        }
    }
}
