import EventLoop
import HTTPModel
import Primitives
import TestKit
import Testing
import Upstreams

/// One fetch in a simulated world, and what became of it.
final class FetchScene {
    let world: SimulatedWorld
    private var origins: [SimulatedOrigin] = []

    static func address(_ n: UInt32, port: UInt16 = 80) -> SocketAddress {
        .tcp(IPAddress(v4: 0x0A02_0000 + n), port: port)
    }

    init(seed: UInt64 = 1, faults: FaultPlan = FaultPlan()) {
        world = SimulatedWorld(seed: seed, faults: faults)
        world.network.names["keys.example"] = [IPAddress(v4: 0x0A02_0001)]
    }

    @discardableResult
    func origin(_ n: UInt32 = 1, port: UInt16 = 80, _ script: @escaping PeerScript)
        -> SimulatedOrigin
    {
        let origin = world.origin(at: Self.address(n, port: port), script)
        origins.append(origin)
        return origin
    }

    /// Fetches, closes the origins, and checks that nothing stays open.
    func fetch(
        _ text: String = "http://keys.example/jwks?v=1", trusting authorities: [UInt8] = [],
        within bound: Nanoseconds = .seconds(10)
    ) throws -> (answer: Result<FetchedBody, FetchError>, took: Nanoseconds) {
        let url = try #require(FetchURL(text))
        let found = Probe<(Result<FetchedBody, FetchError>, Nanoseconds)?>(nil)
        let task = world.task(on: world.makeLoop()) { loop in
            let began = loop.now
            let answer = await FetchClient(authorities: authorities).fetch(
                url, until: began + bound, on: loop)
            found.value = (answer, loop.now - began)
        }
        world.run(task)
        for origin in origins { origin.close() }
        world.runUntilIdle()
        #expect(task.problem == nil)
        #expect(world.problems() == [])
        return try #require(found.value)
    }

    /// What one origin that sends `answer` and then closes makes of a fetch.
    static func answer(
        _ answer: String, seed: UInt64 = 1, faults: FaultPlan = FaultPlan()
    ) throws -> Result<FetchedBody, FetchError> {
        let scene = FetchScene(seed: seed, faults: faults)
        scene.origin { peer in
            _ = try await peer.readRequest()
            try await peer.send(answer)
        }
        return try scene.fetch().answer
    }
}

@Suite struct FetchClientTests {
    private static let body = "{\"keys\":[]}"

    private static func success(
        _ text: String, maxAge: Nanoseconds? = nil
    ) -> Result<FetchedBody, FetchError> {
        .success(FetchedBody(bytes: Array(text.utf8), maxAge: maxAge))
    }

