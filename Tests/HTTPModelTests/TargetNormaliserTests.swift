import HTTPModel
import Primitives
import Testing

private enum Outcome: Equatable {
    case target(String, path: String)
    case error(TargetError)
}

private func normal(_ target: [UInt8]) -> Outcome {
    do throws(TargetError) {
        let seen = try TargetNormaliser.inspect(target.span)
        if seen.isNormal {
            let path = target.span.extracting(0..<seen.pathCount).text
            return .target(target.span.text, path: path)
        }
        // What was there before must not show.
        var output = Array("leftover".utf8)
        let count = try TargetNormaliser.normalise(target.span, into: &output)
        return .target(output.span.text, path: output.span.extracting(0..<count).text)
    } catch {
        return .error(error)
    }
}

private func normal(_ target: String) -> Outcome { normal(Array(target.utf8)) }

@Test func `a target within other bytes is read as by itself`() {
    func look(_ bytes: [UInt8], _ range: Range<Int>) -> String {
        do throws(TargetError) {
            let seen = try TargetNormaliser.inspect(bytes.span, in: range)
            return "\(seen.isNormal) \(seen.pathCount)"
        } catch {
            return "\(error)"
        }
    }
    var random = SeededRandom(seed: 8)
    let alphabet = Array("ab./?%2eE#z".utf8)
    for _ in 0..<2000 {
        let target = [0x2F] + (0..<random.below(40)).map { _ in alphabet[random.below(11)] }
        // What stands around it would make a dot segment or an escape whole.
        let whole = Array("GET /..".utf8) + target + Array("./2E HTTP/1.1".utf8)
        #expect(look(whole, 7..<(7 + target.count)) == look(target, 0..<target.count))
    }
}

@Test func `every byte of a target is judged, at every length`() {
    for count in 0...40 {
        let plain = [UInt8](repeating: 0x61, count: count)
        for byte in UInt8.min...UInt8.max {
            let isGood = byte > 0x20 && byte < 0x7F && byte != 0x23 && byte != 0x25
            let seen = normal([0x2F] + plain + [byte, 0x61])
            if isGood { continue }
            #expect(seen == .error(byte == 0x25 ? .malformedEscape : .forbiddenByte))
        }
    }
}

@Test(
    arguments: [
        ("/", "/"), ("", "/"), ("/a/b", "/a/b"), ("/a/./b", "/a/b"), ("/a/../b", "/b"),
        ("/a/.", "/a/"),
        ("/a/..", "/"), ("/a/b/..", "/a/"), ("/a/b/../..", "/"), ("/./", "/"), ("/.", "/"),
        ("/a/b/../../c", "/c"), ("/a//b", "/a//b"), ("//", "//"), ("/a//../b", "/a/b"),
        ("//..", "/"),
        ("/%2e/a", "/a"), ("/a/%2E%2e/b", "/b"), ("/a/.%2e", "/"), ("/a/%2e.", "/"),
        ("/%61%62%7E%2D%5F", "/ab~-_"), ("/a%2fb", "/a%2Fb"), ("/a%2Fb", "/a%2Fb"),
        ("/%c3%a4", "/%C3%A4"),
        ("/%252e%252e/", "/%252e%252e/"), ("/...", "/..."), ("/.a", "/.a"), ("/..a", "/..a"),
        ("/a./b..", "/a./b.."), ("/a;v=1/x", "/a;v=1/x"), ("/%00", "/%00"), ("/a\\b", "/a\\b"),
    ] as [(String, String)])
func `a path has one normal spelling`(target: String, expected: String) {
    #expect(normal(target) == .target(expected, path: expected))
    #expect(normal(target + "?q=1") == .target(expected + "?q=1", path: expected))
}

@Test(
    arguments: [
        ("/a?b=/../c", "/a?b=/../c", "/a"), ("/a?%2e%2E=%2f", "/a?..=%2F", "/a"), ("/?", "/?", "/"),
        ("?x", "/?x", "/"), ("/a/..?x?y", "/?x?y", "/"), ("/.?.", "/?.", "/"),
        ("/a??", "/a??", "/a"),
    ] as [(String, String, String)])
func `a query keeps its dots and its order`(target: String, expected: String, path: String) {
    #expect(normal(target) == .target(expected, path: path))
}

@Test(
    arguments: [
        ("/a b", .forbiddenByte), ("/a#b", .forbiddenByte), ("/a?b#c", .forbiddenByte),
        ("/a\u{7F}", .forbiddenByte), ("/ä", .forbiddenByte), ("/a\tb", .forbiddenByte),
        ("/a\0", .forbiddenByte), ("/?a\r\nb", .forbiddenByte), ("a", .forbiddenByte),
        ("/%", .malformedEscape), ("/%2", .malformedEscape), ("/%2g", .malformedEscape),
        ("/%g2", .malformedEscape), ("/?%", .malformedEscape), ("/%%41", .malformedEscape),
        ("/..", .aboveRoot), ("/../a", .aboveRoot), ("/a/../..", .aboveRoot),
        ("/%2e%2e/a", .aboveRoot),
        ("/a/%2E./../b", .aboveRoot), ("/./..", .aboveRoot), ("//../..", .aboveRoot),
    ] as [(String, TargetError)])
func `a target that two programs might read differently is refused`(
    target: String, expected: TargetError
) {
    #expect(normal(target) == .error(expected))
}

@Test func `normalising twice is normalising once, and leaves no dot segment`() {
    var random = SeededRandom(seed: 11)
    let pieces = [
        "/", "/", ".", ".", "..", "a", "%2e", "%2E", "%2f", "%41", "%c3", "?", "-", "%25",
    ]
    var changed = 0
    for _ in 0..<20_000 {
        var target = "/"
        for _ in 0..<random.below(12) { target += pieces[random.below(pieces.count)] }
        guard case .target(let once, let path) = normal(target) else { continue }
        if once != target { changed += 1 }
        #expect(normal(once) == .target(once, path: path), "\(target)")
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        #expect(!segments.contains(".") && !segments.contains(".."), "\(target) → \(path)")
        #expect(path.hasPrefix("/") && once.hasPrefix(path))
    }
    #expect(changed > 5000)
}

@Test func `the fast path and a slow model agree on paths`() {
    // RFC 3986 §5.2.4 over a list of segments.
    func model(_ path: String) -> String? {
        var output: [Substring] = []
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            if segment == ".." {
                if output.isEmpty { return nil }
                output.removeLast()
            } else if segment != "." {
                output.append(segment)
                continue
            }
            if isLast { output.append("") }
        }
        return "/" + output.joined(separator: "/")
    }
    var random = SeededRandom(seed: 12)
    for _ in 0..<20_000 {
        var path = "/"
        for _ in 0..<random.below(14) {
            path += ["/", ".", "..", "/..", "/.", "a"][random.below(6)]
        }
        let expected = model(path).map { Outcome.target($0, path: $0) } ?? .error(.aboveRoot)
        #expect(normal(path) == expected, "\(path)")
    }
}

@Test func `random bytes never pass with a byte that must be escaped`() {
    var random = SeededRandom(seed: 13)
    for _ in 0..<20_000 {
        let target = [0x2F] + (0..<random.below(12)).map { _ in UInt8(random.below(256)) }
        guard case .target(let result, _) = normal(target) else { continue }
        for byte in result.utf8 { #expect(byte > 32 && byte < 127 && byte != 35) }
    }
}
