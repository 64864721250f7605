public import Primitives

/// One entry of `listen:`.
public struct ListenerSettings: Sendable, Equatable {
    /// The address to bind.
    public var address: SocketAddress

    /// Creates settings.
    public init(address: SocketAddress) { self.address = address }
}

/// The `admin:` part.
public struct AdminSettings: Sendable, Equatable {
    /// The address to bind; beyond loopback only with a token.
    public var address: SocketAddress
    /// The bearer token every request but the health checks must carry; `nil`: none is asked for.
    public var token: String?
    /// Whether `/health`, `/healthz` and `/readyz` are answered on the main listeners too.
    public var healthOnMain: Bool

    /// Creates settings.
    public init(address: SocketAddress, token: String? = nil, healthOnMain: Bool = false) {
        self.address = address
        self.token = token
        self.healthOnMain = healthOnMain
    }
}

/// One entry of `upstreams:`.
public struct UpstreamSettings: Sendable, Equatable {
    /// One origin server, as its URL names it.
    public struct Server: Sendable, Equatable {
        /// Where it is.
        public enum Location: Sendable, Equatable {
            /// A name or address literal to resolve, and a port.
            case host(String, port: UInt16)
            /// A Unix socket.
            case unix(String)
        }
        /// Where it is.
        public var location: Location
        /// The authority as written, for messages, and for the Host field where one must be made.
        public var authority: String
        /// Its share against the others, 1…1000.
        public var weight: Int

        /// Creates settings.
        public init(location: Location, authority: String, weight: Int = 1) {
            self.location = location
            self.authority = authority
            self.weight = weight
        }
    }

    /// The name in logs, metrics and health.
    public var name: String
    /// The servers, at least one.
    public var servers: [Server]
    /// Connections per worker that are kept open.
    public var poolSize = 20
    /// Connections per worker beyond `poolSize` that may be opened under load and are closed after use.
    public var poolOverflow = 40
    /// How long a request may wait for a connection, then 503.
    public var poolWait = Nanoseconds.seconds(30)
    /// The age at which a connection is closed instead of kept.
    public var recycle = Nanoseconds.seconds(3600)
    /// How long an idle connection is kept.
    public var poolIdle = Nanoseconds.seconds(60)
    /// The time for a connection to be made, then 504.
    public var connectTimeout = Nanoseconds.seconds(5)
    /// The time until the head of the answer is there, then 504.
    public var firstByteTimeout = Nanoseconds.seconds(30)
    /// The longest pause inside an answer.
    public var idleTimeout = Nanoseconds.seconds(60)

    /// Creates settings with the defaults.
    public init(name: String, servers: [Server]) {
        self.name = name
        self.servers = servers
    }
}

/// The `http:` part: bounds of the protocol towards clients.
public struct HTTPSettings: Sendable, Equatable {
    /// Bytes of a request's head, then 431.
    public var headerBytes = 16 << 10
    /// Fields of a request, then 431.
    public var fields = 100
    /// Bytes of a request target, then 414.
    public var targetBytes = 8 << 10
    /// Bytes of a request's body, then 413.
    public var bodyBytes: UInt64 = 64 << 20
    /// The time from a request's first byte to the end of its head, then 408.
    public var requestTimeout = Nanoseconds.seconds(10)
    /// How long a connection may be idle between requests, and the longest pause inside a body.
    public var idleTimeout = Nanoseconds.seconds(60)
    /// Client connections of the whole process, then 503.
    public var connections = 20_000

    /// Creates settings with the defaults.
    public init() {}
}

/// The `headers:` part.
public struct HeaderSettings: Sendable, Equatable {
    /// Whether X-RateLimit-Limit, -Remaining and -Reset are sent.
    public var xRateLimit = true
    /// Whether RateLimit-Policy and RateLimit of the IETF draft 11 are sent.
    public var ietfDraft11 = true
    /// Whether RateLimit-Limit, -Remaining and -Reset of the IETF draft 03 are sent; not beside draft 11,
    /// whose RateLimit-Policy has another form.
    public var ietfDraft03 = false
    /// By how much Retry-After may be longer than the wait, 0…1: a random part of this share is added, so that
    /// refused clients do not come back together.
    public var retryAfterJitter = 0.0
    /// Whether X-RateLimit-Reset is seconds from now instead of the Unix time.
    public var resetIsDelta = false

    /// Creates settings with the defaults.
    public init() {}
}

/// The `log:` part.
public struct LogSettings: Sendable, Equatable {
    /// How much is said.
    public enum Level: Int, Sendable, Equatable, CaseIterable {
        /// Everything.
        case debug
        /// Requests and changes of state.
        case info
        /// What an operator should look at.
        case warning
        /// What failed.
        case error
    }

    /// The least level that is written.
    public var level = Level.info
    /// The share of requests that are logged, 0…1. Answers of 500 and above are logged unless it is 0.
    public var sample = 1.0

    /// Creates settings with the defaults.
    public init() {}
}
