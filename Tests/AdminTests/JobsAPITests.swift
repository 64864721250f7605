import Primitives
import Proxy
import Settings
import TestKit
import Testing

/// `/jobs` and what is below it.
@Suite struct JobsAPITests {
    private static let yaml = "cache: {ttl: 1h}\nroutes: [{path: /a}, {path: /b, cache: off}]\n"

    private func world(_ targets: String...) throws -> AdminWorld {
        let world = try AdminWorld(Self.yaml)
        let requests = targets.map { WarmRequest(host: "a", target: $0) }
        world.server.shared.background.add(requests, .start)
        world.world.run(for: .seconds(1))
        return world
    }

    @Test func `an idle queue says so`() throws {
        let answer = try AdminWorld(Self.yaml).admin("GET /jobs")
        #expect(answer.status == 200)
        #expect(
            answer.text.hasPrefix(
                #"{"waiting":0,"running":0,"concurrency":8,"kinds":[{"kind":"start","priority":"normal","waiting":0,"#
            ))
        #expect(answer.text.contains(#""jobs":[],"dead":[]}"#))
    }

    @Test func `what was done and what failed is told`() throws {
        let answer = try world("/a", "/b", "/c").admin("GET /jobs")
        #expect(
            answer.text.contains(
                #"{"kind":"start","priority":"normal","waiting":0,"running":0,"done":1,"failed":2,"retried":0,"dead":2,"dropped":0}"#
            ))
        #expect(
            answer.text.contains(
                #"{"id":2,"kind":"start","priority":"normal","url":"a/b","attempts":1,"reason":"no-cache","time":""#
            ))
        #expect(answer.text.contains(#""url":"a/c","attempts":1,"reason":"no-route""#))
    }

    @Test func `a dead letter is dropped or tried again`() throws {
        let world = try world("/b", "/c")
        #expect(try world.admin("POST /jobs/drop?id=1").text == "{\"dropped\":1}\n")
        #expect(try world.admin("POST /jobs/drop?id=1").status == 404)
        #expect(try world.admin("POST /jobs/retry?id=2").text == "{\"retried\":1}\n")
        world.world.run(for: .seconds(1))
        let answer = try world.admin("GET /jobs")
        #expect(answer.text.contains(#""dead":[{"id":2,"kind":"start","priority":"critical""#))
        #expect(try world.admin("POST /jobs/drop?id=all").text == "{\"dropped\":1}\n")
        #expect(try world.admin("POST /jobs/retry?id=all").text == "{\"retried\":0}\n")
    }

    @Test(arguments: [
        ("POST /jobs/drop", 400), ("POST /jobs/drop?id=x", 400), ("POST /jobs/retry?id=9", 404),
        ("GET /jobs/retry?id=1", 405), ("POST /jobs", 405), ("GET /jobs?id=1", 400),
    ])
    func `a wrong question is refused`(line: String, status: Int) throws {
        #expect(try AdminWorld(Self.yaml).admin(line).status == status)
    }
}
