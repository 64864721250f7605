import Caching
import EventLoop
import HTTPModel
import Identity
import Primitives
import Settings

/// What answers of the origin purge beyond their own target.
extension WorkerContext {
    /// Purges the tags that the route of an unsafe request names when it succeeds, and the groups that the answer names
    /// (RFC 9875 §3, cases `9875-3-…`); an answer to a safe request purges nothing.
    func purge(
        _ request: borrowing RequestHead, _ identity: borrowing ResolvedIdentity,
        _ answer: borrowing ResponseHead, _ route: Route, _ blueprint: Blueprint
    ) {
        guard blueprint.caches, !request.method.isSafe else { return }
        if Invalidation.isDue(method: request.method, status: answer.status) {
            let whose = TagIdentity(
                user: identity.user, company: identity.company, tier: identity.tier)
            for template in route.invalidates {
                for tag in template.tags(of: request, whose) { purge(.tag, tag) }
            }
        }
        let groups = StructuredStrings.list(named: "cache-group-invalidation", of: answer.fields)
        for group in groups ?? [] {
            var value: [UInt8] = []
            CacheKey.appendOrigin(of: request, to: &value)
            value.append(ASCII.space)
            value.append(group.span)
            purge(.group, value)
        }
    }

    private func purge(_ kind: PurgeRecord.Kind, _ value: [UInt8]) {
        let record = PurgeRecord(
            id: random.next(), kind: kind, value: value, isSoft: false, time: loop.clock.wall)
        // No stored answer has a tag that cannot be purged.
        guard record.problem == nil else { return }
        shared.purge(record, on: loop)
    }
}

extension ResolvedIdentity {
    /// Adds the tags that `templates` make of a request.
    borrowing func appendTags(
        _ templates: [TagTemplate], of request: borrowing RequestHead, to tags: inout CacheTags
    ) {
        let whose = TagIdentity(user: user, company: company, tier: tier)
        for template in templates {
            for tag in template.tags(of: request, whose) {
                tags.append(tag.span, from: .route)
            }
        }
    }
}
