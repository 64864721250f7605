import Foundation
import Testing

extension Integration {
    /// Whoever leaves: the other side learns of it, within a second.
    struct DepartureTests {
        private static let bound = Duration.seconds(5)

        @Test(arguments: ["closes", "resets"])
        func `a client that leaves cancels its request at the origin`(how: String) throws {
            let gone = Gate()
            let origin = try RawOrigin { origin, connection in
                guard let request = try connection.readRequest() else { return }
                origin.note(request)
                try connection.awaitClose()
                gone.open()
            }
            defer { origin.close() }
            try Weir.run(configuration(origin)) { weir throws in
                let client = try weir.connect()
                try client.send(request("/slow"))
                try origin.awaitRequests(1)
                if how == "resets" { client.socket.reset() } else { client.socket.close() }
                try gone.pass("the origin sees its connection closed", within: Self.bound)
                let line = try weir.awaitLog("the client left") { $0["path"] == "/slow" }
                #expect(line["incomplete"] != nil)
            }
        }

        @Test func `a client that ends its side inside an answer breaks nobody else's connection`()
            throws
        {
            let origin = try RawOrigin(answering: { request in
                response(body: String(repeating: "x", count: Int(request.target.dropFirst()) ?? 1))
            })
            defer { origin.close() }
            let text = """
                listen: 127.0.0.1:0
                workers: 1
                upstreams: {default: {servers: ["\(origin.place.url)"], pool: {size: 1}}}
                routes: [{path: /**}]

                """
            try Weir.run(text) { weir throws in
                // With one size or the other the end comes while the last of the answer is being written.
                for size in stride(from: 8 << 10, through: 3 << 20, by: 40 << 10) {
                    let leaving = try weir.connect(receiveBuffer: 4096)
                    try leaving.send(request("/\(size)"))
                    _ = try leaving.readHead()
                    leaving.socket.closeWriting()
                    let rest = try? leaving.readToEnd()
                    #expect(rest.map { $0.count <= size } ?? true)
                    #expect(try weir.ask(request("/7")).text == "xxxxxxx", "after \(size) bytes")
                }
            }
        }

        @Test func `clients that come and go end no connection of those who stay`() throws {
            let origin = try RawOrigin(answering: { request in
                let isStored = request.target.hasPrefix("/stored")
                return response(
                    "200 OK", ["Cache-Control: \(isStored ? "max-age=60" : "no-store")"],
                    body: request.target)
            })
            defer { origin.close() }
            let more = "workers: 1\ncache: {memory: 64MiB}"
            try Weir.run(configuration(origin, more)) { weir throws in
                let (staying, leaving, times) = (16, 8, 99)
                try concurrently(staying + leaving) { index in
                    if index < staying {
                        try Self.stay(weir, index, requests: 400)
                    } else {
                        try Self.comeAndGo(weir, index, times: times)
                    }
                }
                let accepted = try weir.metric("weir_connections_accepted_total")
                #expect(accepted == Double(staying + leaving * times))
            }
        }

        /// Asks on one connection, and wants every answer, and its own.
        private static func stay(_ weir: RunningWeir, _ index: Int, requests: Int) throws {
            let client = try weir.connect()
            for turn in 0..<requests {
                let target = turn % 4 == 0 ? "/stored/\(turn)" : "/\(index)/\(turn)"
                let answer = try client.ask(request(target))
                guard answer.status == 200, answer.text == target else {
                    throw Failure("\(target) got \(answer)")
                }
            }
        }

        /// Goes after every request: before its answer comes, in two ways, or after it, as the last time.
        private static func comeAndGo(_ weir: RunningWeir, _ index: Int, times: Int) throws {
            for turn in 0..<times {
                let client = try weir.connect()
                try client.send(request("/left/\(index)/\(turn)"))
                switch turn % 3 {
                case 0: client.socket.close()
                case 1: client.socket.reset()
                default: _ = try client.readResponse()
                }
            }
        }

