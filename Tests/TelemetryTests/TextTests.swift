import Primitives
import Testing

@testable import Telemetry

private func timestamp(_ seconds: UInt64, _ nanoseconds: UInt64 = 0) -> String {
    let buffer = ByteBuffer(capacity: 64)
    buffer.append(timestamp: WallTime(nanoseconds: seconds * 1_000_000_000 + nanoseconds))
    return buffer.readable.text
}

@Test func `timestamps are UTC with milliseconds rounded down`() {
    #expect(timestamp(0) == "1970-01-01T00:00:00.000Z")
    #expect(timestamp(951_782_399, 999_999_999) == "2000-02-28T23:59:59.999Z")
    #expect(timestamp(951_782_400) == "2000-02-29T00:00:00.000Z")
    #expect(timestamp(1_709_164_800, 1_000_000) == "2024-02-29T00:00:00.001Z")
    #expect(timestamp(4_107_542_399) == "2100-02-28T23:59:59.000Z")
    #expect(timestamp(4_107_542_400) == "2100-03-01T00:00:00.000Z")
    #expect(timestamp(18_446_744_073, 709_551_615) == "2554-07-21T23:34:33.709Z")
}

@Test func `every day until 2554 follows the one before`() {
    let lengths: [UInt64] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    var year: UInt64 = 1970
    var month: UInt64 = 1
    var day: UInt64 = 1
    var wrong = 0
    for number in 0..<UInt64(213_504) {
        let date = CivilDate(day: number)
        if (date.year, date.month, date.day) != (year, month, day) { wrong += 1 }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        day += 1
        if day > lengths[Int(month) - 1] + (month == 2 && isLeap ? 1 : 0) {
            day = 1
            month += 1
        }
        if month > 12 {
            month = 1
            year += 1
        }
    }
    #expect(wrong == 0)
    #expect(year == 2554)
}

@Test(
    arguments: [
        (0, "0", "0.000"), (1, "0.000000001", "0.000"), (999, "0.000000999", "0.000"),
        (1_000, "0.000001", "0.001"), (2_500_000, "0.0025", "2.500"),
        (1_000_000_000, "1", "1000.000"),
        (10_050_000_000, "10.05", "10050.000"),
    ] as [(UInt64, String, String)])
func `durations are written as seconds and as milliseconds`(
    count: UInt64, seconds: String, milliseconds: String
) {
    let buffer = ByteBuffer(capacity: 64)
    buffer.append(seconds: Nanoseconds(count))
    buffer.append(" ")
    buffer.append(milliseconds: Nanoseconds(count))
    #expect(buffer.readable.text == "\(seconds) \(milliseconds)")
}

@Test func `hexadecimal numbers have all their digits`() {
    let buffer = ByteBuffer(capacity: 64)
    buffer.append(hex: 0xABC, digits: 4)
    buffer.append(hex: .max, digits: 16)
    buffer.append(hex: 0x123, digits: 2)
    #expect(buffer.readable.text == "0abcffffffffffffffff23")
}
