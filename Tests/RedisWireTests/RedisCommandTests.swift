import Primitives
import RedisWire
import Testing

@Suite struct RedisCommandTests {
    private func text(_ command: RedisCommand) -> String {
        let buffer = ByteBuffer(capacity: 64)
        command.write(to: buffer)
        return String(decoding: buffer.prefix(buffer.count), as: UTF8.self)
    }

    @Test func `a command is an array of its name and arguments`() {
        var command = RedisCommand("SET")
        #expect(command.key == nil)
        command.append(key: [107, 0, 13, 10])
        command.append(text: "é")
        command.append("PX")
        command.append(Int64(1500))
        command.append(key: [1])
        #expect(command.argumentCount == 6)
        #expect(command.key == [107, 0, 13, 10])
        #expect(
            text(command)
                == "*6\r\n$3\r\nSET\r\n$4\r\nk\u{0}\r\n\r\n$2\r\né\r\n$2\r\nPX\r\n$4\r\n1500\r\n"
                + "$1\r\n\u{1}\r\n")
        #expect(text(RedisCommand("PING")) == "*1\r\n$4\r\nPING\r\n")
        #expect(text(RedisCommand("GET", "")) == "*2\r\n$3\r\nGET\r\n$0\r\n\r\n")
    }

    @Test(arguments: [0, 9, 10, -1, -10, 99, 100, 1_000_000_007, Int64.max, Int64.min])
    func `a number has as many digits as it says`(number: Int64) {
        var command = RedisCommand("X")
        command.append(number)
        #expect(text(command) == "*2\r\n$1\r\nX\r\n$\("\(number)".count)\r\n\(number)\r\n")
    }

    @Test func `a script is called by the digest of its text`() {
        let script = RedisScript("return 1")
        // By redis-cli SCRIPT LOAD.
        #expect(
            String(decoding: script.digest, as: UTF8.self)
                == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")
        #expect(
            text(script.callByName(keys: [[107]], arguments: [[49], []]))
                == "*6\r\n$7\r\nEVALSHA\r\n$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n"
                + "$1\r\n1\r\n$1\r\nk\r\n$1\r\n1\r\n$0\r\n\r\n")
        #expect(
            text(script.callByText(keys: [], arguments: []))
                == "*3\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n0\r\n")
    }

    @Test(arguments: [
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        ),
        (String(repeating: "a", count: 1_000_000), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
    ])
    func `digests are those of FIPS 180`(message: String, digest: String) {
        #expect(String(decoding: RedisScript(message).digest, as: UTF8.self) == digest)
    }
}
