import Caching
import EventLoop
import Proxy
import TestKit
import Testing

/// Purges as other replicas know them.
@Suite struct PurgeIdentifierTests {
    @Test func `purges of one moment are told apart`() throws {
        let proxy = try ProxyWorld("cache: {ttl: 1m}")
        let server = proxy.server
        let loop = proxy.world.peerLoop
        var identifiers: Set<UInt64> = []
        for _ in 0..<1000 {
            for record in try server.purge(PurgeOrder(.tag, "t", isSoft: false), on: loop) {
                identifiers.insert(record.id)
            }
        }
        #expect(identifiers.count == 1000)
    }
}
