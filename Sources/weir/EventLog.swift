import EventLoop
import Primitives
import Proxy
import RedisClient
import Settings
import Telemetry

/// The log's lines about the process itself: what changed, once per change.
struct EventLog {
    private let pipe: LogPipe
    /// The least level that is written.
    var level: LogSettings.Level

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

    /// A Redis is left alone from now on, or asked again after `outage`.
    func redis(
        _ name: String, _ change: RedisHealthChange, after outage: Nanoseconds?,
        at clock: ClockReading
    ) {
        let isDegraded = change.isDegraded
        write(
            isDegraded ? .error : .info,
            isDegraded ? "redis unavailable" : "redis available again", at: clock
        ) { line in
            line.field("redis", Array(name.utf8).span)
            if let reason = change.reason { line.field("reason", Array(reason.text.utf8).span) }
            if let outage { line.field("after_ms", outage.count / 1_000_000) }
        }
    }

    /// What a Redis is, or that it could not be asked.
    func redis(_ name: String, warning: String, at clock: ClockReading) {
        write(.warning, "redis warning", at: clock) { line in
            line.field("redis", Array(name.utf8).span)
            line.field("warning", Array(warning.utf8).span)
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

    /// Popular keys were read, or could not be read or written. No key is written.
    func warm(_ event: WarmEvent, at clock: ClockReading) {
        switch event {
        case .loaded(let file, let keys):
            write(.info, "popular keys loaded", at: clock) { line in
                line.field("file", Array(file.utf8).span)
                line.field("keys", UInt64(keys))
            }
        case .ignored(let file, let reason):
            write(.warning, "popular keys ignored", at: clock) { line in
                line.field("file", Array(file.utf8).span)
                line.field("reason", Array(reason.utf8).span)
            }
        case .notWritten(let file, let reason):
            write(.warning, "popular keys not written", at: clock) { line in
                line.field("file", Array(file.utf8).span)
                line.field("reason", Array(reason.utf8).span)
            }
        }
    }

    /// Problems of a file that are told in one line.
    static let problemsMax = 3

    /// Another configuration is followed.
    func reloaded(_ change: SettingsChange, generation: UInt64, at clock: ClockReading) {
        write(.info, "reloaded", at: clock) { line in
            line.field("config_generation", generation)
            line.field("routes", Array(text(of: change.routes).utf8).span)
            line.field("limits", Array(text(of: change.limits).utf8).span)
            line.field("upstreams", Array(text(of: change.upstreams).utf8).span)
            let others = change.others.joined(separator: " ")
            if !others.isEmpty { line.field("changed", Array(others.utf8).span) }
        }
    }

    private func text(of count: SettingsChange.Count) -> String {
        "\(count.added) added, \(count.changed) changed, \(count.removed) removed"
    }

    /// The file was wrong or could not be read, and the former configuration is followed on.
    func reloadFailed(_ problems: [String], count: Int, at clock: ClockReading) {
        write(.warning, "reload failed", at: clock) { line in
            line.field("problems", UInt64(count))
            line.field("problem", Array(problems.joined(separator: "; ").utf8).span)
        }
    }

    /// The file is right, but a new process is needed to follow it.
    func reloadNeedsRestart(_ keys: [String], at clock: ClockReading) {
        write(.warning, "reload needs restart", at: clock) { line in
            line.field("keys", Array(keys.joined(separator: " ").utf8).span)
        }
    }

    /// An operator has turned one of the cache's switches, or it ended by itself.
    func cache(_ change: CacheSwitches.Change, at clock: ClockReading) {
        switch change {
        case .bypassed(let end):
            write(.warning, "cache switched off", at: clock) { line in
                if let end { line.field("until", time: end) }
            }
        case .used: write(.info, "cache switched on", at: clock) { _ in }
        case .lifetimes(let factor, let end):
            write(factor == 1000 ? .info : .warning, "cache ttl factor", at: clock) { line in
                line.field("factor", Array(CacheSwitches.text(ofFactor: factor).utf8).span)
                if let end { line.field("until", time: end) }
            }
        }
    }

    func draining(at clock: ClockReading) { write(.info, "draining", at: clock) { _ in } }

    func stopped(cutOff: Int, at clock: ClockReading) {
        write(cutOff == 0 ? .info : .warning, "stopped", at: clock) { line in
            line.field("connections_cut_off", UInt64(cutOff))
        }
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
