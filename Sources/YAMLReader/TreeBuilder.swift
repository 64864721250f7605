/// Builds the tree of one text from the parser's events.
///
/// Recursion is as deep as the text nests, which `bounds.depth` limits. Faults of the tree (equal
/// keys, anchors) are collected and reading goes on; faults of the text end it.
struct TreeBuilder {
    let bounds: YAMLBounds
    var problems: [YAMLProblem] = []
    private var nodes = 0

    init(bounds: YAMLBounds) { self.bounds = bounds }

    /// The root of the text, or `nil` when it has none or could not be read to its end.
    mutating func build(_ bytes: [UInt8]) -> YAMLNode? {
        let text = YAMLText.withoutMark(bytes)
        do throws(YAMLProblem) {
            guard text.count <= bounds.bytes else {
                throw tooLarge("the file is larger than \(bounds.bytes) bytes", .start)
            }
            if let fault = YAMLText.firstFault(in: text) { throw fault }
            guard var events = EventReader(text) else {
                throw tooLarge("no memory left to read the text", .start)
            }
            return try document(&events)
        } catch {
            problems.append(Self.withTabExplained(error, text))
            return nil
        }
    }

    private mutating func document(_ events: inout EventReader) throws(YAMLProblem) -> YAMLNode? {
        var root: YAMLNode?
        while true {
            let event = try events.next()
            switch event.kind {
            case .streamEnd:
                return root
            case .documentStart where root != nil:
                throw YAMLProblem(
                    kind: .unsupported, range: event.range,
                    message: "a second document begins here; one file holds one document")
            case .streamStart, .documentStart, .documentEnd:
                continue
            default:
                root = try node(event, &events, depth: 0)
            }
        }
    }

    private mutating func node(
        _ event: YAMLEvent, _ events: inout EventReader, depth: Int
    ) throws(YAMLProblem) -> YAMLNode {
        nodes += 1
        guard nodes <= bounds.nodes else {
            throw tooLarge("more than \(bounds.nodes) values", event.range.start)
        }
        guard depth < bounds.depth else {
            throw tooLarge("nested more than \(bounds.depth) levels deep", event.range.start)
        }
        try checkProperties(event)
        switch event.kind {
        case .scalar(let text, let style):
            return YAMLNode(content: .scalar(text, style), range: event.range)
        case .sequenceStart:
            return try sequence(event.range.start, &events, depth: depth)
        case .mappingStart:
            return try mapping(event.range.start, &events, depth: depth)
        default:
            // An alias, already reported: it stands for nothing.
            return YAMLNode(content: .scalar("", .plain), range: event.range)
        }
    }

    private mutating func sequence(
        _ start: YAMLPosition, _ events: inout EventReader, depth: Int
    ) throws(YAMLProblem) -> YAMLNode {
        var items: [YAMLNode] = []
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.kind {
                return YAMLNode(
                    content: .sequence(items),
                    range: YAMLRange(start: start, end: event.range.end))
            }
            items.append(try node(event, &events, depth: depth + 1))
        }
    }

    private mutating func mapping(
        _ start: YAMLPosition, _ events: inout EventReader, depth: Int
    ) throws(YAMLProblem) -> YAMLNode {
        var entries: [YAMLEntry] = []
        var lines: [String: Int] = [:]
        while true {
            let event = try events.next()
            if case .mappingEnd = event.kind {
                return YAMLNode(
                    content: .mapping(entries),
                    range: YAMLRange(start: start, end: event.range.end))
            }
            let key = try node(event, &events, depth: depth + 1)
            let value = try node(try events.next(), &events, depth: depth + 1)
            guard case .scalar(let text, _) = key.content else {
                try report(.unsupported, key.range, "a key must be a text, not a list or mapping")
                continue
            }
            if let line = lines[text] {
                try report(
                    .duplicateKey, key.range, "the key `\(text)` is already used at line \(line)")
            } else {
                lines[text] = key.range.start.line
                entries.append(YAMLEntry(key: text, keyRange: key.range, value: value))
            }
        }
    }

    private mutating func checkProperties(_ event: YAMLEvent) throws(YAMLProblem) {
        if case .alias = event.kind {
            try report(.unsupported, event.range, "aliases (`*name`) are not supported")
        }
        if event.hasAnchor {
            try report(
                .unsupported, event.range, "anchors (`&name`) are not supported",
                help: "write the value where it is needed")
        }
        if event.hasTag {
            try report(
                .unsupported, event.range, "tags (`!name`) are not supported",
                help: "write the value in quotes if it begins with `!`")
        }
    }

    /// Notes a fault after which reading goes on, unless there are too many.
    private mutating func report(
        _ kind: YAMLProblem.Kind, _ range: YAMLRange, _ message: String, help: String? = nil
    ) throws(YAMLProblem) {
        let problem = YAMLProblem(kind: kind, range: range, message: message, help: help)
        guard problems.count + 1 < bounds.problems else { throw problem }
        problems.append(problem)
    }

    private func tooLarge(_ message: String, _ place: YAMLPosition) -> YAMLProblem {
        YAMLProblem(
            kind: .tooLarge, range: YAMLRange(start: place, end: place), message: message)
    }

    /// Says what libyaml does not say: that the character it stopped at is a tab.
    private static func withTabExplained(
        _ problem: YAMLProblem, _ text: ArraySlice<UInt8>
    ) -> YAMLProblem {
        let offset = problem.range.start.offset
        guard problem.kind == .syntax,
            let found = String(decoding: text, as: UTF8.self).unicodeScalars.dropFirst(offset)
                .first,
            found == "\t"
        else { return problem }
        var explained = problem
        explained.message = "not valid YAML: a tab cannot be used here"
        explained.help = "indent with spaces"
        return explained
    }
}
