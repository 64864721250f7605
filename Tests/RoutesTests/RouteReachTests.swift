import HTTPModel
import Primitives
import Routes
import Testing

extension RouteDefinition {
    fileprivate func covers(_ later: RouteDefinition) -> Bool {
        RouteReach(self).covers(RouteReach(later))
    }
}

private func covers(_ earlier: String, _ later: String) -> Bool {
    RouteDefinition(name: "", path: earlier).covers(RouteDefinition(name: "", path: later))
}

@Test func `an open pattern covers what is below it`() {
    #expect(covers("/**", "/"))
    #expect(covers("/api/**", "/api"))
    #expect(covers("/api/**", "/api/"))
    #expect(covers("/api/**", "/api/{id}/**"))
    #expect(covers("/*/**", "/a/**"))
    #expect(covers("/{id}", "/a"))
    #expect(!covers("/*/**", "/"))
    #expect(!covers("/a/*/**", "/a/**"))
    #expect(!covers("/a", "/a/**"))
    #expect(!covers("/a", "/{id}"))
    #expect(!covers("/{id}", "/a/"))
    #expect(!covers("/a/{id}", "/a/"))
}

@Test func `methods, host and headers must be covered as well`() {
    let all = RouteDefinition(name: "", path: "/**")
    let get = RouteDefinition(name: "", path: "/a", methods: ["GET"])
    let head = RouteDefinition(name: "", path: "/a", methods: ["HEAD"])
    #expect(all.covers(get))
    #expect(get.covers(head))
    #expect(!head.covers(get))
    #expect(!get.covers(RouteDefinition(name: "", path: "/a")))
    let exact = RouteDefinition(name: "", path: "/a", host: "b.example.com")
    let suffix = RouteDefinition(name: "", path: "/a", host: "*.example.com")
    #expect(suffix.covers(exact))
    #expect(!exact.covers(suffix))
    #expect(!suffix.covers(RouteDefinition(name: "", path: "/a", host: "example.com")))
    #expect(!suffix.covers(get))
    let anyValue = RouteDefinition(name: "", path: "/a", headers: [.init(name: "x", value: nil)])
    let oneValue = RouteDefinition(name: "", path: "/a", headers: [.init(name: "x", value: "1")])
    #expect(anyValue.covers(oneValue))
    #expect(!oneValue.covers(anyValue))
    #expect(!anyValue.covers(all))
}

@Test func `no request of a covered route gets past the route that covers it`() {
    var random = SeededRandom(seed: 3)
    func anyRoute() -> RouteDefinition {
        var path = ""
        for _ in 0..<random.below(4) { path += ["/a", "/b", "/*"][random.below(3)] }
        path += ["", "/", "/**"][random.below(3)]
        return RouteDefinition(
            name: "", path: path.isEmpty ? "/" : path,
            methods: [[], ["GET"], ["GET", "HEAD"], ["HEAD"], ["PUT"]][random.below(5)],
            host: [nil, "h", "*.h", "a.h", "*.a.h"][random.below(5)])
    }
    var covered = 0
    for _ in 0..<20_000 {
        let earlier = anyRoute()
        let later = anyRoute()
        guard earlier.covers(later) else { continue }
        covered += 1
        let both = RouteTable([earlier, later])
        for _ in 0..<20 {
            var path = ""
            for _ in 0..<random.below(5) { path += ["/a", "/b", "/c", "/"][random.below(4)] }
            let method = ["GET", "HEAD", "PUT", "POST"][random.below(4)]
            let host = ["h", "a.h", "b.a.h", "c.h"][random.below(4)]
            let head = request(path.isEmpty ? "/" : path, method: method, host: host)
            #expect(both.match(head) != 1, "\(earlier) does not cover \(later)")
        }
    }
    #expect(covered > 200)
}
