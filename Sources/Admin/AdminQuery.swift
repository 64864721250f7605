import HTTPModel
import Primitives
import Proxy
import Telemetry

/// Why a question to the admin API gets no answer: a status and a sentence.
struct AdminProblem: Error {
    let status: Status
    let detail: String
    var fields: [String] = []

    /// As an answer.
    var reply: SmallServer.Reply {
        let body = ByteBuffer(capacity: 256)
        var json = JSONWriter(to: body)
        json.object { json in
            json.field("error", "\(status.reason)")
            json.field("detail", detail)
        }
        body.append("\n")
        return SmallServer.Reply(status, body: body.readable.copied, fields: fields)
    }
}

/// The parameters of one request: of its query, and of a POST's form or JSON object.
struct AdminQuery {
    private(set) var parameters: [(name: String, value: String)] = []

    /// Reads the query of `request`, and `body` when it is a form or a JSON object.
    ///
    /// In a query a `+` is a plus, in a form a space, as their formats have it.
    init(_ request: borrowing RequestHead, _ body: [UInt8]) throws(AdminProblem) {
        if let query = request.query {
            try read(request.span(query).text, plusIsSpace: false)
        }
        guard !body.isEmpty else { return }
        let type = request.fields.first(.contentType)?.text ?? ""
        if type.lowercased().hasPrefix("application/json") {
            guard let members = FlatJSON.members(of: body) else {
                throw AdminProblem(
                    status: 400,
                    detail: "a JSON body is one object of texts, numbers, true and false")
            }
            parameters += members
            return
        }
        guard type.lowercased().hasPrefix("application/x-www-form-urlencoded") else {
            throw AdminProblem(
                status: 415,
                detail:
                    "parameters stand in the query, or in a body of application/json or "
                    + "application/x-www-form-urlencoded"
            )
        }
        try read(String(decoding: body, as: UTF8.self), plusIsSpace: true)
    }

    private mutating func read(_ text: String, plusIsSpace: Bool) throws(AdminProblem) {
        for pair in text.split(separator: "&") {
            let sign = pair.firstIndex(of: "=") ?? pair.endIndex
            let name = try AdminQuery.decode(pair[..<sign], plusIsSpace)
            let value = try AdminQuery.decode(pair[sign...].dropFirst(), plusIsSpace)
            parameters.append((name, value))
        }
    }

    /// Undoes percent-encoding (RFC 3986 §2.1).
    private static func decode(
        _ text: Substring, _ plusIsSpace: Bool
    ) throws(AdminProblem) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") && plusIsSpace {
                bytes.append(0x20)
            } else if byte != UInt8(ascii: "%") {
                bytes.append(byte)
            } else {
                guard let high = rest.popFirst().flatMap({ ASCII.hexValue($0) }),
                    let low = rest.popFirst().flatMap({ ASCII.hexValue($0) })
                else {
                    throw AdminProblem(
                        status: 400, detail: "`\(text)` is not percent-encoded")
                }
                bytes.append(high << 4 | low)
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw AdminProblem(status: 400, detail: "`\(text)` is not UTF-8")
        }
        return text
    }

    // MARK: Taking parameters

    /// Takes the parameter of this name, which may be there once.
    mutating func take(_ name: String) throws(AdminProblem) -> String? {
        let values = takeAll(name)
        guard values.count <= 1 else {
            throw AdminProblem(status: 400, detail: "`\(name)` is there \(values.count) times")
        }
        return values.first
    }

    /// Takes the parameter of this name, or says that it is needed.
    mutating func require(_ name: String, _ meaning: String) throws(AdminProblem) -> String {
        guard let value = try take(name), !value.isEmpty else {
            throw AdminProblem(status: 400, detail: "`\(name)` is needed: \(meaning)")
        }
        return value
    }

    /// Takes all parameters of this name, in order.
    mutating func takeAll(_ name: String) -> [String] {
        let values = parameters.filter { $0.name == name }.map(\.value)
        parameters.removeAll { $0.name == name }
        return values
    }

    /// Takes the parameters whose names begin with `prefix`; each name may be there once.
    mutating func takeAll(prefix: String) throws(AdminProblem) -> [String: String] {
        var found: [String: String] = [:]
        for (name, value) in parameters where name.hasPrefix(prefix) {
            guard found.updateValue(value, forKey: String(name.dropFirst(prefix.count))) == nil
            else { throw AdminProblem(status: 400, detail: "`\(name)` is there more than once") }
        }
        parameters.removeAll { $0.name.hasPrefix(prefix) }
        return found
    }

    /// A whole number from `range`.
    mutating func number(
        _ name: String, _ range: ClosedRange<Int>, otherwise: Int? = nil
    ) throws(AdminProblem) -> Int {
        let text = try take(name)
        if text == nil, let otherwise { return otherwise }
        guard let text, text.utf8.allSatisfy(ASCII.isDigit), let number = Int(text),
            range.contains(number)
        else {
            throw AdminProblem(
                status: 400,
                detail:
                    "`\(name)` is a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    /// An address.
    mutating func address(_ name: String) throws(AdminProblem) -> IPAddress? {
        guard let text = try take(name) else { return nil }
        guard let address = IPAddress(parsing: text) else {
            throw AdminProblem(status: 400, detail: "`\(name)`: `\(text)` is not an IP address")
        }
        return address
    }

    /// A duration such as `90s`, `10m` or `1h30m`, from a second to `max`.
    mutating func duration(_ name: String, max: Nanoseconds) throws(AdminProblem) -> Nanoseconds {
        let text = try require(name, "a duration such as 10m")
        guard let time = AdminQuery.duration(text), time >= .seconds(1), time <= max else {
            throw AdminProblem(
                status: 400,
                detail: "`\(name)`: `\(text)` is not a duration such as 90s, 10m or 1h30m, "
                    + "from 1s to \(max.wholeSeconds / 86_400)d")
        }
        return time
    }

    private static func duration(_ text: String) -> Nanoseconds? {
        var total = Nanoseconds.zero
        var rest = text.utf8[...]
        while !rest.isEmpty {
            let digits = rest.prefix(while: ASCII.isDigit)
            let letters = rest.dropFirst(digits.count).prefix(while: ASCII.isAlpha)
            rest = rest.dropFirst(digits.count + letters.count)
            let unit: UInt64
            switch String(decoding: letters, as: UTF8.self) {
            case "s": unit = 1
            case "m": unit = 60
            case "h": unit = 3600
            case "d": unit = 86_400
            default: return nil
            }
            guard let number = UInt64(String(decoding: digits, as: UTF8.self)) else { return nil }
            let (seconds, overflow) = number.multipliedReportingOverflow(by: unit)
            total = total + (overflow ? .forever : .seconds(seconds))
        }
        return total
    }

    /// `true` or `false`; absent: `false`. A parameter without a value is `true`.
    mutating func flag(_ name: String) throws(AdminProblem) -> Bool {
        switch try take(name) {
        case nil, "false": return false
        case "true", "": return true
        default: throw AdminProblem(status: 400, detail: "`\(name)` is true or false")
        }
    }

    /// Says which parameter is not known, when one is left.
    func finish(known: String) throws(AdminProblem) {
        guard let first = parameters.first else { return }
        throw AdminProblem(
            status: 400, detail: "unknown parameter `\(first.name)`; known are \(known)")
    }
}
