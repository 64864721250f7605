import Glibc
import Limits
import Primitives

/// Runs `body` on `count` threads at once and waits for all.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    final class Start: Sendable {
        let number: Int
        let body: @Sendable (Int) -> Void
        init(_ number: Int, _ body: @escaping @Sendable (Int) -> Void) {
            self.number = number
            self.body = body
        }
    }
    var threads: [pthread_t] = []
    for number in 0..<count {
        var thread = pthread_t()
        let start = Unmanaged.passRetained(Start(number, body)).toOpaque()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                start.body(start.number)
                return nil
            }, start)
        threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
}

/// Decisions per second of several threads on one table, each with keys of its own and all with one key.
func measureThreads(_ rounds: Rounds) {
    let each = 500_000
    for isHot in [false, true] {
        var alone = 0.0
        for threads in [1, 4] {
            var rates: [Double] = []
            var costs: [Double] = []
            for _ in 0..<rounds.count {
                let table = LimitTable(keys: 1_000_000, seed: .random())
                let policy = policy(
                    .tokenBucket(burst: nil),
                    .init(count: isHot ? 1_000_000_000 : 100_000, period: .seconds(1)),
                    limits: 1)
                let start = Gauges.elapsed()
                let used = Gauges.processTime()
                onThreads(threads) { number in
                    var traffic = Traffic(
                        policy, table, clients: isHot ? 1 : 4096, from: isHot ? 0 : number * 4096)
                    traffic.ask(each)
                    guard traffic.admitted == each else { Report.fail("a request was refused") }
                }
                let wall = Double(Gauges.elapsed() - start)
                rates.append(Double(threads * each) / wall * 1e9)
                costs.append(Double(Gauges.processTime() - used) / Double(threads * each))
            }
            let median = Rounds.median(rates)
            let name =
                "\(threads) thread\(threads == 1 ? "" : "s"), \(isHot ? "one key" : "own keys")"
            Report.say(name, median / 1e6, unit: "M/s", rounds: rates.map { $0 / 1e6 })
            Report.say(name + ": CPU", Rounds.median(costs), unit: "ns", rounds: costs)
            if threads == 1 { alone = median }
            if threads > 1 { Report.say(name + ": of one", median / alone, unit: "×") }
        }
    }
}
