/// What a key of a shared limit holds, in the words of `SharedLimitModel`. Times are microseconds since the Unix epoch.
enum SharedLimitState: Sendable, Equatable {
    /// Token and leaky buckets: the TAT and the interval.
    case bucket(tat: Int64, interval: Int64)
    /// A fixed window: its end and count.
    case fixed(end: Int64, count: Int64)
    /// Sub-windows that count, oldest first.
    case window(step: Int64, ring: Int64, [SubWindow])
    /// Moments, oldest first.
    case log([Int64], keep: Int64)

    /// Units of a sub-window.
    struct SubWindow: Sendable, Equatable {
        let index: Int64
        var count: Int64
    }

    /// A limit's level, as the script answers.
    struct Level {
        let left: Int64
        let reset: Int64
        let after: Int64
        static let never: Int64 = -1
    }

    private static var most: Int64 { SharedLimitRate.most }

    /// What a missing key says.
    static func nothing(_ kind: SharedLimitRate.Kind) -> SharedLimitState {
        switch kind {
        case .bucket, .leaky: .bucket(tat: 0, interval: 0)
        case .fixed: .fixed(end: 0, count: 0)
        case .window: .window(step: 0, ring: 0, [])
        case .log: .log([], keep: 0)
        }
    }

    /// The numbers that Redis keeps.
    var values: [Int64] {
        switch self {
        case .bucket(let tat, let interval): return [tat, interval]
        case .fixed(let end, let count): return [end, count]
        case .window(let step, let ring, let parts):
            var values = [step, ring]
            var last: Int64 = 0
            for part in parts {
                values += [part.index - last, part.count]
                last = part.index
            }
            return values
        case .log(let moments, _): return moments
        }
    }

    /// Whether it says the same as a missing key.
    func saysNothing(at now: Int64) -> Bool {
        switch self {
        case .bucket(let tat, _): tat <= now
        case .fixed(let end, let count): end <= now || count == 0
        case .window(_, _, let parts): parts.isEmpty
        case .log(let moments, _): moments.isEmpty
        }
    }

    /// Drops what has passed.
    mutating func forget(keeping keep: Int64, at now: Int64) {
        switch self {
        case .bucket, .fixed: break
        case .window(let step, let ring, let parts):
            guard step > 0 else { break }
            let passed = now / step - ring
            self = .window(step: step, ring: ring, parts.filter { $0.index > passed })
        case .log(let moments, _):
            self = .log(Array(moments.drop { $0 + keep <= now }), keep: keep)
        }
    }

    // MARK: Asking

    /// Whether `units` could be taken.
    func admits(_ units: Int64, by rate: SharedLimitRate, at now: Int64) -> Bool {
        if units == 0 { return true }
        switch self {
        case .bucket:
            let units = rate.kind == .bucket ? units : units - 1
            return debt(by: rate, at: now) + Self.product(units, rate.step) <= rate.span
        case .fixed(let end, let count): return (end > now ? count : 0) + units <= rate.quota
        case .window(_, _, let parts): return Self.sum(parts) + units <= rate.quota
        case .log(let moments, _):
            return Self.counted(moments, rate.step, at: now) + units <= rate.quota
        }
    }

    /// What is left, until nothing counts any more, and until `units`, 1 or more, could be taken.
    func level(_ units: Int64, by rate: SharedLimitRate, at now: Int64) -> Level {
        switch self {
        case .bucket: return bucketLevel(units, by: rate, at: now)
        case .fixed(let end, let count):
            let held = end > now ? count : 0
            let reset = (held > 0 ? end : Self.calendar(rate, at: now)) - now
            return Self.level(units, held: held, of: rate.quota, reset: reset) { _ in reset }
        case .window(let step, let ring, let parts):
            let reset = parts.last.map { ($0.index + ring) * step - now } ?? 0
            return Self.level(units, held: Self.sum(parts), of: rate.quota, reset: reset) { need in
                var need = need
                for part in parts {
                    need -= part.count
                    if need <= 0 { return (part.index + ring) * step - now }
                }
                return reset
            }
        case .log(let moments, _):
            let held = Self.counted(moments, rate.step, at: now)
            let reset = held > 0 ? (moments.last ?? 0) + rate.step - now : 0
            return Self.level(units, held: held, of: rate.quota, reset: reset) { need in
                moments[moments.count - Int(held) + Int(need) - 1] + rate.step - now
            }
        }
    }

    private func bucketLevel(_ units: Int64, by rate: SharedLimitRate, at now: Int64) -> Level {
        let debt = debt(by: rate, at: now)
        if rate.kind == .bucket {
            let cost = Self.product(units, rate.step)
            return Level(
                left: debt < rate.span ? (rate.span - debt) / rate.step : 0, reset: debt,
                after: cost > rate.span ? Level.never : max(debt + cost - rate.span, 0))
        }
        let allowed = rate.span - Self.product(units - 1, rate.step)
        return Level(
            left: debt <= rate.span ? (rate.span - debt) / rate.step + 1 : 0, reset: debt,
            after: allowed < 0 ? Level.never : max(debt - allowed, 0))
    }

