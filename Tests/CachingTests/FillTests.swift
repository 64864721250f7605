import Caching
import HTTPModel
import Primitives
import Synchronization
import Testing

/// Counts calls, from any thread.
final class Bell: Sendable {
    private let count = Atomic<Int>(0)
    var rings: Int { count.load(ordering: .relaxed) }
    func ring() { count.add(1, ordering: .relaxed) }
}

func name(_ step: FillStep) -> String {
    switch step {
    case .interim(let head): "interim \(text(head))"
    case .head: "head"
    case .segment(let bytes): "segment \(text(bytes))"
    case .end: "end"
    case .stored(_, let source): source == .stale ? "stale" : "stored"
    case .failed(let reason): "failed \(reason)"
    case .released(let reason): "released \(reason)"
    case .wait: "wait"
    }
}

@Suite struct FillTests {
    private let fresh = [("Cache-Control", "max-age=10")]

    private func step(_ fill: Fill, _ reader: FillReader, _ bell: Bell = Bell()) -> String {
        name(fill.next(reader, request: request(), wake: { bell.ring() }))
    }

    @Test func `a reader follows head, parts and end, and is woken once for each wait`() throws {
        var bench = Bench()
        let lead = try bench.lead(request())
        let (fill, reader) = (lead.fill, lead.reader)
        let bell = Bell()
        #expect(step(fill, reader, bell) == "wait")
        fill.publish(cachedHead(request(), response(200, fresh)))
        #expect(bell.rings == 1)
        #expect(step(fill, reader) == "head")
        #expect(step(fill, reader, bell) == "wait")
        #expect(fill.append(bytes("a")) == .more)
        #expect(fill.append(bytes("b")) == .more)
        #expect(bell.rings == 2)
        #expect(step(fill, reader) == "segment a")
        #expect(step(fill, reader) == "segment b")
        #expect(step(fill, reader, bell) == "wait")
        fill.finish(at: at(1))
        #expect(bell.rings == 3)
        #expect(step(fill, reader) == "end")
        #expect(step(fill, reader) == "failed abandoned")
    }

    @Test func `a late reader gets all from the beginning`() throws {
        var bench = Bench()
        let lead = try bench.lead(request())
        lead.fill.publish(cachedHead(request(), response(200, fresh)))
        _ = lead.fill.append(bytes("a"))
        guard case .follow(let fill, let late) = bench.look(request()) else {
            throw Unexpected.lookup
        }
        #expect(step(fill, late) == "head")
        #expect(step(fill, late) == "segment a")
    }

    @Test func `the first client may leave, and the fill still completes and stores`() throws {
        var bench = Bench()
        let lead = try bench.lead(request())
        lead.fill.leave(lead.reader)
        lead.fill.publish(cachedHead(request(), response(200, fresh)))
        #expect(lead.fill.append(bytes("whole")) == .more)
        let stored = try #require(lead.fill.finish(at: at(2)))
        #expect(body(stored) == "whole")
        #expect(stored.head.delta == .seconds(2))
        #expect(name(bench.look(request())) == "hit")
    }

    @Test func `an answer that nobody may store and nobody reads is unwanted`() throws {
        var bench = Bench()
        let lead = try bench.lead(request())
        lead.fill.publish(cachedHead(request(), response(200, [("Cache-Control", "no-store")])))
        #expect(lead.fill.append(bytes("a")) == .more)
        lead.fill.leave(lead.reader)
        #expect(lead.fill.append(bytes("b")) == .unwanted)
    }

    @Test func `a failure after the head reaches all readers after what had come`() throws {
        var bench = Bench()
        let lead = try bench.lead(request())
        guard case .follow(let fill, let follower) = bench.look(request()) else {
            throw Unexpected.lookup
        }
        fill.publish(cachedHead(request(), response(200, fresh)))
        _ = fill.append(bytes("a"))
        fill.fail(.reset, at: at(1))
        #expect(fill.append(bytes("b")) == .unwanted)
        #expect(fill.finish(at: at(1)) == nil)
        #expect(step(fill, lead.reader) == "failed reset")
        #expect(step(fill, follower) == "failed reset")
        #expect(fill.join() == nil)
        #expect(name(bench.look(request(), at: 1)) == "lead uriMiss")
        #expect(bench.store.statistics().entries == 0)
        #expect(bench.store.statistics().fills == 1)
    }

