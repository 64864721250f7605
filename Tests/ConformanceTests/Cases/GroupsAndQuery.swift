/// RFC 9875: groups of answers that go together, and RFC 10008: QUERY.
extension Table {
    private static let fresh = "Cache-Control: max-age=600"

    /// All cases share one origin, and so its groups: each has names of its own.
    @ListOf<Case> static var groups: [Case] {
        may(
            "9875-3-invalidates",
            "Cache-Group-Invalidation of an unsafe request's answer drops the group"
        ) {
            get().at("/a").origin(reply(fresh, "Cache-Groups: \"{path}g\""))
            get().at("/b").origin(reply(fresh, "Cache-Groups: \"{path}h\", \"{path}g\""))
            send("POST").body("x").origin(reply("Cache-Group-Invalidation: \"{path}g\""))
            get().at("/a").origin(reply(fresh))
            get().at("/b").origin(reply(fresh))
        }
        must("9875-3-others", "other groups stay") {
            get().at("/a").origin(reply(fresh, "Cache-Groups: \"{path}g\""))
            send("POST").body("x").origin(reply("Cache-Group-Invalidation: \"{path}other\""))
            get().at("/a")
        }
        must("9875-3-safe", "it is ignored on answers to safe methods") {
            get().at("/a").origin(reply(fresh, "Cache-Groups: \"{path}g\""))
            get().at("/b").origin(reply(fresh, "Cache-Group-Invalidation: \"{path}g\""))
            get().at("/a").content(of: 1)
        }
        must("9875-2.1-case", "the case of a group's name counts") {
            get().at("/a").origin(reply(fresh, "Cache-Groups: \"{path}g\""))
            send("POST").body("x").origin(reply("Cache-Group-Invalidation: \"{path}G\""))
            get().at("/a")
        }
        must("9875-2.1-origin", "a group is one of its origin") {
            get().host("a.test").at("/a").origin(reply(fresh, "Cache-Groups: \"{path}g\""))
            send("POST").host("b.test").body("x").origin(
                reply("Cache-Group-Invalidation: \"{path}g\""))
            get().host("a.test").at("/a")
        }
        may("9875-3-several", "several groups at once") {
            get().at("/a").origin(reply(fresh, "Cache-Groups: \"{path}g\""))
            get().at("/b").origin(reply(fresh, "Cache-Groups: \"{path}h\""))
            send("DELETE").origin(reply(204, "Cache-Group-Invalidation: \"{path}h\", \"{path}g\""))
            get().at("/a").origin(reply(fresh))
            get().at("/b").origin(reply(fresh))
        }
        must("9875-2.2-cascade", "a group's end does not drop the other groups of its members") {
            get().at("/a").origin(reply(fresh, "Cache-Groups: \"{path}g\", \"{path}h\""))
            get().at("/b").origin(reply(fresh, "Cache-Groups: \"{path}h\""))
            send("POST").body("x").origin(reply("Cache-Group-Invalidation: \"{path}g\""))
            get().at("/b")
        }
        must("9875-3-parameters", "parameters are ignored") {
            get().at("/a").origin(reply(fresh, "Cache-Groups: \"{path}g\";x=1"))
            send("POST").body("x").origin(reply("Cache-Group-Invalidation: \"{path}g\";y=2"))
            get().at("/a").origin(reply(fresh))
        }
        must("9875-2-32-groups", "32 groups of 32 characters are read") {
            let names = (10..<42).map { "\"" + String(repeating: "g", count: 30) + "\($0)\"" }
            get().at("/a").origin(reply(fresh, "Cache-Groups: " + names.joined(separator: ", ")))
            send("POST").body("x").origin(reply("Cache-Group-Invalidation: \(names[31])"))
            get().at("/a").origin(reply(fresh))
        }
        must("9875-3-invalid", "a field that is no list of strings is ignored") {
            get().at("/a").origin(reply(fresh, "Cache-Groups: \"{path}g\""))
            send("POST").body("x").origin(reply("Cache-Group-Invalidation: \"{path}g\", &"))
            get().at("/a")
        }
        weir("9875-3-error", "an error of an unsafe request drops the groups it names, too") {
            get().at("/a").origin(reply(fresh, "Cache-Groups: \"{path}g\""))
            send("POST").body("x").origin(reply(500, "Cache-Group-Invalidation: \"{path}g\""))
            get().at("/a").origin(reply(fresh))
        }
        may("9875-3-passed", "both fields are passed on") {
            get().at("/a").origin(reply(fresh, "Cache-Groups: \"{path}g\""))
            get().at("/a").sees("Cache-Groups: \"{path}g\"")
            send("POST").body("x").origin(reply("Cache-Group-Invalidation: \"{path}g\""))
                .sees("Cache-Group-Invalidation: \"{path}g\"")
        }
    }

    private static func query(_ content: String, _ type: String = "application/json") -> Exchange {
        send("QUERY", "Content-Type: \(type)").body(content)
    }

