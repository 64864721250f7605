/// docs/conformance.md: the table with its outcomes.
enum Document {
    private static let titles: [(document: String, title: String)] = [
        ("9111", "RFC 9111: HTTP Caching"), ("9110", "RFC 9110: HTTP Semantics"),
        ("9112", "RFC 9112: HTTP/1.1"),
        ("5861", "RFC 5861: stale-while-revalidate and stale-if-error"),
        ("8246", "RFC 8246: immutable"), ("9211", "RFC 9211: Cache-Status"),
        ("9213", "RFC 9213: targeted Cache-Control"), ("9875", "RFC 9875: cache groups"),
        ("10008", "RFC 10008: QUERY"), ("weir", "Promises of our own"),
    ]

    static func text(_ results: [Table.Result]) -> String {
        var lines = [
            "# Conformance", "",
            "What Weir keeps of the standards of HTTP caches, case by case. Each case is a script of requests, answers of",
            "an origin and what a client must see, run through the built binary (`Tests/ConformanceTests`). This file is",
            "written by `make conformance`; a test fails when it and a run disagree.", "",
            "*must*, *should* and *may* are the words of the RFC; *weir* is a promise of [cache.md](cache.md) where the",
            "RFCs leave the choice. A should or may that is not done says why.", "",
        ]
        lines += summary(results)
        for (document, title) in titles {
            let part = results.filter { $0.item.document == document }
            if part.isEmpty { continue }
            lines += ["", "## \(title)", ""]
            let isOurs = document == "weir"
            lines.append(
                isOurs
                    ? "| case | requirement | kind | outcome |"
                    : "| section | case | requirement | kind | outcome |")
            lines.append(isOurs ? "| --- | --- | --- | --- |" : "| --- | --- | --- | --- | --- |")
            for result in part {
                let item = result.item
                let cells =
                    (isOurs ? [] : ["§\(item.section)"])
                    + ["`\(item.id)`", requirement(item), item.kind.rawValue, result.outcome]
                lines.append("| " + cells.joined(separator: " | ") + " |")
            }
        }
        lines += ["", "## How the cache is configured for these cases", ""]
        lines += ["`rfc` where nothing else is said.", "", "| setting | `cache:` of the route |"]
        lines.append("| --- | --- |")
        for setting in Setting.all {
            let more = setting.more.isEmpty ? "" : ", `\(setting.more)`"
            lines.append("| \(setting.name) | `\(setting.cache)`\(more) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func requirement(_ item: Case) -> String {
        let text = item.says.replacing("|", with: "\\|")
        return item.setting == .rfc ? text : "\(text) *(\(item.setting.name))*"
    }

    private static func summary(_ results: [Table.Result]) -> [String] {
        let names = ["pass", "pending", "not done"]
        var lines = [
            "| kind | cases | pass | pending | not done |", "| --- | --- | --- | --- | --- |",
        ]
        for kind in Case.Kind.allCases {
            let part = results.filter { $0.item.kind == kind }
            let counts = names.map { name in
                String(part.count { $0.outcome.hasPrefix(name) })
            }
            let cells = [kind.rawValue, String(part.count)] + counts
            lines.append("| " + cells.joined(separator: " | ") + " |")
        }
        return lines
    }
}
