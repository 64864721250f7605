import Caching
import HTTPModel
import Routes
import Settings

/// Reads templates of tags: `tags:` of a cache and `invalidates:` of a route.
extension Report {
    /// A list of templates; `path` is the route's, empty at the top level.
    func tagTemplates(_ value: Value, path: String) -> [TagTemplate] {
        var templates: [TagTemplate] = []
        for item in items(value, "tags", atMost: CacheBounds.templates) {
            guard let text = text(item, "a tag", help: Self.tagHelp) else { continue }
            do throws(TagTemplate.Problem) {
                let template = try TagTemplate(text, path: path)
                if templates.contains(template) { error(item, "`\(text)` stands twice") }
                templates.append(template)
            } catch {
                let (message, help) = words(for: error, of: text, path: path)
                self.error(item, message, help: help)
            }
        }
        return templates
    }

    /// `invalidates:` of a route, which must take some unsafe method.
    func invalidates(_ value: Value, _ route: inout ParsedRoute) {
        route.invalidatesValue = value
        route.settings.invalidates = tagTemplates(value, path: route.settings.match.path)
        let methods = route.settings.match.methods.map { Method(Array($0.utf8).span) }
        if !methods.isEmpty && methods.allSatisfy(\.isSafe) {
            error(
                keyOf: value, "the route takes safe methods alone, which change nothing",
                help: "only POST, PUT, PATCH, DELETE and unknown methods invalidate")
        }
    }

    private static let tagHelp =
        "for example `analytics`, `connection:{query.connection_id}` or `{path.id}`"

    private func words(
        for problem: TagTemplate.Problem, of text: String, path: String
    ) -> (message: String, help: String?) {
        switch problem {
        case .length: return ("a tag has at most \(CacheBounds.templateBytes) bytes", nil)
        case .character: return ("a tag has no controls and no spaces at its ends", nil)
        case .brace:
            return ("a brace has no other half in \"\(Value.shortened(text))\"", Self.tagHelp)
        case .unknown(let name):
            return (
                "no value `{\(Value.shortened(name))}`",
                "there are `{user}`, `{company}`, `{tier}`, `{path.NAME}`, `{query.NAME}`, `{header.NAME}`"
            )
        case .noSegment(let name):
            let shown = Value.shortened(name)
            return path.isEmpty
                ? ("`{path.\(shown)}` belongs to a route, whose path has `{\(shown)}`", nil)
                : (
                    "the route's path has no segment `{\(shown)}`",
                    "name it in `path: \(Value.shortened(path))`"
                )
        }
    }

    /// Parts of the identity in tags: somebody must have them, and answers that are shared have none.
    func checkTags(_ routes: [ParsedRoute], _ cache: ParsedCache, _ identity: ParsedIdentity) {
        for route in routes {
            if let value = route.invalidatesValue {
                checkIdentity(of: route.settings.invalidates, value, identity)
            }
            guard let policy = route.settings.cache, let value = route.cacheValue else { continue }
            checkShared(policy, value, identity)
        }
        if let value = cache.value, !cache.isOff { checkShared(cache.policy, value, identity) }
    }

    private func checkShared(_ policy: CachePolicy, _ cache: Value, _ identity: ParsedIdentity) {
        guard case .map(let entries) = cache.content,
            let tags = entries.first(where: { $0.key == "tags" })?.value
        else { return }
        checkIdentity(of: policy.tags, tags, identity)
        let enough: [TagTemplate.Part: (word: String, by: [CachePolicy.VaryBy])] = [
            .user: ("user", [.user]), .company: ("company", [.company, .user]),
            .tier: ("tier", [.tier, .company, .user]),
        ]
        for part in policy.tags.flatMap(\.parts) {
            guard let (word, parts) = enough[part], !parts.contains(where: policy.varyBy.contains)
            else { continue }
            return error(
                tags,
                "`{\(word)}` would be the \(word) of the first request, for an answer that all share",
                help: "add `\(word)` to `vary_by`")
        }
    }

    private func checkIdentity(
        of templates: [TagTemplate], _ value: Value, _ identity: ParsedIdentity
    ) {
        let known: [(TagTemplate.Part, String, Bool)] = [
            (.user, "user", identity.hasUser), (.company, "company", identity.hasCompany),
            (.tier, "tier", identity.hasTier),
        ]
        for (part, word, isThere) in known where !isThere {
            if templates.contains(where: { $0.parts.contains(part) }) {
                error(
                    value, "`identity.\(word)` is not set: no request has a \(word)",
                    help: "set `identity.\(word)`, or remove `{\(word)}`")
            }
        }
    }
}
