import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct SetCookieTests {
    private let answer = response(
        200, [("Cache-Control", "max-age=60"), ("Set-Cookie", "a=b"), ("set-cookie", "c=d")])

    private func policy(
        _ choice: CachePolicy.SetCookie, varyBy: [CachePolicy.VaryBy] = []
    ) -> CachePolicy {
        var policy = CachePolicy()
        policy.setCookie = choice
        policy.varyBy = varyBy
        return policy
    }

    @Test func `stripped, the stored head has no cookie, and the one who asked gets both`() {
        let head = cachedHead(request("/"), answer, policy: policy(.strip))
        #expect(head.isStorable)
        #expect(!text(head.bytes).lowercased().contains("cookie"))
        #expect(text(head.personal) == "Set-Cookie: a=b\r\nset-cookie: c=d\r\n")
    }

    @Test func `stored, the head keeps its cookies, for a key that names the user`() {
        let policy = policy(.store, varyBy: [.user])
        let head = cachedHead(request("/"), answer, policy: policy, user: "ada")
        #expect(head.isStorable && head.personal.isEmpty)
        #expect(text(head.bytes).contains("Set-Cookie: a=b\r\nset-cookie: c=d\r\n"))
    }

    @Test(
        arguments: [
            ([], false), ([.company, .tier], false), ([.user], true), ([.company, .user], true),
        ] as [([CachePolicy.VaryBy], Bool)])
    func `without the user in the key cookies are never stored`(
        varyBy: [CachePolicy.VaryBy], isStored: Bool
    ) {
        let decision = StoreDecision.decide(
            request: request("/"), response: answer, policy: policy(.store, varyBy: varyBy),
            times: times())
        #expect((decision == .refuse(.setCookie)) == !isStored)
    }

    @Test func `a validated answer gets no cookie of the 304, and keeps its own if it may`() throws
    {
        let tagged = response(
            200, [("Cache-Control", "max-age=60"), ("ETag", "\"1\""), ("Set-Cookie", "a=b")],
            framing: .length(0))
        let update = response(304, [("ETag", "\"1\""), ("Set-Cookie", "new=1")])
        for (choice, expected) in [(CachePolicy.SetCookie.strip, false), (.store, true)] {
            let policy = policy(choice, varyBy: [.user])
            let head = cachedHead(request("/"), tagged, policy: policy, user: "ada")
            let fresh = try #require(
                StoredResponse(head: head, body: []).freshened(
                    by: update, request: request("/"), policy: policy, times: times(1)))
            #expect(fresh.head.isStorable && fresh.head.personal.isEmpty)
            #expect(text(fresh.head.bytes).contains("a=b") == expected)
            #expect(!text(fresh.head.bytes).contains("new=1"))
        }
    }
}
