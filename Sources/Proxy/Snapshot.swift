import Identity
import Upstreams

/// One configuration as one worker follows it: what was compiled of it, and what the worker has for it.
///
/// A request sees one snapshot from its first byte to its end, however long its origin takes. Its connection
/// takes the worker's current one when the next request begins; the last request that saw an old one lets
/// it go. So a reload changes nothing under anybody's feet, and no request asks twice which rules hold.
final class Snapshot {
    /// The configuration, shared by all workers.
    let blueprint: Blueprint
    /// Connections to origins, by upstream.
    let pools: [UpstreamPool]
    /// Keys, and the tokens that were verified.
    let credentials: Credentials

    init(_ blueprint: Blueprint, pools: [UpstreamPool], credentials: Credentials) {
        self.blueprint = blueprint
        self.pools = pools
        self.credentials = credentials
    }
}
