import Primitives

/// The only right body for a request: it says itself whose answer it is, and how long it must be.
///
///     /cached/1 user=u1 lang=- version=7 length=200|abcabc…
struct Truth: Equatable {
    var path: String
    var user: String
    var language: String
    /// The version of the resource: it changes every `versionSeconds`.
    var version: UInt64
    var length: Int

    static let versionSeconds: UInt64 = 4

    static func version(at time: MonotonicTime) -> UInt64 {
        time.nanoseconds / 1_000_000_000 / versionSeconds
    }

    private var stamp: String {
        "\(path) user=\(user) lang=\(language) version=\(version) length=\(length)|"
    }

    var etag: String { "\"\(path)-\(user)-\(language)-\(version)\"" }

    /// The body, `length` bytes or as long as its own stamp.
    var body: [UInt8] {
        var bytes = Array(stamp.utf8)
        var state = bytes.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
        while bytes.count < length {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes.append(UInt8(97 + (state >> 33) % 26))
        }
        return bytes
    }

    /// What a whole body says; `nil` when it is not a whole right body.
    init?(reading body: [UInt8]) {
        let text = String(decoding: body, as: UTF8.self)
        guard let bar = text.firstIndex(of: "|") else { return nil }
        let words = text[..<bar].split(separator: " ")
        guard words.count == 5 else { return nil }
        let values = words.dropFirst().map { String($0.drop { $0 != "=" }.dropFirst()) }
        guard let version = UInt64(values[2]), let length = Int(values[3]) else { return nil }
        self.init(
            path: String(words[0]), user: values[0], language: values[1], version: version,
            length: length)
        guard body == self.body else { return nil }
    }

    init(path: String, user: String, language: String, version: UInt64, length: Int) {
        self.path = path
        self.user = user
        self.language = language
        self.version = version
        self.length = length
    }
}
