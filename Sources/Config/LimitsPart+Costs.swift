import Limits
import Primitives

/// Reads what requests cost and which answers are charged.
extension Report {
    /// `cost:` and `count:`.
    func costs(_ fields: inout Fields, _ parsed: inout ParsedLimit) {
        let cost = fields.take("cost")
        let count = fields.take("count")
        if parsed.isConcurrency {
            for value in [cost, count].compactMap({ $0 }) {
                error(
                    keyOf: value, "has no effect on requests in flight: each counts as one",
                    help: "remove it")
            }
            return
        }
        if let cost { self.cost(cost, &parsed) }
        if let count { parsed.definition.countedStatuses = statuses(count) }
    }

    /// A number, `header:NAME`, or a mapping by the cache's part in the answer.
    private func cost(_ value: Value, _ parsed: inout ParsedLimit) {
        if case .map = value.content { return costMap(value, &parsed) }
        guard value.text != nil else {
            expected(
                "a number, `header:NAME` or a mapping", value,
                help: "for example `5`, `header:X-Cost` or `{hit: 0, miss: 1}`")
            return
        }
        var costs = LimitDefinition.Costs()
        guard let all = cost(value, &costs.header) else { return }
        (costs.hit, costs.stale, costs.miss) = (all, all, all)
        finishCosts(value, costs, [(value, all)], &parsed)
    }

    /// `{hit: 0, stale: 0, miss: 1, reserve: 1}`.
    private func costMap(_ value: Value, _ parsed: inout ParsedLimit) {
        guard var fields = Fields(value, self, expected: "a mapping") else { return }
        let before = problems.count
        var costs = LimitDefinition.Costs()
        var places: [(Value, LimitDefinition.Costs.Cost)] = []
        let (hit, stale, miss) = (fields.take("hit"), fields.take("stale"), fields.take("miss"))
        let reserve = fields.take("reserve")
        func read(_ value: Value) -> LimitDefinition.Costs.Cost? {
            let found = cost(value, &costs.header)
            if let found { places.append((value, found)) }
            return found
        }
        if let found = hit.flatMap(read) { costs.hit = found }
        costs.stale = stale.flatMap(read) ?? costs.hit
        if let found = miss.flatMap(read) { costs.miss = found }
        parsed.storedCosts = [hit, stale].compactMap { $0 }
        let isWhole = ![hit, stale, miss].contains { $0?.isUnusable == true }
        if let reserve {
            if let units = integer(reserve, 1...Bounds.cost.upperBound) {
                costs.reserve = UInt32(units)
                places.append((reserve, .units(UInt32(units))))
            }
            if costs.header == nil && isWhole && problems.count == before {
                error(
                    keyOf: reserve, "has no effect: it is charged until a field says the cost",
                    help: "write `header:NAME` for `hit`, `stale` or `miss`, or remove it")
            }
        }
        fields.finish()
        if isWhole && problems.count == before { finishCosts(value, costs, places, &parsed) }
    }

    /// Takes over `costs` that were read without a fault, and says what they can never do.
    private func finishCosts(
        _ value: Value, _ costs: LimitDefinition.Costs,
        _ places: [(Value, LimitDefinition.Costs.Cost)], _ parsed: inout ParsedLimit
    ) {
        parsed.definition.costs = costs
        if costs.hit == .units(0), costs.stale == .units(0), costs.miss == .units(0) {
            error(
                value, "a limit whose requests cost nothing never counts",
                help: "write a number from 1, or remove the limit")
        }
        for (place, cost) in places {
            guard parsed.hasRightAlgorithm, case .units(let units) = cost,
                let rate = parsed.narrowest,
                let most = parsed.definition.mostAtOnce(rate.rate), units > most
            else { continue }
            error(
                place,
                "\(units) can never pass: \(rate.value.path) admits at most \(most) at once",
                help: "a request's cost is charged at once; lower it, or admit more")
        }
    }

    /// One cost: a number, or `header:NAME`, whose name is the same for all costs of a limit.
    private func cost(_ value: Value, _ header: inout String?) -> LimitDefinition.Costs.Cost? {
        guard let text = value.text, text.hasPrefix("header:") else {
            let help = "or `header:` and the field of the answer that says it: `header:X-Cost`"
            return integer(value, Bounds.cost, help: help).map { .units(UInt32($0)) }
        }
        let name = Text.lowered(String(text.dropFirst(7)))
        guard Text.isToken(name), name.utf8.count <= Bounds.nameBytes else {
            expected(
                "`header:` and the name of a field", value, help: "for example `header:X-Cost`")
            return nil
        }
        if let header, header != name {
            error(value, "a limit reads one field, and this one reads `\(header)` already")
            return nil
        }
        header = name
        return .header
    }

    /// `count:` a list of statuses: `401`, `4xx`, `500-599`.
    private func statuses(_ value: Value) -> [ClosedRange<UInt16>] {
        if value.isEmptyList { expected("at least one status", value) }
        var ranges: [ClosedRange<UInt16>] = []
        for item in items(value, "statuses", atMost: Bounds.countedRanges) {
            guard let range = item.text.flatMap(StatusText.parse) else {
                let (low, high) = (Bounds.countedStatus.lowerBound, Bounds.countedStatus.upperBound)
                expected(
                    "a status from \(low) to \(high), a class or a range", item,
                    help: "for example `401`, `4xx` or `500-503`")
                continue
            }
            if let other = ranges.first(where: { $0.overlaps(range) }) {
                error(item, "`\(StatusText.write(other))` has some of its statuses already")
            }
            ranges.append(range)
        }
        return ranges
    }
}

extension ParsedLimit {
    /// The rate that admits the fewest at once.
    fileprivate var narrowest: RatePlace? {
        rates.min { definition.mostAtOnce($0.rate) ?? 0 < definition.mostAtOnce($1.rate) ?? 0 }
    }
}

extension LimitDefinition {
    /// The largest cost that `rate` ever admits; `nil`: there are no costs.
    fileprivate func mostAtOnce(_ rate: Rate) -> UInt32? {
        switch algorithm {
        case .tokenBucket(let burst): burst ?? rate.count
        case .slidingWindow, .slidingLog, .fixedWindow: rate.count
        case .leakyBucket(let maxDelay):
            // The last unit of a request must have a place within the longest delay.
            UInt32(clamping: maxDelay.count / rate.interval + 1)
        case .concurrency: nil
        }
    }
}

extension LimitDefinition.Rate {
    /// The nanoseconds of one request, rounded up.
    fileprivate var interval: UInt64 {
        let count = UInt64(max(count, 1))
        return max((period.count + count - 1) / count, 1)
    }
}

/// Statuses as the file writes them: `401`, `4xx`, `500-599`.
enum StatusText {
    static func parse(_ text: String) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        var low = ends.first.flatMap { Text.decimal($0) }
        var high = ends.last.flatMap { Text.decimal($0) }
        if text.utf8.count == 3, text.hasSuffix("xx"), let digit = Text.decimal(text.prefix(1)) {
            (low, high) = (digit * 100, digit * 100 + 99)
        }
        guard ends.count <= 2, let low, let high, low <= high,
            Bounds.countedStatus.contains(low), Bounds.countedStatus.contains(high)
        else { return nil }
        return UInt16(low)...UInt16(high)
    }

    static func write(_ range: ClosedRange<UInt16>) -> String {
        let (low, high) = (range.lowerBound, range.upperBound)
        if low == high { return "\(low)" }
        return low % 100 == 0 && high == low + 99 ? "\(low / 100)xx" : "\(low)-\(high)"
    }
}
