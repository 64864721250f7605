import Caching
import HTTPModel
import Primitives
import Upstreams

/// What a fetch asks the origin for.
enum FetchQuestion {
    /// All of it.
    case whole
    /// Whether the stored answer is still right.
    case validation
    /// What the client asks for: a part.
    case part
    /// What is missing of the stored parts.
    case completion(BodySlice)

    /// The first question of a fetch; `revived`: a stale answer from Redis.
    init(for fill: Fill, revived: StoredResponse?) {
        if fill.validates || revived != nil && !fill.isForPart && fill.parts == nil {
            self = .validation
        } else if fill.isForPart {
            self = .part
        } else if let parts = fill.parts?.parts {
            self = .completion(parts.gap)
        } else {
            self = .whole
        }
    }
}

extension CacheFetch {
    /// What became of an answer.
    enum Taking {
        /// The fetch has ended.
        case done
        /// It is not what was asked for: ask for the whole.
        case askForWhole
    }

    /// Takes a 206 that the client asked for: kept as a part, or for this client alone.
    func takePart(_ upstream: UpstreamConnection, _ times: FetchTimes) async {
        switch PartialDecision.decide(
            fill: fill, request: request, response: upstream.response, policy: cache.policy,
            times: times, tags: tags(of: upstream.response))
        {
        case .store(let head, let slice): fill.publish(head, part: slice, status: 206)
        case .refuse(let refusal):
            fill.publish(CachedHead(passing: upstream.response, times: times, refusal: refusal))
        }
        let isWhole = await takeBody(upstream)
        pool.release(upstream, reusable: isWhole)
    }

    /// Takes the answer to a question about what is missing: with the stored parts it is the whole.
    func takeCompletion(
        _ upstream: UpstreamConnection, _ gap: BodySlice, _ times: FetchTimes
    ) async -> Taking {
        switch upstream.response.status {
        case 206:
            guard let stored = fill.parts, let head = completed(stored, upstream, gap, times) else {
                // It is not about the version that is stored.
                pool.release(upstream, reusable: false)
                return .askForWhole
            }
            fill.publish(head, status: 206)
            let isWhole = await takeBody(
                upstream, before: gap.start > 0 ? stored.segments(of: BodySlice(0, gap.start)) : [],
                behind: gap.end < stored.wholeCount
                    ? stored.segments(of: BodySlice(gap.end, stored.wholeCount)) : [])
            pool.release(upstream, reusable: isWhole)
            return .done
        case 304, 416:
            // No answer that If-Range allows.
            pool.release(upstream, reusable: false)
            return .askForWhole
        default:
            await take(upstream, times)
            return .done
        }
    }

    /// The head of the whole answer, when a 206 brings exactly what is missing of the stored version.
    private func completed(
        _ stored: StoredResponse, _ upstream: UpstreamConnection, _ gap: BodySlice,
        _ times: FetchTimes
    ) -> CachedHead? {
        guard
            case .store(let head, gap) = PartialDecision.decide(
                fill: fill, request: request, response: upstream.response, policy: cache.policy,
                times: times),
            head.contentLength == UInt64(stored.wholeCount),
            StrongValidator(of: head) == StrongValidator(of: stored.head)
        else { return nil }
        return head
    }
}