        @Test func `a client that leaves inside its upload cancels it at the origin`() throws {
            let (begun, gone) = (Gate(), Gate())
            let origin = try RawOrigin { _, connection in
                guard try connection.readHead() != nil else { return }
                _ = try connection.readExactly(3)
                begun.open()
                try connection.awaitClose()
                gone.open()
            }
            defer { origin.close() }
            try Weir.run(configuration(origin)) { weir throws in
                let client = try weir.connect()
                try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
                try begun.pass()
                client.socket.close()
                #expect(throws: Never.self) {
                    try gone.pass("the origin sees its connection closed", within: Self.bound)
                }
            }
        }

        @Test func `a client that leaves inside a long answer stops it at the origin`() throws {
            let gone = Gate()
            let origin = try RawOrigin { _, connection in
                guard try connection.readRequest() != nil else { return }
                defer { gone.open() }
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                let part = [UInt8](repeating: 120, count: 64 << 10)
                while true { try connection.sendChunk(part) }
            }
            defer { origin.close() }
            try Weir.run(configuration(origin)) { weir throws in
                let client = try weir.connect()
                try client.send(request("/endless"))
                _ = try client.readHead()
                _ = try client.readChunk()
                client.socket.close()
                #expect(throws: Never.self) {
                    try gone.pass("the origin is stopped", within: Self.bound)
                }
            }
        }

        @Test func `an origin that breaks off is not a whole answer to the client`() throws {
            let origin = try RawOrigin { _, connection in
                guard let request = try connection.readRequest() else { return }
                switch request.target {
                case "/length":
                    try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                case "/chunked":
                    try connection.send(
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
                case "/nonsense": try connection.send("SSH-2.0-OpenSSH_9.2\r\n\r\n")
                case "/both":
                    try connection.send(
                        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")
                default: break
                }
            }
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: 5m")) { weir throws in
                // The two lines of the cache, and around it.
                for fields in [[], ["Authorization: Bearer x"]] {
                    for target in ["/length", "/chunked"] {
                        // 502 while nothing has been sent, a broken body afterwards; never a whole 200.
                        let whole = try? weir.ask(request(target, fields))
                        #expect(whole == nil || whole?.status == 502, "\(target)")
                    }
                    for target in ["/nonsense", "/nothing", "/both"] {
                        let answer = try weir.ask(request(target, fields))
                        #expect(answer.status == 502, "\(target)")
                        #expect(JSON(answer.text)?["detail"]?.isEmpty == false)
                    }
                }
                // Half an answer was not stored.
                let before = try weir.metric("weir_cache_entries")
                #expect(before == 0)
            }
        }

        @Test
        func `an origin that is away is 502 and one that is silent 504, each with its reason`()
            throws
        {
            let origin = try RawOrigin { origin, connection in
                while let request = try connection.readRequest() { origin.note(request) }
            }
            defer { origin.close() }
            let closed = try RawOrigin(answering: { _ in "" })
            closed.close()
            let text = """
                listen: 127.0.0.1:0
                upstreams:
                  silent: {servers: ["\(origin.place.url)"], timeouts: {first_byte: 300ms}}
                  away: "\(closed.place.url)"
                routes:
                  - {path: /silent, upstream: silent}
                  - {path: /away, upstream: away}

                """
            try Weir.run(text) { weir throws in
                let silent = try weir.ask(request("/silent"))
                #expect(silent.status == 504)
                #expect(JSON(silent.text)?["detail"]?.isEmpty == false)
                let away = try weir.ask(request("/away"))
                #expect(away.status == 502)
                #expect(JSON(away.text)?["detail"]?.isEmpty == false)
                #expect(try weir.ask(request("/nowhere")).status == 404)
                let line = try weir.awaitLog("the silent one") { $0["path"] == "/silent" }
                #expect(line["level"] == "error")
                #expect(line["error"]?.isEmpty == false)
            }
        }
    }
}
