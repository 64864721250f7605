import Glibc
import Limits

/// Runs the parts named on the command line, all without names, and prints a line of JSON per number. A name
/// `decisions=decision, token_bucket` runs only the work of that part whose name begins so.
// How often each piece of work is repeated; fewer under a profiler.
let rounds = getenv("WEIR_BENCH_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 7
let parts: [(name: String, run: (String) -> Void)] = [
    ("decisions", { measureDecisions(Rounds(count: max(rounds, 1), prefix: $0)) }),
    ("settlement", { measureSettlement(Rounds(count: max(rounds, 1), prefix: $0)) }),
    ("tokens", { measureTokens(Rounds(count: max(rounds, 1), prefix: $0)) }),
    ("stages", { measureStages(Rounds(count: max(rounds, 1), prefix: $0)) }),
    ("threads", { measureThreads(Rounds(count: min(max(rounds, 1), 5), prefix: $0)) }),
    ("flood", { _ in measureFlood() }),
    ("encoding", { measureEncoding(Rounds(count: max(rounds, 1), prefix: $0)) }),
    ("sharing", { measureSharing(Rounds(count: max(rounds, 1), prefix: $0)) }),
    ("traces", { measureTraces($0) }),
    ("fleet", { _ in measureFleet() }),
    ("population", { measurePopulation(Rounds(count: max(rounds, 1), prefix: $0)) }),
]
// Not a number: the text that `bench/strict` has Redis run.
if CommandLine.arguments.dropFirst() == ["script"] {
    print(SharedLimitScript.text)
    exit(0)
}
let wanted = CommandLine.arguments.dropFirst().map { $0.split(separator: "=", maxSplits: 1) }
for name in wanted where !parts.contains(where: { $0.name == name.first ?? "" }) {
    print("weir-bench: no such part; there are \(parts.map(\.name).joined(separator: ", "))")
    exit(64)
}
for part in parts {
    guard wanted.isEmpty || wanted.contains(where: { $0.first ?? "" == part.name }) else {
        continue
    }
    let prefix = wanted.first { $0.first ?? "" == part.name && $0.count > 1 }
    part.run(prefix.map { String($0[1]) } ?? "")
}
