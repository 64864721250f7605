public import EventLoop
public import Identity
import Limits
public import Primitives
public import Settings
import Telemetry

extension ProxyServer {
    /// Says what would become of a request now, and why. Changes nothing.
    public func explain(_ asked: AskedRequest) async -> Explanation {
        var (explanation, blueprint) = await workers[0].explain(asked)
        explanation.tryRoutes(asked, blueprint)
        return explanation
    }

    /// The `count` keys that limits refused most since the start, or since they were reset; the most refused
    /// first.
    public func refusedKeys(_ count: Int) async -> [RefusedKey] {
        var all: [HeavyHitters] = []
        for worker in workers { all.append(await worker.refusedKeys()) }
        return HeavyHitters.top(count, of: all).map { RefusedKey($0) }
    }

    /// Forgets how often limits refused a key.
    public func forgetRefusals(of key: Digest128) async {
        for worker in workers { await worker.forgetRefusals(of: key) }
    }
}

extension Explanation {
    /// Says what a process that has just started would do with a request: nothing is counted yet, nothing is
    /// stored. Binds no address and connects to nobody: limits in Redis count from nothing, too.
    ///
    /// - Parameters:
    ///   - asked: The request.
    ///   - settings: The configuration.
    ///   - keys: The keys for tokens, and the API keys.
    ///   - kernel: The system calls.
    /// - Returns: `nil` when the process is out of descriptors.
    public static func atStart(
        _ asked: AskedRequest, _ settings: ProxySettings, keys: CredentialKeys,
        kernel: Kernel = Kernel()
    ) -> Explanation? {
        guard let loop = EventLoop(kernel: kernel) else { return nil }
        let shared = Set(
            settings.redis == nil
                ? [] : settings.limits.filter { $0.consistency != .process }.map(\.name))
        let settings = settings.withoutRedis
        let blueprint = Blueprint(settings)
        let state = SharedState(
            settings, log: nil, seed: KeyedHasher.Seed.random(), now: kernel.now())
        let context = WorkerContext(loop: loop, shared: state, blueprint: blueprint, seed: 0)
        context.snapshot.credentials.keys = keys
        var explanation = context.explainAlone(asked)
        explanation.tryRoutes(asked, blueprint)
        for index in explanation.limits.indices {
            explanation.limits[index].isAssumed = shared.contains(explanation.limits[index].name)
        }
        return explanation
    }
}