    @ListOf<Case> static var query: [Case] {
        may(
            "10008-2.7-stored", "an answer to QUERY answers the next one with the same content",
            in: .query
        ) {
            query("{\"a\":1}").origin(reply(fresh))
            query("{\"a\":1}")
        }
        must("10008-2.7-content", "the content is a part of the key", in: .query) {
            query("{\"a\":1}").origin(reply(fresh))
            query("{\"a\":2}").origin(reply(fresh))
        }
        must("10008-2.7-type", "Content-Type is a part of the key", in: .query) {
            query("a", "text/x-a").origin(reply(fresh))
            query("a", "text/x-b").origin(reply(fresh))
        }
        must("10008-2.7-encoding", "Content-Encoding is a part of the key", in: .query) {
            query("a").origin(reply(fresh))
            send("QUERY", "Content-Type: application/json", "Content-Encoding: gzip").body("a")
                .origin(reply(fresh))
        }
        must("10008-2.7-target", "the target is a part of the key", in: .query) {
            query("a").at("/a").origin(reply(fresh))
            query("a").at("/b").origin(reply(fresh))
        }
        must("10008-2.7-get", "an answer to QUERY does not answer a GET", in: .query) {
            query("a").origin(reply(fresh))
            get().origin(reply(fresh))
        }
        must("10008-2.7-from-get", "an answer to GET does not answer a QUERY", in: .query) {
            get().origin(reply(fresh))
            query("a").origin(reply(fresh))
        }
        must("10008-2.7-no-store", "no-store counts for QUERY", in: .query) {
            query("a").origin(reply("Cache-Control: no-store"))
            query("a").origin(reply("Cache-Control: no-store"))
        }
        must("10008-2-safe", "QUERY is safe: it drops nothing", in: .query) {
            get().origin(reply(fresh))
            query("a").origin(reply())
            get().content(of: 1)
        }
        must("10008-2-content-passed", "the origin gets the content", in: .query) {
            query("{\"a\":1}").origin(reply(fresh))
                .originSees("Content-Length: 7", "Content-Type: application/json")
        }
        must("10008-2.7-vary", "Vary counts for QUERY", in: .query) {
            send("QUERY", "X-A: 1").body("a").origin(reply(fresh, "Vary: X-A"))
            send("QUERY", "X-A: 2").body("a").origin(reply(fresh, "Vary: X-A"))
        }
        must(
            "10008-2.7-authorization", "an answer to QUERY with Authorization is not shared",
            in: .query
        ) {
            send("QUERY", "Authorization: Basic YTpi").body("a").origin(reply(fresh))
            send("QUERY", "Authorization: Basic Yzpk").body("a").origin(reply(fresh))
        }
        may(
            "10008-2.7-invalidated", "an unsafe request drops the answers to QUERY of its target",
            in: .query
        ) {
            query("a").origin(reply(fresh))
            query("a")
            send("POST").body("x").origin(reply())
            query("a").origin(reply(fresh))
        }
        must(
            "10008-2.7-max-body", "content too long for a key goes past the cache, whole",
            in: .query
        ) {
            let long = String(repeating: "a", count: 1001)
            query(long).origin(reply(fresh)).originSees("Content-Length: 1001")
            query(long).origin(reply(fresh))
        }
        should(
            "10008-2.7-validation",
            "a stale answer to QUERY is validated, and the content sent again", in: .query
        ) {
            query("abc").origin(reply("Cache-Control: max-age=60", "Age: 100", "ETag: \"a\""))
            query("abc").origin(reply(304, "ETag: \"a\"", fresh))
                .originSees("If-None-Match: \"a\"", "Content-Length: 3")
            query("abc").content(of: 1)
        }
        should("10008-2.7-not-modified", "a client's ETag is compared for QUERY too", in: .query) {
            query("abc").origin(reply(fresh, "ETag: \"a\""))
            send("QUERY", "Content-Type: application/json", "If-None-Match: \"a\"").body("abc")
                .status(304)
        }
        must("10008-2.7-head", "an answer to QUERY does not answer a HEAD", in: .query) {
            query("a").origin(reply(fresh))
            head().origin(reply(fresh))
        }
        weir("10008-2.7-by-choice", "without `methods: [QUERY]` answers to QUERY are not stored") {
            query("a").origin(reply(fresh))
            query("a").origin(reply(fresh))
        }
        weir(
            "weir-post",
            "with `methods: [POST]` and `vary_by: [body]` POST is answered from the store",
            in: .post
        ) {
            send("POST", "Content-Type: a/b").body("one").origin(reply())
            send("POST", "Content-Type: a/b").body("one").content(of: 1).says("hit")
        }
        weir("weir-post-body", "another content is another answer to POST", in: .post) {
            send("POST", "Content-Type: a/b").body("one").origin(reply())
            send("POST", "Content-Type: a/b").body("two").origin(reply())
            send("POST", "Content-Type: a/c").body("one").origin(reply())
            send("POST", "Content-Type: a/b").body("one").content(of: 1)
        }
        weir("weir-post-get", "GET and POST do not answer each other", in: .post) {
            get().origin(reply())
            send("POST").body("").origin(reply())
            get().content(of: 1)
        }
        weir(
            "weir-post-invalidates",
            "a POST that is stored drops nothing; other unsafe methods drop all", in: .post
        ) {
            get().origin(reply())
            send("POST").body("one").origin(reply())
            get().content(of: 1)
            send("PUT").body("x").origin(reply())
            get().origin(reply())
            send("POST").body("one").origin(reply())
        }
        weir("weir-post-no-store", "no-store counts for POST", in: .post) {
            send("POST").body("one").origin(reply("Cache-Control: no-store"))
            send("POST").body("one").origin(reply("Cache-Control: no-store"))
        }
        weir("weir-post-error", "errors are not stored for POST", in: .post) {
            send("POST").body("one").origin(reply(500))
            send("POST").body("one").origin(reply(500))
        }
    }
}
