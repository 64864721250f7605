import Caching
import HTTPModel
import Identity
import Primitives
import Routes
import Settings

/// URLs that no route would store an answer to.
extension Report {
    func checkWarm(_ cache: ParsedCache, _ routes: [ParsedRoute], _ identity: ParsedIdentity) {
        guard let warm = cache.warm else { return }
        checkWarmFields(warm, identity)
        // Where a route was not read, it may have been the one.
        guard routes.allSatisfy(\.hasRightMatch) else { return }
        let table = RouteTable(routes.map(\.settings.match))
        for url in warm.urls {
            guard let index = table.match(Report.head(of: url.request)) else {
                error(url.value, "no route takes it")
                continue
            }
            let route = routes[index].settings
            let name = "the route `\(Value.shortened(route.match.path))`"
            guard let policy = route.cache else {
                error(url.value, "\(name) takes it and does not use the cache")
                continue
            }
            if route.requiresUser || policy.isForSomebody {
                error(
                    url.value, "\(name) takes it and has an answer for each client",
                    help: "warming fetches what is the same for everybody: a route without "
                        + "identity in `vary_by` and `auth: required`")
            }
        }
    }

    /// Fields that would say who asks.
    private func checkWarmFields(_ warm: ParsedWarm, _ identity: ParsedIdentity) {
        let settings = identity.settings
        var names = settings.apiKeys.map { [$0.header] } ?? []
        for case .header(let name) in settings.user + settings.company + settings.tier {
            names.append(name)
        }
        for url in warm.urls {
            for field in url.request.fields
            where names.contains(where: { Text.lowered($0) == field.name }) {
                error(url.value, "`\(field.name)` says who asks; warming asks for nobody")
            }
        }
    }

    /// The head of a warming request, as far as routes look at it.
    private static func head(of request: WarmRequest) -> RequestHead {
        var head = RequestHead()
        head.method = .get
        head.methodRange = head.fields.appendBytes(Array("GET".utf8).span)
        head.target = head.fields.appendBytes(Array(request.target.utf8).span)
        let path = request.target.prefix { $0 != "?" }
        head.path = ByteRange(start: Int(head.target.start), count: path.utf8.count)
        head.authority = head.fields.appendBytes(Array(request.host.utf8).span)
        for field in request.fields {
            head.fields.append(
                name: Array(field.name.utf8).span, value: Array(field.value.utf8).span)
        }
        return head
    }
}
