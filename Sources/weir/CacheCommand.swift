/// `weir cache`: asks a running process what its cache has and does, and turns its switches.
struct CacheCommand: Equatable {
    var question: AdminQuestion
    var admin: String
    var token: String?

    func run() -> Never { question.ask(admin, token) }

    /// Reads the arguments after `cache`.
    static func parse(_ arguments: [String]) -> Result<CacheCommand, Misuse> {
        var words: [String] = []
        var values: [String: String] = [:]
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-") else {
                words.append(word)
                continue
            }
            guard ["--admin", "--token", "--for"].contains(word) else {
                return .failure(Misuse("`cache` does not know `\(word)`"))
            }
            guard let value = rest.popFirst() else {
                return .failure(Misuse("`\(word)` needs a value"))
            }
            if values.updateValue(value, forKey: word) != nil {
                return .failure(Misuse("`\(word)` is there twice"))
            }
        }
        var question: AdminQuestion
        switch (words.first ?? "stats", words.count) {
        case ("stats", 0...1): question = AdminQuestion(method: "GET", path: "/cache")
        case ("key", 2):
            question = AdminQuestion(
                method: "GET", path: "/cache/key", parameters: [("url", words[1])])
        case ("bypass", 2) where ["on", "off"].contains(words[1]):
            question = AdminQuestion(
                method: "POST", path: "/cache/bypass", parameters: [("state", words[1])])
        case ("ttl", 2):
            question = AdminQuestion(
                method: "POST", path: "/cache/ttl", parameters: [("factor", words[1])])
        case ("bypass", _): return .failure(Misuse("`cache bypass` takes `on` or `off`"))
        case ("ttl", _): return .failure(Misuse("`cache ttl` takes one factor, such as 2"))
        case ("key", _): return .failure(Misuse("`cache key` takes one URL"))
        default:
            return .failure(
                Misuse(
                    "`cache` takes `stats`, `key URL`, `bypass on|off` or `ttl FACTOR`, not "
                        + "`\(words.joined(separator: " "))`"))
        }
        if let time = values["--for"] {
            guard ["bypass", "ttl"].contains(words.first) else {
                return .failure(Misuse("`--for` belongs to `bypass` and `ttl`"))
            }
            question.parameters.append(("for", time))
        }
        return .success(
            CacheCommand(
                question: question, admin: values["--admin"] ?? AdminQuestion.standard,
                token: values["--token"]))
    }
}