    @Test func `a fetch is one GET on a connection of its own`() throws {
        let scene = FetchScene()
        let asked = Probe<[SimulatedMessage]>([])
        scene.origin { peer in
            let request = try await peer.readRequest()
            asked.update { $0.append(request) }
            try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            try await peer.expectGone()
        }
        #expect(try scene.fetch().answer == Self.success("{}"))
        let request = try #require(asked.value.first)
        #expect(asked.value.count == 1)
        #expect(request.startLine == "GET /jwks?v=1 HTTP/1.1")
        #expect(request["Host"] == "keys.example")
        #expect(request["Accept"] == "application/json")
        #expect(request["Connection"] == "close")
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `a body of every framing is read, however its bytes come`(seed: UInt64) throws {
        for head in [
            "Content-Length: 11\r\n\r\n\(Self.body)",
            "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"ke\r\n7\r\nys\":[]}\r\n0\r\n\r\n",
            "Content-Type: application/json\r\n\r\n\(Self.body)",
            "Content-Encoding: identity\r\nContent-Length: 11\r\n\r\n\(Self.body)",
        ] {
            let answer = "HTTP/1.1 200 OK\r\n" + head
            #expect(
                try FetchScene.answer(answer, seed: seed, faults: .ragged)
                    == Self.success(Self.body))
        }
        let interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        let late = "HTTP/1.0 200 OK\r\n\r\n\(Self.body)"
        #expect(
            try FetchScene.answer(interim + late, seed: seed, faults: .ragged)
                == Self.success(Self.body))
    }

    @Test(
        arguments: [
            ("Cache-Control: max-age=300", 300), ("Cache-Control: public, Max-Age=300", 300),
            ("Cache-Control: public\r\nCache-Control: max-age=7", 7),
            ("Cache-Control: max-age=300\r\nAge: 100", 200),
            ("Cache-Control: max-age=300\r\nAge: 1000", 0),
            ("Cache-Control: max-age=99999999999999999999", nil), ("Cache-Control: no-cache", nil),
            ("Cache-Control: max-age", nil), ("Cache-Control: s-max-age=5", nil), ("X: y", nil),
        ] as [(String, UInt64?)])
    func `max-age is told, less the age`(fields: String, seconds: UInt64?) throws {
        let answer = "HTTP/1.1 200 OK\r\n\(fields)\r\nContent-Length: 1\r\n\r\n1"
        let maxAge = seconds.map { Nanoseconds.seconds($0) }
        #expect(try FetchScene.answer(answer) == Self.success("1", maxAge: maxAge))
    }

    @Test func `another status is an error, and no redirect is followed`() throws {
        let scene = FetchScene()
        let origin = scene.origin { peer in
            _ = try await peer.readRequest()
            try await peer.send(
                "HTTP/1.1 302 Found\r\nLocation: http://keys.example/other\r\n"
                    + "Content-Length: 2\r\n\r\n{}")
        }
        #expect(
            try scene.fetch().answer
                == .failure(.status(302, location: "http://keys.example/other")))
        #expect(origin.accepted == 1)
        for (line, status) in [
            ("404 Not Found", 404), ("500 Oh", 500), ("204 No Content", 204), ("206 Part", 206),
        ] as [(String, Status)] {
            let answer = "HTTP/1.1 \(line)\r\nContent-Length: 0\r\n\r\n"
            #expect(try FetchScene.answer(answer) == .failure(.status(status, location: nil)))
        }
        let long = String(repeating: "x", count: 5000)
        let far = "HTTP/1.1 301 Moved\r\nLocation: \(long)\r\nContent-Length: 0\r\n\r\n"
        guard case .failure(let error) = try FetchScene.answer(far) else {
            Issue.record("it was followed")
            return
        }
        #expect(error.reason.utf8.count < 300)
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\n",
    ])
    func `a part of an answer is no answer`(answer: String) throws {
        #expect(try FetchScene.answer(answer) == .failure(.closedEarly))
    }

    @Test func `a reset is no end`() throws {
        let scene = FetchScene()
        scene.origin { peer in
            _ = try await peer.readRequest()
            try await peer.send("HTTP/1.1 200 OK\r\n\r\n{")
            await peer.sleep(.seconds(1))
            peer.reset()
        }
        #expect(try scene.fetch().answer == .failure(.closedEarly))
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 9),
        "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 70_000) + "\r\n\r\n",
    ])
    func `what is not HTTP is an error`(answer: String) throws {
        #expect(try FetchScene.answer(answer) == .failure(.malformedAnswer))
    }

    @Test func `a compressed body is an error`() throws {
        let answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\n1"
        #expect(try FetchScene.answer(answer) == .failure(.encoded))
    }

    @Test(arguments: 0..<3) func `a body has a bound in every framing`(framing: Int) throws {
        for (size, fits) in [(1 << 20, true), (1 << 20 + 1, false)] {
            let scene = FetchScene()
            scene.origin { peer in
                _ = try await peer.readRequest()
                try await peer.send("HTTP/1.1 200 OK\r\n")
                switch framing {
                case 0: try await peer.send("Content-Length: \(size)\r\n\r\n")
                case 1: try await peer.send("\r\n")
                default:
                    let hex = String(size, radix: 16)
                    try await peer.send("Transfer-Encoding: chunked\r\n\r\n\(hex)\r\n")
                }
                try? await peer.sendPattern(size)
                if framing == 2 { try? await peer.send("\r\n0\r\n\r\n") }
            }
            let answer = try scene.fetch().answer
            if fits {
                #expect(try answer.get().bytes.count == size)
            } else {
                #expect(answer == .failure(.tooLarge))
            }
        }
    }

    @Test func `an endless body ends at the bound`() throws {
        let scene = FetchScene()
        let sent = Probe(0)
        scene.origin { peer in
            _ = try await peer.readRequest()
            try await peer.send("HTTP/1.1 200 OK\r\n\r\n")
            while true {
                try await peer.sendPattern(16 << 10)
                sent.update { $0 += 16 << 10 }
            }
        }
        #expect(try scene.fetch(within: .seconds(3600)).answer == .failure(.tooLarge))
        #expect(sent.value < 2 << 20)
    }

    @Test func `the deadline holds, however slowly something comes`() throws {
        for trickle in [
            "", "H", "HTTP/1.1 200 OK\r\nX: y\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
        ] {
            let scene = FetchScene()
            scene.origin { peer in
                _ = try await peer.readRequest()
                try await peer.send(trickle)
                while !peer.stream.peerClosed {
                    await peer.sleep(.seconds(1))
                    if !trickle.isEmpty { try? await peer.send("x") }
                }
            }
            let (answer, took) = try scene.fetch(within: .milliseconds(4500))
            #expect(answer == .failure(.timedOut), "\(trickle)")
            #expect(took == .milliseconds(4500))
        }
    }

    // MARK: Addresses

    @Test func `a name that is not known is an error`() throws {
        #expect(
            try FetchScene().fetch("http://unknown.example/").answer == .failure(.unresolved))
    }

    @Test func `a server that is not there is an error, with the system's reason`() throws {
        guard case .failure(let error) = try FetchScene().fetch().answer,
            case .connectFailed = error
        else {
            Issue.record("no error of connecting")
            return
        }
        #expect(error.reason.contains("refused"))
    }

    @Test func `every address is tried within the deadline`() throws {
        let scene = FetchScene()
        scene.world.network.names["keys.example"] = (1...4).map { IPAddress(v4: 0x0A02_0000 + $0) }
        // The first refuses, the second never answers the connect, the third closes at once.
        var hole = FaultPlan()
        hole.blackHole = 1
        scene.world.network.faultsOfAddress[FetchScene.address(2)] = hole
        scene.origin(2) { _ in }
        scene.origin(3) { peer in peer.close() }
        scene.origin(4) { peer in
            _ = try await peer.readRequest()
            try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n4")
        }
        let (answer, took) = try scene.fetch(within: .seconds(9))
        #expect(answer == Self.success("4"))
        #expect(took > .seconds(2) && took < .seconds(4))
    }

    @Test func `an address in the URL needs no resolver, and an answer ends the search`() throws {
        let scene = FetchScene()
        let origin = scene.origin { peer in
            _ = try await peer.readRequest()
            try await peer.send("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
        }
        #expect(
            try scene.fetch("http://10.2.0.1/").answer == .failure(.status(503, location: nil)))
        #expect(origin.accepted == 1)
    }
}
