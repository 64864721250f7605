import Primitives
import Settings

extension Configuration {
    static func warm(_ settings: WarmSettings) -> YAMLOutput {
        var entries: [(String, YAMLOutput)] = []
        if !settings.urls.isEmpty {
            entries.append(
                (
                    "urls",
                    .list(
                        settings.urls.map { request in
                            var entry = [("url", YAMLOutput.text(url(request)))]
                            if !request.fields.isEmpty {
                                entry.append(
                                    (
                                        "headers",
                                        .flow(request.fields.map { ($0.name, .text($0.value)) })
                                    ))
                            }
                            return .flow(entry)
                        })
                ))
        }
        let moments = [("start", settings.atStart), ("purge", settings.atPurge)]
        entries.append(("at", .list(moments.filter(\.1).map { .text($0.0) })))
        if settings.top > 0 {
            entries.append(("top", .percent(settings.top)))
            if let file = settings.file { entries.append(("file", .text(file))) }
            entries.append(("interval", .duration(settings.interval)))
            entries.append(("chance", .percent(settings.chance)))
        }
        entries.append(("concurrency", .number(settings.concurrency)))
        return .block(entries)
    }

    private static func url(_ request: WarmRequest) -> String {
        "http://\(request.host)\(request.target)"
    }
}
