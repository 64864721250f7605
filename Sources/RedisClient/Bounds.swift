import Primitives

/// The bounds of what talks to Redis.
enum Bounds {
    /// Commands of one connection that are sent and not answered.
    static let pendingCommands = 1 << 16
    /// Calls that wait for a connection to be made.
    static let waitingCalls = 4096
    /// Bytes of commands that wait to be written to one connection.
    static let outputBytes = 16 << 20
    /// Memory a connection keeps for commands when it has none.
    static let idleOutputBytes = 256 << 10
    /// Bytes read in a row before other tasks of the loop have their turn.
    static let bytesPerTurn = 256 << 10
    /// The pause after a first failure; each further one doubles it, and half of it is left to chance.
    static let firstPause = Nanoseconds.milliseconds(20)
    /// The longest pause: a server that is back is found within a second.
    static let longestPause = Nanoseconds.milliseconds(400)
    /// A connection that lived longer ends without a pause before the next one.
    static let stableLife = Nanoseconds.seconds(1)
    /// How long an attempt to connect may take while Redis is away, unless timeouts say more.
    static let probeTime = Nanoseconds.milliseconds(400)
    /// Orders for leases in one call.
    static let leasesPerCall = 256
    /// How often a subscription asks whether its connection lives, and how long it may say nothing.
    static let subscriptionPing = Nanoseconds.milliseconds(500)
    static let subscriptionSilence = Nanoseconds.milliseconds(1500)
    /// Bytes of a file of authorities.
    static let authorityBytes = 1 << 20
    /// Changes of state kept for the log.
    static let changes = 64
}
