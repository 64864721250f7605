import EventLoop
import Primitives
import Proxy
import Settings
import TestKit

/// A proxy that is warmed, with a file system of one file.
final class WarmScene {
    let world: ProxyWorld
    /// The file of popular keys; `nil`: there is none.
    let file: Probe<[UInt8]?>
    /// The error of every write; `nil`: they succeed.
    let writeError = Probe<Int32?>(nil)
    let events = Probe<[WarmEvent]>([])
    /// What the origin was asked for, in order.
    let asked = Probe<[SimulatedMessage]>([])
    /// Requests that the origin answers now, and the most there were.
    let open = Probe<(now: Int, most: Int)>((0, 0))
    private let settings: WarmSettings?

    init(_ yaml: String, file: [UInt8]? = nil) throws {
        world = try ProxyWorld(yaml)
        self.file = Probe(file)
        settings = try ProxyWorld.settings(yaml).warm
    }

    /// An origin that answers as `answer` says to the n-th request for a target, after a tenth of a second.
    func origin(_ answer: @escaping @Sendable (_ target: String, _ count: Int) -> String) {
        let (asked, open) = (asked, open)
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                asked.update { $0.append(request) }
                open.update { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                let count = asked.value.count { $0.target == request.target }
                await peer.sleep(.milliseconds(100))
                open.update { $0.now -= 1 }
                try await peer.send(answer(request.target, count))
            }
        }
    }

    /// What was asked for, sorted.
    var targets: [String] { asked.value.map(\.target).sorted() }

    /// Starts a warmer, and stops it after so long.
    func warm(for time: Nanoseconds) -> PeerTask {
        let (file, writeError, events, settings) = (file, writeError, events, settings)
        let server = world.server
        return world.world.task(on: world.world.peerLoop) { control in
            var files = WarmWorld { event in events.update { $0.append(event) } }
            files.read = { (_, _) throws(HostError) in
                guard let bytes = file.value else { throw HostError(number: 2) }
                return bytes
            }
            files.write = { (_, bytes) throws(HostError) in
                if let number = writeError.value { throw HostError(number: number) }
                file.value = bytes
            }
            let warmer = Warmer(server, world: files, loop: control, seed: 1)
            warmer.start(settings)
            await control.sleep(for: time)
            await warmer.stop()
        }
    }

    /// Warms for so long.
    func runWarmer(for time: Nanoseconds) { world.world.run(warm(for: time)) }

    /// How background work stands.
    var status: JobStatus { world.server.shared.background.status }

    /// The lines of the file between the first and the last: host and target.
    var keys: [String] {
        let text = String(decoding: file.value ?? [], as: UTF8.self)
        return text.split(separator: "\n").dropFirst().dropLast().map { line in
            line.split(separator: "\t").dropFirst().joined(separator: " ")
        }
    }
}

extension JobStatus {
    /// The counts of one kind at its own priority.
    func counts(_ kind: JobKind, _ priority: JobPriority? = nil) -> JobCounts {
        rows.first { $0.kind == kind && $0.priority == priority ?? kind.priority }?.counts
            ?? JobCounts()
    }
}