    @Test(arguments: ["a", "abc"])
    func `a body of the wrong length fails and is not stored`(content: String) throws {
        var bench = Bench()
        let lead = try bench.lead(request())
        lead.fill.publish(cachedHead(request(), response(200, fresh, framing: .length(2))))
        _ = lead.fill.append(bytes(content))
        #expect(step(lead.fill, lead.reader) == "head")
        #expect(step(lead.fill, lead.reader) == "segment \(content)")
        #expect(lead.fill.finish(at: at(1)) == nil)
        #expect(step(lead.fill, lead.reader) == "failed incomplete")
        #expect(bench.store.statistics().entries == 0)
    }

    @Test func `release sends all upstream, wakes them, and is remembered`() throws {
        var bench = Bench()
        let lead = try bench.lead(request())
        let bell = Bell()
        var followers: [FillReader] = []
        for _ in 0..<10 {
            guard case .follow(let fill, let reader) = bench.look(request()) else {
                throw Unexpected.lookup
            }
            #expect(step(fill, reader, bell) == "wait")
            followers.append(reader)
        }
        lead.fill.release(at: at(0))
        #expect(bell.rings == 10)
        for reader in followers { #expect(step(lead.fill, reader) == "released notShared") }
        #expect(name(bench.look(request(), at: 1)) == "bypass hitForMiss")
        #expect(bench.store.statistics().fills == 0)
    }

    @Test func `what ends first counts`() throws {
        var bench = Bench()
        let lead = try bench.lead(request())
        bench.answer(lead.fill, request(), fresh)
        lead.fill.fail(.abandoned, at: at(1))
        lead.fill.release(at: at(1))
        #expect(step(lead.fill, lead.reader) == "head")
        #expect(step(lead.fill, lead.reader) == "segment hello")
        #expect(step(lead.fill, lead.reader) == "end")
        #expect(name(bench.look(request())) == "hit")
    }

    @Test func `a body beyond max_object becomes a window: no new readers, bounded, not stored`()
        throws
    {
        var bench = Bench(bytes: 64 << 20)
        bench.policy.maxObject = 100_000
        let lead = try bench.lead(request())
        let fill = lead.fill
        fill.publish(cachedHead(request(), response(200, fresh)))
        let part = [UInt8](repeating: 1, count: 50_000)
        for _ in 0..<2 { #expect(fill.append(part) == .more) }
        guard case .follow(_, let follower) = bench.look(request()) else { throw Unexpected.lookup }
        #expect(fill.append(part) == .more)
        #expect(fill.join() == nil)
        #expect(name(bench.look(request())) == "lead uriMiss")
        // The owner reads along; the follower, without its head yet, is not held against the leader.
        var appended = 3
        while fill.append(part) == .more { appended += 1 }
        #expect((appended + 1) * part.count >= CacheBounds.windowBytes)
        let bell = Bell()
        let isDrained = fill.whenDrained(wake: { bell.ring() })
        #expect(!isDrained)
        #expect(step(fill, lead.reader) == "head")
        var read = 0
        while case .segment(let bytes) = fill.next(lead.reader, request: request(), wake: {}) {
            read += bytes.count
        }
        #expect(read == (appended + 1) * part.count)
        #expect(bell.rings == 1)
        let isDrainedNow = fill.whenDrained(wake: { bell.ring() })
        #expect(isDrainedNow && bell.rings == 1)
        #expect(step(fill, follower) == "released notShared")
        fill.finish(at: at(1))
        #expect(bench.store.statistics().entries == 0)
        #expect(bench.store.statistics().tooLarge == 1)
    }

    @Test func `a slow reader that leaves frees the leader`() throws {
        var bench = Bench()
        let lead = try bench.lead(request())
        lead.fill.publish(cachedHead(request(), response(200, [("Cache-Control", "no-store")])))
        let part = [UInt8](repeating: 1, count: 300_000)
        while lead.fill.append(part) == .more {}
        let bell = Bell()
        let isDrained = lead.fill.whenDrained(wake: { bell.ring() })
        #expect(!isDrained)
        lead.fill.leave(lead.reader)
        #expect(bell.rings == 1)
        #expect(lead.fill.append(part) == .unwanted)
    }

    @Test func `many small parts are stored as few`() throws {
        var bench = Bench(bytes: 16 << 20)
        let lead = try bench.lead(request())
        lead.fill.publish(cachedHead(request(), response(200, fresh)))
        var whole: [UInt8] = []
        for i in 0..<1000 {
            let part = [UInt8](repeating: UInt8(i % 251), count: 700)
            whole += part
            _ = lead.fill.append(part)
        }
        let stored = try #require(lead.fill.finish(at: at(1)))
        let isWhole = Array(stored.body.joined()) == whole
        #expect(isWhole)
        #expect(stored.body.count == 3)
    }
}
