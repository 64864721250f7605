/// One request of a client, what the origin has to do with it, and what the client must see.
///
///     get("If-None-Match: \"a\"").origin(reply("ETag: \"b\"")).originSees("If-None-Match: \"a\"").sees("ETag: \"b\"")
///
/// Without `origin` the origin must not be asked: the answer is in the store. Unless something else is said,
/// the client must see status and content of the origin's answer, or of the last one that had content.
struct Exchange: Sendable {
    /// The content a client must see.
    enum Content: Sendable, Equatable {
        /// That of the answer the rule above names.
        case expected
        /// That of the answer in the exchange of this number, from 1.
        case of(Int)
        case text(String)
        /// These texts in this order, and others between them.
        case containing([String])
        /// A body that ends before it is whole, or an error instead.
        case cutShort
        case any
    }

    var method: String
    /// What follows the case's own path.
    var target = ""
    var host = "conformance.test"
    var fields: [String]
    var body: String?
    var pause = Duration.zero
    /// Above 1: further clients ask while the origin answers the first one; what is checked is the last one's.
    var clients = 1

    var replies: [Reply] = []
    /// The origin is asked behind the back of the client, who is served at once.
    var isBehind = false
    var originSees: [String] = []
    var originLacks: [String] = []

    var status: Int?
    var content = Content.expected
    /// The statuses of the interim answers that come first.
    var interim: [Int]?
    var sees: [String] = []
    var lacks: [String] = []
    var age: ClosedRange<Int>?
    var ttl: ClosedRange<Int>?
    /// Parameters that Weir's member of Cache-Status must have, and must not.
    var says: [String] = []
    var saysNot: [String] = []

    private func with<Value>(_ path: WritableKeyPath<Exchange, Value>, _ value: Value) -> Exchange {
        var copy = self
        copy[keyPath: path] = value
        return copy
    }

    // MARK: The request

    func at(_ target: String) -> Exchange { with(\.target, target) }
    func host(_ host: String) -> Exchange { with(\.host, host) }
    func body(_ body: String) -> Exchange { with(\.body, body) }
    /// Waits before it begins.
    func after(_ pause: Duration) -> Exchange { with(\.pause, pause) }
    func byClients(_ count: Int) -> Exchange { with(\.clients, count) }

    // MARK: The origin

    /// The origin is asked, once for each reply.
    func origin(_ replies: Reply...) -> Exchange { with(\.replies, replies) }
    /// The origin is asked behind the client's back.
    func behind(_ reply: Reply) -> Exchange { with(\.replies, [reply]).with(\.isBehind, true) }
    /// Lines that the origin's (first) request must have; a name alone: any value.
    func originSees(_ lines: String...) -> Exchange { with(\.originSees, lines) }
    func originLacks(_ names: String...) -> Exchange { with(\.originLacks, names) }

    // MARK: The client

    func status(_ status: Int) -> Exchange { with(\.status, status) }
    func interim(_ statuses: Int...) -> Exchange { with(\.interim, statuses) }
    func content(_ text: String) -> Exchange { with(\.content, .text(text)) }
    func content(of exchange: Int) -> Exchange { with(\.content, .of(exchange)) }
    func content(_ content: Content) -> Exchange { with(\.content, content) }
    /// Fields that the answer must have; a name alone: any value; `name ~ text`: the value contains it.
    func sees(_ lines: String...) -> Exchange { with(\.sees, lines) }
    func lacks(_ names: String...) -> Exchange { with(\.lacks, names) }
    func age(_ range: ClosedRange<Int>) -> Exchange { with(\.age, range) }
    func ttl(_ range: ClosedRange<Int>) -> Exchange { with(\.ttl, range) }
    func says(_ parameters: String...) -> Exchange { with(\.says, parameters) }
    func saysNot(_ parameters: String...) -> Exchange { with(\.saysNot, parameters) }
}

func get(_ fields: String...) -> Exchange { Exchange(method: "GET", fields: fields) }
func head(_ fields: String...) -> Exchange { Exchange(method: "HEAD", fields: fields) }
func send(_ method: String, _ fields: String...) -> Exchange {
    Exchange(method: method, fields: fields)
}

/// What the origin answers. A `Date` of now is added where none is written.
///
/// In a line `{date-60}` is the time 60 s before the case began, `{rfc850+60}` and `{asctime}` the same in
/// other forms, and `{path}` the case's own path.
struct Reply: Sendable {
    enum Framing: Sendable {
        case length, chunked, untilClose
        /// Says a greater length, and closes.
        case cutShort
        /// The same with chunks.
        case cutChunks
        /// Closes without an answer.
        case none
    }

    var status = 200
    var fields: [String]
    /// Without one it is different in each exchange.
    var content: String?
    var framing = Framing.length
    /// Heads of interim answers that come first.
    var interim: [String] = []
    var trailers: [String] = []
    var delay = Duration.zero
    var hasDate = true

    private func with<Value>(_ path: WritableKeyPath<Reply, Value>, _ value: Value) -> Reply {
        var copy = self
        copy[keyPath: path] = value
        return copy
    }

    func content(_ text: String) -> Reply { with(\.content, text) }
    func framed(_ framing: Framing) -> Reply { with(\.framing, framing) }
    func interim(_ heads: String...) -> Reply { with(\.interim, heads) }
    func trailers(_ lines: String...) -> Reply {
        with(\.trailers, lines).with(\.framing, .chunked)
    }
    func after(_ delay: Duration) -> Reply { with(\.delay, delay) }
    func withoutDate() -> Reply { with(\.hasDate, false) }
}

func reply(_ fields: String...) -> Reply { Reply(fields: fields) }
func reply(_ status: Int, _ fields: String...) -> Reply { Reply(status: status, fields: fields) }
/// The origin closes the connection without an answer.
func noReply() -> Reply { Reply(fields: [], framing: .none) }

// MARK: Scripts that many cases share

/// An answer with these lines is stored: the second client is served without the origin.
func stored(_ fields: String...) -> [Exchange] { stored(Reply(fields: fields)) }
func stored(_ status: Int, _ fields: String...) -> [Exchange] {
    stored(Reply(status: status, fields: fields))
}
private func stored(_ answer: Reply) -> [Exchange] { [get().origin(answer), get()] }

/// An answer with these lines is not reused as it is: the origin is asked for the second client too.
func notReused(_ fields: String...) -> [Exchange] { notReused(Reply(fields: fields)) }
func notReused(_ status: Int, _ fields: String...) -> [Exchange] {
    notReused(Reply(status: status, fields: fields))
}
private func notReused(_ answer: Reply) -> [Exchange] {
    [get().origin(answer), get().origin(answer)]
}
