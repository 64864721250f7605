import FoundationEssentials
import Glibc

/// What the kernel and the preloaded counter say about this process.
enum Gauges {
    /// Nanoseconds of CPU time this thread has used: unlike the time of day, not the others' doing.
    static func threadTime() -> UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }

    /// Nanoseconds of CPU time of all threads.
    static func processTime() -> UInt64 { read(CLOCK_PROCESS_CPUTIME_ID) }

    /// Nanoseconds of a clock that only goes on.
    static func elapsed() -> UInt64 { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Allocations so far, from the file that `mallocs.c` counts in; `nil` when it is not preloaded.
    static func mallocs() -> UInt64? {
        guard let path = getenv("WEIR_BENCH_MALLOCS") else { return nil }
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var count: UInt64 = 0
        return Glibc.read(file, &count, 8) == 8 ? count : nil
    }

    /// Resident memory in bytes, now and at its highest.
    static func resident() -> (now: Int, highest: Int) {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        func kilobytes(_ name: String) -> Int {
            let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
            return line.flatMap { Int($0.split(separator: " ").dropLast().last ?? "") } ?? 0
        }
        return (kilobytes("VmRSS:\t") * 1024, kilobytes("VmHWM:\t") * 1024)
    }
}