    /// The level of a quota; `wait` says when so many of the oldest units have gone.
    private static func level(
        _ units: Int64, held: Int64, of quota: Int64, reset: Int64, wait: (Int64) -> Int64
    ) -> Level {
        let left = max(quota - held, 0)
        if units > quota { return Level(left: left, reset: reset, after: Level.never) }
        let need = held - (quota - units)
        return Level(left: left, reset: reset, after: units <= left ? 0 : wait(need))
    }

    // MARK: Changing

    /// Takes `units`, 1 or more, whatever is left.
    mutating func charge(_ units: Int64, by rate: SharedLimitRate, at now: Int64) {
        switch self {
        case .bucket:
            let debt = debt(by: rate, at: now) + Self.product(units, rate.step)
            self = .bucket(tat: now + min(debt, Self.most), interval: rate.step)
        case .fixed(let end, let count):
            let held = end > now ? count : 0
            self = .fixed(
                end: max(held > 0 ? end : 0, Self.calendar(rate, at: now)),
                count: min(held + units, Self.most))
        case .window(let step, let ring, var parts):
            let index = now / rate.step
            let total = Self.sum(parts)
            if total == 0 || step != rate.step || ring != rate.span {
                // In other steps all that counts counts as if it came now.
                parts = [SubWindow(index: index, count: total)]
            }
            if parts[parts.count - 1].index < index {
                parts.append(SubWindow(index: index, count: 0))
            }
            let last = parts.count - 1
            parts[last].count = min(parts[last].count + units, Self.most)
            self = .window(step: rate.step, ring: rate.span, parts)
        case .log(var moments, let keep):
            let moment = max(now, moments.last ?? 0)
            let most = Int(LimitBounds.logMax)
            moments += Array(repeating: moment, count: min(Int(units), most))
            self = .log(Array(moments.suffix(most)), keep: keep)
        }
    }

    /// Gives `units` back that a charge took; `mark` is when its key counted nothing any more after it.
    mutating func refund(
        _ units: Int64, mark: Int64, by rate: SharedLimitRate, at now: Int64
    ) {
        switch self {
        case .bucket(let tat, let interval):
            let debt = debt(by: rate, at: now)
            let cost = Self.product(units, rate.step)
            if rate.kind == .leaky {
                guard tat == mark && interval == rate.step else { return }
                self = .bucket(tat: tat - min(debt, cost), interval: interval)
            } else if debt > 0 && mark > now {
                self = .bucket(
                    tat: now + debt - min(debt, cost, mark - now), interval: rate.step)
            }
        case .fixed(let end, let count):
            guard end == mark && mark > now else { return }
            self = .fixed(end: end, count: count - min(units, count))
        case .window(let step, let ring, var parts):
            let index = mark / rate.step - rate.span
            guard step == rate.step, ring == rate.span,
                let place = parts.lastIndex(where: { $0.index == index })
            else { return }
            parts[place].count -= min(units, parts[place].count)
            if parts[place].count == 0 { parts.remove(at: place) }
            self = .window(step: step, ring: ring, parts)
        case .log(var moments, let keep):
            var rest = units
            moments = moments.reversed().filter { moment in
                guard moment == mark - rate.step && rest > 0 else { return true }
                rest -= 1
                return false
            }.reversed()
            self = .log(moments, keep: keep)
        }
    }

    // MARK: Arithmetic

    /// Microseconds until a bucket is full. At another rate as many tokens are missing, rounded up.
    private func debt(by rate: SharedLimitRate, at now: Int64) -> Int64 {
        guard case .bucket(let tat, let interval) = self, tat > now else { return 0 }
        let debt = tat - now
        guard interval != rate.step && rate.kind == .bucket else { return min(debt, Self.most) }
        let missing = min((debt + interval - 1) / interval, rate.quota)
        return min(Self.product(missing, rate.step), rate.span)
    }

    /// The end of the calendar's window.
    private static func calendar(_ rate: SharedLimitRate, at now: Int64) -> Int64 {
        guard rate.step > 0 else {
            return now + Int64(CalendarMonth.left(at: UInt64(now) * 1000) / 1000)
        }
        return now - (now - rate.span) % rate.step + rate.step
    }

    /// Moments that count by a period; they are in order.
    private static func counted(_ moments: [Int64], _ period: Int64, at now: Int64) -> Int64 {
        Int64(moments.reversed().prefix { $0 + period > now }.count)
    }

    private static func sum(_ parts: [SubWindow]) -> Int64 {
        min(parts.reduce(0) { min($0 + $1.count, most) }, most)
    }

    /// A product, cut beyond `most`: more than every `span`.
    private static func product(_ a: Int64, _ b: Int64) -> Int64 {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? most + 1 : min(product, most + 1)
    }
}
