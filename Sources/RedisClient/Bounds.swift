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
    /// How often a subscription asks whether its connection lives, and how long it may say nothing.
    static let subscriptionPing = Nanoseconds.milliseconds(500)
    static let subscriptionSilence = Nanoseconds.milliseconds(1500)
    /// How often the sentinels are asked whether the master is still the same.
    static let masterInterval = Nanoseconds.seconds(5)
    /// Redirections that one command of a cluster follows.
    static let redirects = 5
    /// The pause before a command is tried again whose keys are being moved.
    static let tryAgainPause = Nanoseconds.milliseconds(5)
    /// The least time between two questions about who has which slot.
    static let refreshPause = Nanoseconds.milliseconds(200)
    /// Bytes of a file of authorities.
    static let authorityBytes = 1 << 20
    /// Changes of state kept for the log.
    static let changes = 64
}
