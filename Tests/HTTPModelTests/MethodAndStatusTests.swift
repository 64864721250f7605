import HTTPModel
import Primitives
import Testing

private func method(_ name: [UInt8]) -> Method { Method(name.span) }

@Test(arguments: Method.allCases)
func `a method is read from its own name only`(expected: Method) {
    let name = Array(String(describing: expected.text).utf8)
    #expect(method(name) == expected)
    guard expected != .other else { return }
    #expect(method(name + [0x58]) == .other)
    #expect(method(Array(name.dropLast())) == .other)
    #expect(method(name.map { $0 | 0x20 }) == .other)
}

@Test func `methods are safe and idempotent as RFC 9110 says`() {
    let safe: [Method] = [.get, .head, .options, .trace, .query]
    #expect(Method.allCases.filter(\.isSafe).sorted { $0.rawValue < $1.rawValue } == safe)
    #expect(Method.allCases.filter { $0.isIdempotent && !$0.isSafe } == [.put, .delete])
}

@Test func `a status is a number of three digits`() {
    #expect(Status(code: 99) == nil && Status(code: 1000) == nil && Status(code: .max) == nil)
    #expect(Status(code: 100)?.code == 100 && Status(code: 999)?.code == 999)
}

@Test func `classes of status`() {
    for code in UInt64(100)...999 {
        guard let status = Status(code: code) else {
            Issue.record("no status \(code)")
            continue
        }
        #expect(status.isInformational == (code < 200))
        #expect(status.isSuccess == (200...299).contains(code))
        #expect(status.isError == (code >= 400))
        #expect(status.forbidsBody == (code < 200 || code == 204 || code == 304))
        let cacheable: Set<UInt64> = [200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]
        #expect(status.isHeuristicallyCacheable == cacheable.contains(code))
    }
    #expect(String(describing: Status(429).reason) == "Too Many Requests")
}
