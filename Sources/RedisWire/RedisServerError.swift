import Primitives

/// An error that a server answers with: a first word that programs understand, and a sentence.
public struct RedisServerError: Error, Sendable, Equatable {
    /// What the first word means.
    public enum Kind: Sendable, Equatable, BitwiseCopyable {
        /// The server reads its data and cannot answer yet.
        case loading
        /// A replica was asked to write.
        case readOnly
        /// A replica has lost its master.
        case masterDown
        /// The memory is full and nothing may be evicted.
        case outOfMemory
        /// A script runs for too long.
        case busy
        /// Writes are refused because the server cannot save its data.
        case cannotSave
        /// Writes are refused because there are too few replicas.
        case noReplicas
        /// A password is asked for.
        case noAuthentication
        /// The user or the password is wrong.
        case wrongPassword
        /// The user may not run this command or use this key.
        case noPermission
        /// The script is not known.
        case noScript
        /// The key is on another server of the cluster, for good.
        case moved
        /// The key is on another server of the cluster, this time.
        case ask
        /// The keys of the command are being moved.
        case tryAgain
        /// The cluster is not complete.
        case clusterDown
        /// The keys of the command are on several servers.
        case crossSlot
        /// The key holds another type.
        case wrongType
        /// Any other.
        case other
    }

    /// What it means.
    public let kind: Kind
    /// The whole line, without its end.
    public let line: [UInt8]

    /// Reads the line of an error, without the `-` at its begin.
    public init(line: [UInt8]) {
        self.line = line
        kind = RedisServerError.kind(of: line.span)
    }

    /// The line as text, with damaged UTF-8 replaced.
    public var text: String { String(decoding: line, as: UTF8.self) }

    /// Whether the server can do no work for anybody like us at present: the error is about it and not about the
    /// command.
    public var isAboutServer: Bool {
        switch kind {
        case .loading, .readOnly, .masterDown, .outOfMemory, .busy, .cannotSave, .noReplicas,
            .noAuthentication, .wrongPassword, .clusterDown:
            true
        case .noPermission, .noScript, .moved, .ask, .tryAgain, .crossSlot, .wrongType, .other:
            false
        }
    }

    /// Whether another server may have become the master, so that the connection is of no more use.
    public var isAboutRole: Bool { kind == .readOnly || kind == .masterDown }

    private static func kind(of line: Span<UInt8>) -> Kind {
        let word = line.extracting(0..<(line.firstIndex(of: ASCII.space) ?? line.count))
        if word.equals("LOADING") { return .loading }
        if word.equals("READONLY") { return .readOnly }
        if word.equals("MASTERDOWN") { return .masterDown }
        if word.equals("OOM") { return .outOfMemory }
        if word.equals("BUSY") { return .busy }
        if word.equals("MISCONF") { return .cannotSave }
        if word.equals("NOREPLICAS") { return .noReplicas }
        if word.equals("NOAUTH") { return .noAuthentication }
        if word.equals("WRONGPASS") { return .wrongPassword }
        if word.equals("NOPERM") { return .noPermission }
        if word.equals("NOSCRIPT") { return .noScript }
        if word.equals("MOVED") { return .moved }
        if word.equals("ASK") { return .ask }
        if word.equals("TRYAGAIN") { return .tryAgain }
        if word.equals("CLUSTERDOWN") { return .clusterDown }
        if word.equals("CROSSSLOT") { return .crossSlot }
        if word.equals("WRONGTYPE") { return .wrongType }
        // Redis 5 says so in other words.
        if line.starts(with: "ERR invalid password") { return .wrongPassword }
        // A script passes on what a command inside of it was refused for, in Redis 5 and 6 after words of its own.
        if line.starts(with: "ERR Error running script") { return kindInside(line) }
        return .other
    }

    private static func kindInside(_ line: Span<UInt8>) -> Kind {
        if line.containsIgnoringCase("-oom ") { return .outOfMemory }
        if line.containsIgnoringCase("-readonly ") { return .readOnly }
        if line.containsIgnoringCase("-misconf ") { return .cannotSave }
        if line.containsIgnoringCase("-noreplicas ") { return .noReplicas }
        return .other
    }
}
