import Caching
import HTTPModel
import Primitives

/// Reads which methods' answers are stored.
extension Report {
    /// `methods:` of a cache. HEAD is answered from stored answers to GET, and may be named beside it.
    func cacheMethods(_ value: Value) -> CachePolicy.Methods? {
        var methods: CachePolicy.Methods = []
        var hasFault = false
        var head: Value?
        for item in items(value, "methods", atMost: Bounds.methods) {
            if item.text == "HEAD" {
                head = item
                continue
            }
            let named = CachePolicy.Methods.all.first { "\($0.method.text)" == item.text }
            if named == nil {
                hasFault = true
                expected("GET, HEAD, QUERY or POST", item)
            }
            methods.formUnion(named?.methods ?? [])
        }
        if hasFault || value.isUnusable { return nil }
        if let head, !methods.contains(.get) {
            error(head, "HEAD is answered from stored answers to GET, which is not named")
            return nil
        }
        if methods.isEmpty {
            expected("a list of GET, HEAD, QUERY or POST", value)
            return nil
        }
        return methods
    }

    /// Whether the methods of a policy and its `vary_by` fit: an answer to a POST belongs to its content, and
    /// whoever stores it must say so.
    func checkContent(_ policy: CachePolicy, methods: Value?, varyBy: Value?) {
        let hasBody = policy.varyBy.contains(.body)
        if policy.methods.contains(.post) && !hasBody, let place = methods ?? varyBy {
            error(
                place, "answers to POST would be stored without regard to what was sent",
                help: "write `vary_by: [body]`, and only where a POST asks and changes nothing")
        }
        if hasBody && policy.methods == .get, let place = varyBy ?? methods {
            error(
                place, "`body` can never matter: only answers to GET are stored",
                help: "remove it, or write `methods: [POST]`")
        }
    }
}
