import EventLoop
import Primitives
import Proxy
import Settings
import Telemetry

/// The log's lines about the process itself: what changed, once per change.
struct EventLog {
    private let pipe: LogPipe
    private let level: LogSettings.Level

    init(_ pipe: LogPipe, level: LogSettings.Level) {
        self.pipe = pipe
        self.level = level
    }

    func started(
        _ addresses: [SocketAddress], admin: SocketAddress?, workers: Int, at clock: ClockReading
    ) {
        write(.info, "started", at: clock) { line in
            line.field("version", Array(Command.versionNumber.utf8).span)
            let listens = addresses.map(\.text).joined(separator: " ")
            line.field("listen", Array(listens.utf8).span)
            if let admin { line.field("admin", Array(admin.text.utf8).span) }
            line.field("workers", UInt64(workers))
        }
    }

    func upstream(_ name: String, isReachable: Bool, at clock: ClockReading) {
        write(
            isReachable ? .info : .error,
            isReachable ? "upstream reachable" : "upstream unreachable", at: clock
        ) { line in
            line.field("upstream", Array(name.utf8).span)
        }
    }

    /// Keys of credentials came, or could not be had. No part of a key is written.
    func keys(_ event: KeyEvent, at clock: ClockReading) {
        switch event {
        case .loaded(let source, let keys):
            write(.info, "keys loaded", at: clock) { line in
                line.field("source", Array(source.utf8).span)
                line.field("keys", UInt64(keys))
            }
        case .kept(let problem, let keys):
            let isWithout = keys == 0
            write(
                isWithout ? .error : .warning, isWithout ? "keys missing" : "keys kept", at: clock
            ) { line in
                line.field("source", Array(problem.source.utf8).span)
                line.field("reason", Array(problem.reason.utf8).span)
                line.field("keys", UInt64(keys))
            }
        }
    }

    func draining(at clock: ClockReading) { write(.info, "draining", at: clock) { _ in } }

    func stopped(cutOff: Int, at clock: ClockReading) {
        write(cutOff == 0 ? .info : .warning, "stopped", at: clock) { line in
            line.field("connections_cut_off", UInt64(cutOff))
        }
    }

    func warning(_ event: StaticString, at clock: ClockReading) {
        write(.warning, event, at: clock) { _ in }
    }

    /// Waits, for a second at most, until all lines have been written.
    func flush(on loop: EventLoop) async {
        let deadline = loop.now + .seconds(1)
        while !pipe.isIdle && loop.now < deadline { await loop.sleep(for: .milliseconds(5)) }
    }

    private func write(
        _ level: LogSettings.Level, _ event: StaticString, at clock: ClockReading,
        _ details: (inout JSONLine) -> Void
    ) {
        guard level.rawValue >= self.level.rawValue else { return }
        let buffer = ByteBuffer(capacity: 512)
        var line = JSONLine(to: buffer)
        line.field("timestamp", time: clock.wall)
        line.field("level", name(of: level))
        line.field("service", "weir")
        line.field("event", event)
        details(&line)
        line.end()
        pipe.submit(buffer.readable.copied, lines: 1)
    }

    private func name(of level: LogSettings.Level) -> StaticString {
        switch level {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }
}
