import Caching
import HTTP1
import HTTPModel
import Identity
import Limits
import Primitives
import Telemetry

/// All a request needs while it is served: pooled by the worker, so that an idle connection holds none of it
/// and a warm request allocates nothing.
final class Exchange {
    /// What the client has sent and nobody has used yet.
    let input = ByteBuffer(capacity: 16 << 10)
    /// What the client will be sent.
    let output = ByteBuffer(capacity: 16 << 10)
    /// What the origin will be sent.
    let forwarded = ByteBuffer(capacity: 4 << 10)
    /// The body of an answer that the proxy makes itself.
    let scratch = ByteBuffer(capacity: 512)
    /// Reads the client's heads, within the bounds that its connection tells.
    var parser = RequestParser(bounds: HeadBounds(headerBytes: 1, fields: 1, targetBytes: 1))
    private var lentRequest = Lent(RequestHead())
    private var lentIdentity = Lent(ResolvedIdentity())
    var cacheKey: [UInt8] = []
    /// What the cache did, when the origin is asked.
    var cacheStatus: CacheStatus?
    let decision = LimitDecision()
    /// Whether the limits of the request's route have decided, and it has not ended for them.
    var isLimited = false
    /// The cache's part in the answer, as the limits were told, and then as it turned out.
    var answer = LimitAnswer.miss
    /// The random word by which this refusal's Retry-After is spread.
    var jitter: UInt64 = 0
    private var lentDimensions = Lent(LimitDimensions())
    /// When the limits decided: what they tell counts from then, however long the origin takes.
    var decided = ClockReading(monotonic: .never, wall: WallTime(nanoseconds: 0))
    var record = AccessRecord()
    /// The rest of the request's body in `input` and still to come.
    var body = BodyDecoder(.none)
    /// What of it was read before the verdict.
    var content = RequestContent()
    /// Whether the client waits for `100 Continue` before it sends its body.
    var awaitsContinue = false

    var request: RequestHead {
        _read { yield lentRequest.value }
        _modify { yield &lentRequest.value }
    }

    /// Who asks.
    var identity: ResolvedIdentity {
        _read { yield lentIdentity.value }
        _modify { yield &lentIdentity.value }
    }

    /// The values that the route's limits count by beyond the identity.
    var dimensions: LimitDimensions {
        _read { yield lentDimensions.value }
        _modify { yield &lentDimensions.value }
    }

    /// Lends what limits look at: whom a request of this `method` is counted as, and by what else.
    @inline(__always)
    func lendSubject<Result>(
        method: Method, _ body: (borrowing LimitSubject, borrowing LimitDimensions) -> Result
    ) -> Result {
        lentIdentity.lend { identity in
            lentDimensions.lend { dimensions in
                body(LimitSubject(identity, method: method), dimensions)
            }
        }
    }

    /// Lends the request as a whole, so that nothing of it is copied.
    @inline(__always)
    func lendRequest<Result>(_ body: (borrowing RequestHead) -> Result) -> Result {
        lentRequest.lend(body)
    }

    /// Forgets the last request: nothing that is said of the next one may come from it.
    func begin(_ framing: BodyFraming) {
        body.begin(framing)
        awaitsContinue = false
        decision.clear()
        answer = .miss
        cacheStatus = nil
    }

    /// Marks a request whose credentials stand where only the configuration knows.
    func noteCredentials(_ blueprint: Blueprint) {
        if blueprint.hasOtherCredentials(request.fields) {
            request.fields.hasOtherCredentials = true
        }
    }

    /// Forgets the last client.
    func reset() {
        input.removeAll()
        output.removeAll()
        forwarded.removeAll()
        scratch.removeAll()
        input.shrink(to: Bounds.pooledBuffer)
        output.shrink(to: Bounds.pooledBuffer)
        forwarded.shrink(to: Bounds.pooledBuffer)
    }
}
