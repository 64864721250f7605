// Every scenario uses it.
@_exported import BinaryKit
import Testing

/// The scenarios on the built binary: an origin, the proxy and clients as one would run them, with real
/// sockets on loopback and ports from the kernel.
///
/// They run one after the other: each starts processes and threads of its own, and some measure time.
@Suite(.serialized) enum Integration {}
