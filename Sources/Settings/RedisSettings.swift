public import Primitives

/// How one Redis is reached and used: a server, a cluster, or a master that sentinels watch.
public struct RedisSettings: Sendable, Equatable {
    /// Where a server of Redis listens.
    public enum Place: Sendable, Equatable, Hashable {
        /// A name or address literal to resolve, and a port.
        case host(String, port: UInt16)
        /// A Unix socket.
        case unix(String)
    }

    /// Which server holds a key.
    public enum Topology: Sendable, Equatable {
        /// One server holds all.
        case single(Place)
        /// The servers of a cluster, asked in turn for the others; at least one.
        case cluster([Place])
        /// The sentinels, asked in turn for the master of this name; at least one.
        case sentinel(master: String, [Place])
    }

    /// How servers prove who they are.
    public struct TLS: Sendable, Equatable {
        /// A file of certificates in PEM form that are trusted besides the system's; `nil`: none.
        public var authorityFile: String?

        /// Creates settings.
        public init(authorityFile: String? = nil) { self.authorityFile = authorityFile }
    }

    /// Where it is.
    public var topology: Topology
    /// The user of AUTH; `nil`: the server's default user.
    public var username: String?
    /// The password of AUTH; `nil`: no AUTH is sent. Never printed in a message or a log.
    public var password: String?
    /// The database of SELECT; always 0 in a cluster.
    public var database = 0
    /// TLS to every server, sentinels too; `nil`: plain TCP.
    public var tls: TLS?
    /// How long an answer may take before the call has failed.
    public var timeout = Nanoseconds.milliseconds(50)
    /// How long a connection may take to be ready for commands: name, TCP, TLS and AUTH.
    public var connectTimeout = Nanoseconds.seconds(1)
    /// What all keys and channels begin with, before a colon.
    public var namespace = "weir"
    /// Whether reads of the cache may go to replicas; limits never do.
    public var readsFromReplicas = false

    /// Creates settings with the defaults.
    public init(topology: Topology) { self.topology = topology }
}

/// The Redis of the limits and the Redis of the cache: the same one, or two.
public struct RedisStores: Sendable, Equatable {
    /// Where limits are counted.
    public var limits: RedisSettings
    /// Where answers are stored and purges are announced.
    public var cache: RedisSettings

    /// Whether both are the same, so that connections and breaker are shared.
    public var isOne: Bool { limits == cache }

    /// Creates a pair.
    public init(limits: RedisSettings, cache: RedisSettings) {
        self.limits = limits
        self.cache = cache
    }
}
