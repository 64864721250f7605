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
    /// Batches of strict limits whose memory is kept for later turns.
    static let idleTurns = 8
    /// Calls for strict limits on their way, one at Redis and one to or from it, beside which small batches wait.
    static let callsInFlight = 2
    /// Limits that a batch asks about which does not wait.
    static let fullCall = 16
    /// Orders for leases in one call.
    static let leasesPerCall = 256
    /// How often a subscription asks whether its connection lives, and how long it may say nothing.
    static let subscriptionPing = Nanoseconds.milliseconds(500)
    static let subscriptionSilence = Nanoseconds.milliseconds(1500)
    /// How often the sentinels are asked whether the master is still the same.
    static let masterInterval = Nanoseconds.seconds(5)
    /// Replicas of one master that are read from.
    static let replicas = 16
    /// How often they are looked at.
    static let replicaInterval = Nanoseconds.seconds(1)
    /// The part of `redis.timeout` that a replica has for an answer; the rest is its master's.
    static let replicaShare: UInt64 = 4
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
    /// How often a process gives a sign of life, and looks whether it has missed a purge.
    static let fleetBeat = Nanoseconds.seconds(1)
    /// After how long without one a process does not count any more.
    static let fleetSilence = Nanoseconds.seconds(3)
    /// The pause between attempts while Redis is away, and between readings while no announcements arrive.
    static let fleetPause = Nanoseconds.milliseconds(30)
    /// How long all purges are taken as known after Redis has said so, while announcements arrive.
    static let fleetTrust = Nanoseconds.milliseconds(2500)
    /// The same while none do.
    static let fleetTrustUntold = Nanoseconds.milliseconds(90)
    /// Own purges sent in one call.
    static let fleetBatch = 64
    /// Purges read in one call.
    static let fleetPage = 512
    /// When what the fleet has in Redis expires after the last process has gone. Answers that were stored before are not
    /// used then.
    static let fleetExpiry = Nanoseconds.seconds(7 * 24 * 3600)
    /// Requests whose hits are added in one call.
    static let popularBatch = 250
    /// Names looked at in one step of a walk over all of them or over a set, and the pause after it: 20,000 a second.
    static let scanStep = 100
    static let scanPause = Nanoseconds.milliseconds(5)
    /// Errors in a row after which such a walk has failed: about six seconds without Redis.
    static let freeAttempts = 20
    /// Names in the set of a tag; and how many whose time is over leave it when another one is added.
    static let setMembers = 1 << 16
    static let setCleaning = 16
}
