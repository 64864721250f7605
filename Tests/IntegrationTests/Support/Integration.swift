import Testing

/// The scenarios on the built binary: an origin, the proxy and clients as one would run them, with real
/// sockets on loopback and ports from the kernel.
///
/// They run one after the other: each starts processes and threads of its own, and some measure time.
@Suite(.serialized) enum Integration {}

/// The bound of every wait: far more than any step takes, so that only a fault reaches it.
let patience = Duration.seconds(30)

/// What a scenario says when a wait reached its bound or something outside the test failed.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
