import Proxy
import Settings
import Testing

/// What a reload's log line says, and what it cannot do.
@Suite struct SettingsChangeTests {
    private func change(_ old: String, _ new: String) throws -> SettingsChange {
        SettingsChange(from: try ProxyWorld.settings(old), to: try ProxyWorld.settings(new))
    }

    @Test func `the same file changes nothing`() throws {
        let file = "limits: {a: 1/s per ip}\ncache: 5m\nroutes: [{path: /a, limits: [a]}]"
        let change = try change(file, file)
        #expect(change.routes == .init() && change.limits == .init() && change.upstreams == .init())
        #expect(change.others == [] && change.needsRestart == [])
    }

    @Test func `names are compared, not places`() throws {
        let change = try change(
            """
            upstreams: {one: http://a, two: http://b}
            limits: {x: 1/s per ip, y: 2/s per ip, z: 3/s per ip}
            routes: [{path: /a, upstream: one, limits: [x, y]}, {path: /b, upstream: two}, {path: /c, upstream: two, limits: [z]}]
            """,
            """
            upstreams: {new: http://c, two: http://b, one: http://a}
            limits: {z: 4/s per ip, y: 2/s per ip, x: 1/s per ip}
            routes: [{path: /c, upstream: two, limits: [y]}, {path: /d, upstream: new, limits: [z]}, {path: /a, upstream: one, limits: [x, y]}]
            """)
        #expect(change.routes == .init(added: 1, changed: 1, removed: 1))
        #expect(change.limits == .init(changed: 1))
        #expect(change.upstreams == .init(added: 1))
        #expect(change.needsRestart == [])
    }

    @Test func `what belongs to the process needs a restart, the rest does not`() throws {
        let fixed = try change(
            "", "listen: 10.1.0.1:8081\nadmin: 127.0.0.1:0\nworkers: 2\nlimit_keys: 2000")
        #expect(fixed.needsRestart == ["listen", "admin", "workers", "limit_keys"])
        let rest = try change(
            "",
            """
            identity: {trusted_proxies: [10.0.0.0/8]}
            cache: {memory: 2MiB}
            http: {fields: 10}
            headers: {dialects: []}
            log: {sample: 10%}
            shutdown: {drain: 1s}
            """)
        #expect(rest.needsRestart == [])
        #expect(rest.others == ["identity", "http", "headers", "log", "shutdown", "cache.memory"])
        #expect(rest.changesIdentity)
    }
}
