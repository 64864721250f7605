import Caching
import Settings
import Testing

private let identity = "identity: {user: header:X-User, trusted_proxies: [10.0.0.1]}\n"

@Test(arguments: [
    (
        "routes: [{path: '/a/{id}', cache: {ttl: 1s, tags: ['{path.ids}']}}]",
        "routes[0].cache.tags[0]: the route's path has no segment `{ids}`"
    ),
    (
        "cache: {ttl: 1s, tags: ['{path.id}']}",
        "cache.tags[0]: `{path.id}` belongs to a route, whose path has `{id}`"
    ),
    (
        "cache: {ttl: 1s, tags: ['a{user']}",
        "cache.tags[0]: a brace has no other half in \"a{user\""
    ),
    ("cache: {ttl: 1s, tags: ['{usr}']}", "cache.tags[0]: no value `{usr}`"),
    ("cache: {ttl: 1s, tags: [a, a]}", "cache.tags[1]: `a` stands twice"),
    (
        "cache: {ttl: 1s, tags: ['{company}'], vary_by: [user]}",
        "cache.tags: `identity.company` is not set: no request has a company"
    ),
    (
        "routes: [{path: /a, cache: {ttl: 1s, tags: ['{user}']}}]",
        "routes[0].cache.tags: `{user}` would be the user of the first request, for an answer that "
            + "all share"
    ),
    (
        "routes: [{path: /a, methods: [GET, HEAD], invalidates: [x]}]",
        "routes[0].invalidates: the route takes safe methods alone, which change nothing"
    ),
    (
        "routes: [{path: /a, invalidates: ['{company}']}]",
        "routes[0].invalidates: `identity.company` is not set: no request has a company"
    ),
])
func `tags that could not work are refused`(lines: String, message: String) {
    let found = messages(frame + identity + lines + "\n").map { $0.drop { $0 != " " }.dropFirst() }
    #expect(found == ["\(message)"])
}

@Test func `tags of routes take the place of those of all routes`() throws {
    let text =
        frame + identity + """
            cache: {ttl: 1s, tags: [all]}
            routes:
              - path: /a/{id}
                cache: {vary_by: [user], tags: ["a:{path.id}", "{user}", "q:{query.q}"]}
              - {path: /b, cache: 1s}
              - {path: /c, methods: [POST], invalidates: ["a:{query.id}", "{header.X-Tag}"]}

            """
    let loaded = try settings(text)
    #expect(loaded.routes[0].cache?.tags.map(\.text) == ["a:{path.id}", "{user}", "q:{query.q}"])
    #expect(loaded.routes[1].cache?.tags.map(\.text) == ["all"])
    #expect(loaded.routes[2].invalidates.map(\.text) == ["a:{query.id}", "{header.x-tag}"])
}
