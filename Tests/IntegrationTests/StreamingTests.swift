import Foundation
import Testing

extension Integration {
    /// Bodies of any size pass with flat memory, whoever is slow.
    struct StreamingTests {
        /// Bytes that pass; `WEIR_STREAM_MIB` chooses more.
        private static let mebibytes =
            ProcessInfo.processInfo.environment["WEIR_STREAM_MIB"].flatMap { Int($0) } ?? 256
        private static let growthMax = 64 << 20

        private static let pattern = (0..<(1 << 20) + 256).map {
            UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8)
        }

        /// The `index`th mebibyte: different from its neighbours, cheap to make.
        private static func part(_ index: Int) -> [UInt8] {
            Array(pattern[index % 256..<index % 256 + 1 << 20])
        }

        @Test func `a long answer passes to a slow reader byte for byte in flat memory`() throws {
            let origin = try RawOrigin { _, connection in
                guard try connection.readRequest() != nil else { return }
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for index in 0..<Self.mebibytes { try connection.sendChunk(Self.part(index)) }
                try connection.sendChunk([])
            }
            defer { origin.close() }
            try Weir.run(configuration(origin)) { weir throws in
                let before = try weir.residentBytes()
                var most = before
                let client = try weir.connect(receiveBuffer: 64 << 10)
                try client.send(request("/long"))
                let head = try #require(try client.readHead())
                #expect(head["transfer-encoding"] == "chunked")
                let body = BodyChecker()
                while true {
                    let chunk = try client.readChunk()
                    if chunk.bytes.isEmpty { break }
                    if body.add(chunk.bytes, Self.part) {
                        most = max(most, try weir.residentBytes())
                        // The reader's pauses: sixteen of them, each long enough to fill every buffer on the way.
                        if body.parts % max(1, Self.mebibytes / 16) == 0 { usleep(20_000) }
                    }
                }
                #expect(body.isRight)
                #expect(body.parts == Self.mebibytes)
                #expect(
                    weir.isSanitized || most - before < Self.growthMax,
                    "from \(before >> 20) to \(most >> 20) MiB")
            }
        }

        @Test func `a long upload passes to a slow origin byte for byte in flat memory`() throws {
            let origin = try RawOrigin { _, connection in
                guard let head = try connection.readHead() else { return }
                #expect(head["transfer-encoding"] == "chunked")
                let body = BodyChecker()
                while true {
                    let chunk = try connection.readChunk()
                    if chunk.bytes.isEmpty { break }
                    if body.add(chunk.bytes, Self.part),
                        body.parts % max(1, Self.mebibytes / 16) == 0
                    {
                        usleep(20_000)
                    }
                }
                try connection.send(response(body: "\(body.isRight) \(body.parts)"))
            }
            defer { origin.close() }
            try Weir.run(configuration(origin, "http: {body_bytes: 2GiB}")) { weir throws in
                let before = try weir.residentBytes()
                var most = before
                let client = try weir.connect()
                try client.send(
                    "POST /long HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                for index in 0..<Self.mebibytes {
                    try client.sendChunk(Self.part(index))
                    most = max(most, try weir.residentBytes())
                }
                try client.sendChunk([])
                #expect(try client.readResponse().text == "true \(Self.mebibytes)")
                #expect(
                    weir.isSanitized || most - before < Self.growthMax,
                    "from \(before >> 20) to \(most >> 20) MiB")
            }
        }

        @Test func `each part of an answer passes before the origin sends the next`() throws {
            let gates = [Gate(), Gate(), Gate()]
            let origin = try RawOrigin { _, connection in
                guard try connection.readRequest() != nil else { return }
                try connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
                for (index, gate) in gates.enumerated() {
                    try connection.send("data: \(index)\n\n")
                    try gate.pass("the client has part \(index)")
                }
            }
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: 5m")) { weir throws in
                let client = try weir.connect()
                try client.send(request("/events"))
                let head = try #require(try client.readHead())
                #expect(head["transfer-encoding"] == "chunked")
                for (index, gate) in gates.enumerated() {
                    #expect(try client.readChunk().bytes == Array("data: \(index)\n\n".utf8))
                    gate.open()
                }
                #expect(try client.readChunk().bytes.isEmpty)
            }
        }

        @Test func `100-continue comes from the proxy, and a refused upload is never sent`() throws
        {
            let origin = try RawOrigin(answering: { response(body: $0.text) })
            defer { origin.close() }
            try Weir.run(configuration(origin, "limits: [{rate: 1/hour, per: ip}]")) {
                weir throws in
                let head =
                    "POST /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
                let client = try weir.connect()
                try client.send(head)
                #expect(try client.readHead()?.status == 100)
                try client.send("hello")
                #expect(try client.readResponse().text == "hello")

                let refused = try weir.connect()
                try refused.send(head)
                #expect(try refused.readHead()?.status == 429)
                #expect(origin.requests.count == 1)
            }
        }
    }
}

/// Compares a body that arrives in pieces with the parts it should have.
private final class BodyChecker {
    private(set) var parts = 0
    private(set) var isRight = true
    private var pending: [UInt8] = []

    /// Adds a piece; whether it completed a part.
    func add(_ bytes: [UInt8], _ part: (Int) -> [UInt8]) -> Bool {
        pending += bytes
        guard pending.count >= 1 << 20 else { return false }
        while pending.count >= 1 << 20 {
            isRight = isRight && Bytes.areEqual(Array(pending.prefix(1 << 20)), part(parts))
            pending.removeFirst(1 << 20)
            parts += 1
        }
        return true
    }
}
