import BinaryKit
import Foundation
import TestKit
import Testing

extension Integration {
    /// Stored answers in content codings, from real origins to real clients.
    struct CompressionTests {
        private static let compressing = "workers: 4\ncache: {ttl: 1h}\ncompression: on"
        private static let text = (0..<9000).map { "{\"row\":\($0),\"even\":\($0 % 2 == 0)}\n" }
            .joined()

        private func origin(_ fields: [String] = []) throws -> RawOrigin {
            try RawOrigin(answering: { request in
                response(
                    "200 OK",
                    ["Content-Type: application/json", "ETag: \"\(request.target)\""] + fields,
                    body: request.target == "/small" ? "{}" : request.target + Self.text)
            })
        }

        /// Asks until the answer is coded, and returns it.
        private func coded(
            _ weir: RunningWeir, _ target: String, _ accept: String
        ) throws -> RawConnection.Message {
            let client = try weir.connect()
            let end = ContinuousClock.now + patience
            while ContinuousClock.now < end {
                let answer = try client.ask(request(target, ["Accept-Encoding: \(accept)"]))
                if answer["content-encoding"] != nil { return answer }
            }
            throw Failure("never coded")
        }

        @Test func `each client gets the coding it likes, and all read the same`() throws {
            let origin = try origin()
            defer { origin.close() }
            try Weir.run(configuration(origin, Self.compressing)) { weir throws in
                let whole = Array(("/a" + Self.text).utf8)
                let br = try coded(weir, "/a", "gzip, deflate, br")
                #expect(br["content-encoding"] == "br")
                #expect(Decoding.unbrotli(br.body) == whole)
                #expect(br["etag"] == "W/\"/a\"" && br["vary"] == "Accept-Encoding")
                #expect(br.body.count < whole.count / 5)
                let gzip = try coded(weir, "/a", "gzip;q=1, br;q=0.5")
                #expect(gzip["content-encoding"] == "gzip")
                #expect(Decoding.gunzip(gzip.body) == whole)
                #expect(gzip["cache-status"]?.hasPrefix("weir; hit; ttl=") == true)
                let plain = try weir.ask(request("/a"))
                #expect(plain.body == whole && plain["content-encoding"] == nil)
                #expect(plain["etag"] == "\"/a\"" && plain["vary"] == "Accept-Encoding")
                let part = try weir.ask(
                    request("/a", ["Accept-Encoding: br", "Range: bytes=0-1"]))
                #expect(part["content-encoding"] == nil)
                let same = try weir.ask(
                    request("/a", ["Accept-Encoding: br", "If-None-Match: W/\"/a\""]))
                #expect(same.status == 304 && same["etag"] == "W/\"/a\"")
            }
            #expect(origin.requests.first?["accept-encoding"] == "identity")
        }

        @Test func `curl reads what it asked for`() throws {
            let origin = try origin()
            defer { origin.close() }
            try Weir.run(configuration(origin, Self.compressing)) { weir throws in
                _ = try coded(weir, "/a", "gzip")
                let address = "\(weir.place.url)/a"
                // Without --compressed curl writes what was sent: gzip must read it.
                let run = Process()
                run.executableURL = URL(fileURLWithPath: "/bin/sh")
                run.arguments = [
                    "-c",
                    "curl -s -H 'Host: api.test' -H 'Accept-Encoding: gzip' \(address) | gzip -dc; curl -s -H 'Host: api.test' \(address)",
                ]
                let output = Pipe()
                run.standardOutput = output
                try run.run()
                let bytes = output.fileHandleForReading.readDataToEndOfFile()
                run.waitUntilExit()
                #expect(
                    String(decoding: bytes, as: UTF8.self) == "/a" + Self.text + "/a" + Self.text)
            }
        }

        @Test func `many clients on all workers read right answers while these are encoded`() throws
        {
            let origin = try origin()
            defer { origin.close() }
            try Weir.run(configuration(origin, Self.compressing)) { weir throws in
                let accepts = ["gzip", "br", "gzip, br", "identity", "br;q=0, gzip"]
                let counts = try concurrently(20) { index in
                    let client = try weir.connect()
                    var coded = 0
                    for round in 0..<60 {
                        let target = "/\((index + round) % 7)"
                        let accept = accepts[(index * 7 + round) % accepts.count]
                        let answer = try client.ask(request(target, ["Accept-Encoding: \(accept)"]))
                        let text =
                            switch answer["content-encoding"] {
                            case "br": Decoding.unbrotli(answer.body)
                            case "gzip": Decoding.gunzip(answer.body)
                            default: answer.body as [UInt8]?
                            }
                        guard text == Array((target + Self.text).utf8) else {
                            throw Failure("another answer for \(target), \(accept)")
                        }
                        if let coding = answer["content-encoding"] {
                            coded += 1
                            guard accept.contains(coding), !accept.contains("\(coding);q=0") else {
                                throw Failure("\(coding) for \(accept)")
                            }
                        }
                    }
                    return coded
                }
                #expect(counts.reduce(0, +) > 0)
                #expect(origin.requests.count == 7)
                let made =
                    try weir.metric("weir_compression_encodings_total{encoding=\"br\"}")
                    + weir.metric("weir_compression_encodings_total{encoding=\"gzip\"}")
                // Seven answers, two codings each at most, each made once.
                #expect(made > 0 && made <= 14)
                let sent =
                    try weir.metric("weir_compression_responses_total{encoding=\"br\"}")
                    + weir.metric("weir_compression_responses_total{encoding=\"gzip\"}")
                #expect(sent == Double(counts.reduce(0, +)))
            }
        }
    }
}
