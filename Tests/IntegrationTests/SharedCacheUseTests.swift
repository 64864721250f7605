import Foundation
import Testing

extension Integration {
    /// What is only in Redis serves what it would serve from memory.
    struct SharedCacheUseTests {
        @Test func `a HEAD is answered by a GET's answer, and brings it into memory`() throws {
            let origin = try SharedCacheTests.origin("Cache-Control: max-age=600", "ETag: \"a\"")
            defer { origin.close() }
            try SharedCacheTests.fleet(2, origin) { redis, fleet in
                _ = try fleet[0].ask(request("/x"))
                try redis.awaitKey("weir:c:{GET:api.test:/x}")
                for _ in 0..<2 {
                    let client = try fleet[1].connect()
                    try client.send(request("/x", method: "HEAD"))
                    let head = try client.readResponse(toHead: true)
                    #expect(head.status == 200 && head["content-length"] == "2")
                    #expect(head["cache-status"]?.hasPrefix("weir; hit; ttl=") == true)
                }
                #expect(try fleet[1].metric(#"weir_cache_redis_total{outcome="hit"}"#) == 1)
                // What is nowhere goes to the origin, as it does without Redis.
                let client = try fleet[1].connect()
                try client.send(request("/y", method: "HEAD"))
                let other = try client.readResponse(toHead: true)
                #expect(other["cache-status"] == "weir; fwd=miss; fwd-status=200")
                #expect(try client.ask(request("/x")).text == "/x")
                #expect(origin.requests.map(\.method) == ["GET", "HEAD"])
            }
        }

        @Test func `several ranges are served of what is only in Redis`() throws {
            let origin = try SharedCacheTests.origin("Cache-Control: max-age=600", "ETag: \"a\"")
            defer { origin.close() }
            try SharedCacheTests.fleet(2, origin) { redis, fleet in
                let target = "/" + String(repeating: "abcdefghij", count: 30)
                _ = try fleet[0].ask(request(target))
                try redis.awaitKey("weir:c:{GET:api.test:\(target)}")
                let answer = try fleet[1].ask(request(target, ["Range: bytes=1-3, 200-202"]))
                #expect(answer.status == 206)
                #expect(answer["content-type"]?.hasPrefix("multipart/byteranges") == true)
                #expect(answer.text.contains("\r\n\r\nabc\r\n"))
                #expect(answer.text.contains("Content-Range: bytes 200-202/301"))
                #expect(origin.requests.count == 1)
                // What is nowhere is asked of the origin past the cache.
                let other = try fleet[1].ask(request("/y", ["Range: bytes=0-0, 500-500"]))
                #expect(other["cache-status"] == "weir; fwd=bypass; fwd-status=200; detail=range")
                #expect(origin.requests.count == 2)
            }
        }

        @Test func `a stale answer is served while it is fetched, though memory has none`() throws {
            let version = Board(0)
            let release = Gate()
            let origin = try RawOrigin(answering: { _ in
                if version.value > 0 { try release.pass() }
                return response(
                    "200 OK", ["Cache-Control: max-age=1, stale-while-revalidate=600"],
                    body: "\(version.value)")
            })
            defer { origin.close() }
            try SharedCacheTests.fleet(2, origin) { redis, fleet in
                _ = try fleet[0].ask(request("/x"))
                try redis.awaitKey("weir:c:{GET:api.test:/x}")
                Thread.sleep(forTimeInterval: 1.1)
                version.add()
                // The origin does not answer yet.
                let answer = try fleet[1].ask(request("/x"))
                #expect(answer.text == "0")
                #expect(answer["cache-status"]?.hasSuffix("; detail=swr") == true)
                release.open()
                try waitFor("it was fetched") { try fleet[1].ask(request("/x")).text == "1" }
            }
        }

        @Test func `a stale answer stands in for the origin's failure, though memory has none`()
            throws
        {
            let isDown = Board(false)
            let origin = try RawOrigin(answering: { _ in
                isDown.value
                    ? response("503 Service Unavailable", [], body: "no")
                    : response(
                        "200 OK", ["Cache-Control: max-age=1, stale-if-error=600"], body: "text")
            })
            defer { origin.close() }
            try SharedCacheTests.fleet(2, origin) { redis, fleet in
                _ = try fleet[0].ask(request("/x"))
                try redis.awaitKey("weir:c:{GET:api.test:/x}")
                Thread.sleep(forTimeInterval: 1.1)
                isDown.change { $0 = true }
                let answer = try fleet[1].ask(request("/x"))
                #expect(answer.status == 200 && answer.text == "text")
                #expect(answer["cache-status"]?.hasSuffix("; detail=sie") == true)
                #expect(origin.requests.count == 2)
            }
        }
    }
}
