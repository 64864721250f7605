import Caching
import EventLoop
import Primitives
import RedisWire
import Settings

/// Gives back the room of purged answers in Redis, behind the purges.
///
/// Records alone decide that an answer is dead (`PurgeHistory`); this only frees memory. A purge of a key removes what
/// stands under its name at once, a purge of everything walks over all names with SCAN. What other purges mean, and the
/// answers of single users and variants, leave when they are read and replaced, or when their time is over.
final class PurgedValues {
    private let client: RedisClient
    private let namespace: [UInt8]
    private var isWalking = false
    /// Whether everything was purged again since the walk began.
    private var isDueAgain = false
    private var isStopped = false

    init(_ client: RedisClient) {
        self.client = client
        namespace = Array(client.settings.namespace.utf8)
    }

    func stop() { isStopped = true }

    /// Removes what `records`, which Redis has by now, name.
    func remove(what records: [PurgeRecord]) {
        for record in records where !record.isSoft {
            switch record.kind {
            case .key: unlink(SharedKey.name(of: record.value.span, namespace: namespace))
            case .all: walk()
            case .tag, .group, .prefix, .glob, .user, .company: break
            }
        }
    }

    private func unlink(_ name: [UInt8]) {
        var command = RedisCommand("UNLINK", reserving: name.count + 16)
        command.append(key: name)
        client.send(command)
    }

    private func walk() {
        // SCAN asks one server: those of a cluster keep what is dead until its time is over.
        if case .cluster = client.settings.topology { return }
        isDueAgain = isWalking
        guard !isWalking else { return }
        isWalking = true
        client.loop.start { [self] in
            repeat {
                isDueAgain = false
                await walkOnce()
            } while isDueAgain && !isStopped
            isWalking = false
        }
    }

    /// Removes all answers there are, a few at a time; gives up when Redis does not answer.
    private func walkOnce() async {
        var cursor = Array("0".utf8)
        repeat {
            var scan = RedisCommand("SCAN")
            scan.append(cursor)
            scan.append("MATCH")
            // A namespace has no character that is special in a pattern.
            scan.append(namespace + Array(":c:{*".utf8))
            scan.append("COUNT")
            scan.append(Int64(Bounds.scanStep))
            guard let parts = try? await client.call(scan, until: client.deadline).elements,
                parts.count == 2, let next = parts[0].bytes, let names = parts[1].elements
            else { return }
            for name in names { if let name = name.bytes { unlink(name) } }
            cursor = next
            await client.loop.sleep(for: Bounds.scanPause)
        } while cursor != [UInt8(ascii: "0")] && !isStopped
    }
}
