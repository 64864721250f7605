import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct FillModelTests {
    private struct Client {
        let reader: FillReader
        let isOwner: Bool
        var hasHead = false
        var body: [UInt8] = []
        var last: String?
        var isWaiting = false
        var bell = Bell()
    }

    @Test(arguments: 0..<100)
    func `random interleavings give every reader the same body, or a reason`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var bench = Bench(bytes: 8 << 20)
        let isStorable = random.below(4) > 0
        bench.policy.maxObject = random.below(3) == 0 ? 2000 : 1 << 20
        let fails = random.below(4) == 0
        let list = isStorable ? [("Cache-Control", "max-age=10")] : [("Cache-Control", "no-store")]
        let whole = (0..<random.below(8000)).map { _ in UInt8(random.below(256)) }
        let lead = try bench.lead(request())
        let fill = lead.fill
        var clients = [Client(reader: lead.reader, isOwner: true)]
        var sent = 0
        var hasHead = false
        var hasEnded = false
        for _ in 0..<20_000 where !(hasEnded && clients.allSatisfy { $0.last != nil }) {
            switch random.below(6) {
            case 0 where !hasHead:
                fill.publish(cachedHead(request(), response(200, list)))
                hasHead = true
            case 1 where hasHead && !hasEnded:
                if sent == whole.count || (fails && sent * 2 > whole.count) {
                    if fails { fill.fail(.reset, at: at(1)) } else { fill.finish(at: at(1)) }
                    hasEnded = true
                } else {
                    let count = min(whole.count - sent, 1 + random.below(900))
                    if fill.append(Array(whole[sent..<sent + count])) == .unwanted {
                        #expect(clients.allSatisfy { $0.last != nil || !$0.isOwner })
                        fill.fail(.abandoned, at: at(1))
                        hasEnded = true
                    }
                    sent += count
                }
            case 2 where clients.count < 12 && !hasEnded:
                // Once the fill is a window, another one leads, and is not looked at here.
                if case .follow(let joined, let reader) = bench.look(request()), joined === fill {
                    clients.append(Client(reader: reader, isOwner: false))
                } else if let reader = fill.join() {
                    clients.append(Client(reader: reader, isOwner: false))
                }
            case 3 where random.below(30) == 0:
                let i = random.below(clients.count)
                fill.leave(clients[i].reader)
                if clients[i].last == nil { clients[i].last = "left" }
            default:
                advance(&clients[random.below(clients.count)], fill)
            }
        }
        check(clients, whole, fails: fails, isStorable: isStorable)
        #expect(bench.store.statistics().fills <= 1 + Int(bench.store.statistics().misses))
        if let found = find(bench.store, request()) {
            let isWhole = Array(found.body.joined()) == whole
            #expect(isWhole)
            #expect(isStorable && !fails)
        }
    }

    private func advance(_ client: inout Client, _ fill: Fill) {
        guard client.last == nil else { return }
        // Who waits is woken before there is something to do.
        if client.isWaiting && client.bell.rings == 0 { return }
        client.isWaiting = false
        let bell = Bell()
        switch fill.next(client.reader, request: request(), wake: { bell.ring() }) {
        case .head:
            #expect(!client.hasHead)
            client.hasHead = true
        case .segment(let bytes):
            #expect(client.hasHead && !bytes.isEmpty)
            client.body += bytes
        case .wait:
            client.isWaiting = true
            client.bell = bell
        case let step:
            client.last = name(step)
        }
    }

    private func check(_ clients: [Client], _ whole: [UInt8], fails: Bool, isStorable: Bool) {
        for client in clients {
            #expect(client.last != nil, "nobody waits for ever")
            let isPrefix = client.body.elementsEqual(whole.prefix(client.body.count))
            #expect(isPrefix)
            switch client.last {
            case "end":
                let isWhole = client.body == whole
                #expect(isWhole && !fails)
                #expect(isStorable || client.isOwner)
            case "released notShared":
                #expect(!client.isOwner && client.body.isEmpty && !client.hasHead)
            case "failed reset": #expect(fails)
            case "failed abandoned", "left": break
            default: Issue.record("unexpected end \(client.last ?? "none")")
            }
        }
    }

    @Test func `readers on many threads get the same body`() async throws {
        var bench = Bench(bytes: 32 << 20)
        let lead = try bench.lead(request())
        let fill = lead.fill
        let whole = (0..<600_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let readers = [lead.reader] + (0..<7).compactMap { _ in fill.join() }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for reader in readers {
                group.addTask {
                    var body: [UInt8] = []
                    while true {
                        let step: FillStep = await withCheckedContinuation { continuation in
                            let step = fill.next(
                                reader, request: request(),
                                wake: { continuation.resume(returning: .wait) })
                            if case .wait = step { return }
                            continuation.resume(returning: step)
                        }
                        switch step {
                        case .segment(let bytes): body += bytes
                        case .head, .wait: continue
                        case .end: return body == whole
                        default: return false
                        }
                    }
                }
            }
            fill.publish(cachedHead(request(), response(200, [("Cache-Control", "max-age=10")])))
            var sent = 0
            while sent < whole.count {
                let end = min(whole.count, sent + 1777)
                #expect(fill.append(Array(whole[sent..<end])) == .more)
                sent = end
                if sent % 16 == 0 { await Task.yield() }
            }
            fill.finish(at: at(1))
            for try await isWhole in group { #expect(isWhole) }
        }
        #expect(bench.store.statistics().entries == 1)
    }
}
