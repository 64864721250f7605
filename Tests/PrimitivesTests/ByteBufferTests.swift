import Primitives
import Testing

struct ByteBufferTests {
    @Test(arguments: 1...6)
    func `it agrees with an array, whatever is appended, consumed, moved and grown`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let buffer = ByteBuffer(capacity: 64)
        var model: [UInt8] = []
        for _ in 0..<3000 {
            switch random.below(10) {
            case 0:
                let byte = UInt8(random.below(256))
                buffer.append(byte)
                model.append(byte)
            case 1:
                let piece = (0..<random.below(90)).map { _ in UInt8(random.below(256)) }
                buffer.append(piece.span)
                model += piece
            case 2:
                buffer.append("RateLimit: ")
                model += Array("RateLimit: ".utf8)
            case 3:
                let number = random.next() >> UInt64(random.below(64))
                buffer.append(decimal: number)
                model += Array("\(number)".utf8)
            case 4:
                buffer.append(text: "é")
                model += [0xC3, 0xA9]
            case 5 where random.below(20) == 0:
                buffer.removeAll()
                model = []
                buffer.shrink(to: 64)
                #expect(buffer.capacity <= 64)
            case 6: buffer.reserve(random.below(200))
            case 7:
                let piece = (0..<random.below(90)).map { _ in UInt8(random.below(256)) }
                buffer.append("Host: ", piece.span, "\r\n")
                model += Array("Host: ".utf8) + piece + Array("\r\n".utf8)
            case 8:
                let bits = UInt32(truncatingIfNeeded: random.next())
                let address =
                    random.below(2) == 0
                    ? IPAddress(v4: bits) : IPAddress(high: random.next(), low: random.next())
                buffer.append(AddressText(address))
                model += Array(address.description.utf8)
            default:
                let n = random.below(buffer.count + 1)
                buffer.consume(n)
                model.removeFirst(n)
            }
            #expect(buffer.count == model.count)
            #expect(buffer.isEmpty == model.isEmpty)
            #expect(buffer.readable.copied == model)
        }
    }

    @Test func `read empty, it is used from its front again and does not grow`() {
        let buffer = ByteBuffer(capacity: 100)
        let piece = [UInt8](repeating: 1, count: 100)
        for _ in 0..<50 {
            buffer.append(piece.span)
            buffer.consume(100)
        }
        #expect(buffer.capacity == 100)
    }

    @Test func `half read, it moves what is left before it grows`() {
        let buffer = ByteBuffer(capacity: 100)
        let piece = [UInt8](repeating: 1, count: 50)
        buffer.append(piece.span)
        for _ in 0..<50 {
            buffer.append(piece.span)
            buffer.consume(50)
        }
        #expect(buffer.capacity == 100)
        buffer.append(piece.span)
        buffer.append(piece.span)
        #expect(buffer.capacity >= 150)
        #expect(buffer.count == 150)
    }

    @Test func `memory is given back only when it is empty`() {
        let buffer = ByteBuffer(capacity: 4096)
        buffer.append(1)
        buffer.shrink(to: 128)
        #expect(buffer.capacity == 4096)
        buffer.consume(1)
        buffer.shrink(to: 128)
        #expect(buffer.capacity == 128)
        buffer.shrink(to: 4096)
        #expect(buffer.capacity == 128)
        #expect(ByteBuffer(capacity: 0).capacity == 64)
    }

    @Test func `numbers of every length are written as people write them, whatever stands before`()
    {
        var random = SeededRandom(seed: 7)
        var numbers: [UInt64] = Array(0...10_099) + [.max, .max - 1]
        var power: UInt64 = 10
        for _ in 1..<20 {
            numbers += [power - 1, power, power + 1, power &* 9, power + power / 10]
            power &*= 10
        }
        for _ in 0..<20_000 { numbers.append(random.next() >> UInt64(random.below(64))) }
        let buffer = ByteBuffer(capacity: 64)
        for number in numbers {
            buffer.removeAll()
            let start = Array(repeating: UInt8(ascii: "x"), count: random.below(72))
            buffer.append(start.span)
            buffer.append(decimal: number)
            buffer.append(" ")
            #expect(buffer.readable.copied == start + Array("\(number) ".utf8))
        }
    }
}
