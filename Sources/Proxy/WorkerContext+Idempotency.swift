import Caching
import EventLoop
import HTTPModel
import Identity
import Primitives

/// What becomes of an unsafe request on a route that keeps answers by Idempotency-Key (standards S8).
extension WorkerContext {
    /// Looks whether the request has a key, and what is known of it.
    ///
    /// - Returns: `nil` when it has none and needs none, or is of a safe method: it goes on as any other.
    func judgeKey(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route,
        _ blueprint: Blueprint, isPeek: Bool
    ) -> Verdict? {
        guard let policy = route.idempotency, !request.method.isSafe else { return nil }
        var key = route.idempotencyScope
        switch appendKey(of: request, policy, to: &key) {
        case 0: return policy.isRequired ? .reject(.idempotencyKeyMissing) : nil
        case 1: break
        default: return .reject(.idempotencyKeyMalformed)
        }
        if request.framing != .none {
            switch exchange.content.state {
            case .unread: return .readContent(route, most: policy.maxBody)
            case .cut(.bodiesFull): return .reject(.idempotencyFull)
            case .cut: return .reject(.bodyTooLarge)
            case .whole: break
            }
        } else if !exchange.content.isWhole {
            exchange.content.end()
        }
        appendCaller(exchange.identity, request, blueprint, to: &key)
        let fingerprint = fingerprint(request, exchange.content.digest)
        if isPeek {
            let known = shared.idempotency.peek(key: key, fingerprint: fingerprint, at: loop.now)
            return known.map { verdict($0, route) } ?? .runOnce(route, policy, nil)
        }
        return verdict(
            shared.idempotency.claim(key: key, fingerprint: fingerprint, at: loop.now), route)
    }

    private func verdict(_ claim: IdempotencyStore.Claim, _ route: Route) -> Verdict {
        switch claim {
        case .first(let ticket):
            route.idempotency.map { .runOnce(route, $0, ticket) } ?? .forward(route)
        case .replay(let answer): .replay(route, answer)
        case .running: .reject(.idempotencyRunning)
        case .mismatch: .reject(.idempotencyMismatch)
        case .notKept: .reject(.idempotencyNotKept)
        case .full: .reject(.idempotencyFull)
        }
    }

    /// Appends the client's key; returns 0: there is none, 1: it is right, 2: it is not.
    private func appendKey(
        of request: borrowing RequestHead, _ policy: IdempotencyPolicy, to key: inout [UInt8]
    ) -> Int {
        let name = Array(policy.header.utf8)
        var count = 0
        for index in request.fields.indices
        where request.fields.name(at: index).equalsIgnoringCase(name.span) {
            count += 1
            if count > 1 { return 2 }
            guard IdempotencyKey.append(request.fields.value(at: index), to: &key) else { return 2 }
        }
        return count
    }

    /// Appends who asks: a proven user, else the credentials as they were sent, else the address. A zero byte,
    /// which no key has, comes before it.
    private func appendCaller(
        _ identity: borrowing ResolvedIdentity, _ request: borrowing RequestHead,
        _ blueprint: Blueprint, to key: inout [UInt8]
    ) {
        key.append(0)
        if identity.userIsProven, let user = identity.user {
            key.append("user=")
            key.append(user)
            return
        }
        var secrets: [UInt8] = []
        for index in request.fields.indices where blueprint.isCredential(index, of: request.fields)
        {
            secrets.append(request.fields.value(at: index))
            secrets.append(0)
        }
        if secrets.isEmpty {
            key.append("ip=")
            key.append(identity.address)
        } else {
            key.append("credentials=")
            ContentDigest(SHA256Digest(of: secrets.span).words).append(to: &key)
        }
    }

    /// Of method, target and content: a retry has the same.
    private func fingerprint(
        _ request: borrowing RequestHead, _ content: ContentDigest
    ) -> ContentDigest {
        var text: [UInt8] = []
        text.append(request.span(request.methodRange))
        text.append(0)
        text.append(request.span(request.target))
        text.append(0)
        content.append(to: &text)
        return ContentDigest(SHA256Digest(of: text.span).words)
    }
}
