import HTTPModel
import Primitives
import Routes

extension Explanation {
    /// The routes up to `match`, and why each before it does not match; all of them when none does.
    ///
    /// Each condition is asked by a table of one route that has only this condition: the code that finds
    /// the route of a live request.
    static func trials(
        _ request: borrowing RequestHead, _ routes: [RouteDefinition], upTo match: Int?
    ) -> [RouteTrial] {
        var trials: [RouteTrial] = []
        for index in 0...(match ?? routes.count - 1) {
            let route = routes[index]
            trials.append(
                RouteTrial(
                    index: index, name: route.name, pattern: route.path,
                    mismatch: index == match ? nil : mismatch(request, route)))
        }
        return trials
    }

    /// The first condition of a route that the request does not meet.
    private static func mismatch(
        _ request: borrowing RequestHead, _ route: RouteDefinition
    ) -> Mismatch? {
        let any = RouteDefinition(name: "", path: "/**")
        var only = any
        only.path = route.path
        if !matches(request, only) { return .path }
        only = any
        only.methods = route.methods
        if !matches(request, only) { return .method(route.methods) }
        only = any
        only.host = route.host
        if !matches(request, only) { return .host(route.host ?? "") }
        for header in route.headers {
            only = any
            only.headers = [header]
            if !matches(request, only) {
                return .header(header.value.map { "\(header.name): \($0)" } ?? header.name)
            }
        }
        return nil
    }

    private static func matches(
        _ request: borrowing RequestHead, _ only: RouteDefinition
    ) -> Bool {
        RouteTable([only]).match(request) != nil
    }
}
