import HTTP1
import HTTPModel
import Primitives

/// Roomy bounds for tests that are not about bounds.
let roomy = HeadBounds(headerBytes: 16384, fields: 100, targetBytes: 4096)

/// What a parsed request said, as plain values that can be compared.
struct RequestFacts: Equatable {
    var method = Method.other
    var version = HTTPVersion.http11
    var target = ""
    var path = ""
    var query: String?
    var authority = ""
    var framing = BodyFraming.none
    var keepsAlive = true
    var fields: [String] = []
    var consumed = 0

    init(_ head: borrowing RequestHead, consumed: Int) {
        method = head.method
        version = head.version
        target = head.span(head.target).text
        path = head.span(head.path).text
        if let range = head.query { query = head.span(range).text }
        authority = head.span(head.authority).text
        framing = head.framing
        keepsAlive = head.keepsAlive
        for i in head.fields.indices {
            fields.append("\(head.fields.name(at: i).text): \(head.fields.value(at: i).text)")
        }
        self.consumed = consumed
    }
}

/// What a parsed response said.
struct ResponseFacts: Equatable {
    var status: Status
    var version: HTTPVersion
    var reason: String
    var framing: BodyFraming
    var keepsAlive: Bool
    var fields: [String] = []
    var consumed: Int

    init(_ head: borrowing ResponseHead, consumed: Int) {
        status = head.status
        version = head.version
        reason = head.span(head.reason).text
        framing = head.framing
        keepsAlive = head.keepsAlive
        self.consumed = consumed
        for i in head.fields.indices {
            fields.append("\(head.fields.name(at: i).text): \(head.fields.value(at: i).text)")
        }
    }
}

enum RequestOutcome: Equatable {
    case head(RequestFacts)
    case refused(RequestError)
    case needsMore

    var facts: RequestFacts? {
        if case .head(let facts) = self { return facts }
        return nil
    }
}

enum ResponseOutcome: Equatable {
    case head(ResponseFacts)
    case refused(ResponseError)
    case needsMore

    var facts: ResponseFacts? {
        if case .head(let facts) = self { return facts }
        return nil
    }
}

/// Parses `bytes` as they arrive: up to each of `cuts` in turn, then all of them.
func parseRequest(
    _ bytes: [UInt8], cuts: [Int] = [], bounds: HeadBounds = roomy
) -> RequestOutcome {
    var parser = RequestParser(bounds: bounds)
    var head = RequestHead()
    return parseRequest(bytes, cuts: cuts, with: &parser, into: &head)
}

func parseRequest(
    _ bytes: [UInt8], cuts: [Int], with parser: inout RequestParser, into head: inout RequestHead
) -> RequestOutcome {
    for cut in cuts + [bytes.count] {
        do throws(RequestError) {
            let input = bytes.span.extracting(0..<cut)
            if let consumed = try parser.parse(input, into: &head) {
                return .head(RequestFacts(head, consumed: consumed))
            }
        } catch {
            return .refused(error)
        }
    }
    return .needsMore
}

func parseRequest(_ text: String, bounds: HeadBounds = roomy) -> RequestOutcome {
    parseRequest(Array(text.utf8), bounds: bounds)
}

func parseResponse(
    _ bytes: [UInt8], for method: Method = .get, cuts: [Int] = [], bounds: HeadBounds = roomy
) -> ResponseOutcome {
    var parser = ResponseParser(bounds: bounds)
    var head = ResponseHead()
    for cut in cuts + [bytes.count] {
        do throws(ResponseError) {
            let input = bytes.span.extracting(0..<cut)
            if let consumed = try parser.parse(input, for: method, into: &head) {
                return .head(ResponseFacts(head, consumed: consumed))
            }
        } catch {
            return .refused(error)
        }
    }
    return .needsMore
}

func parseResponse(_ text: String, for method: Method = .get) -> ResponseOutcome {
    parseResponse(Array(text.utf8), for: method)
}

/// What came out of a body decoder.
struct BodyOutcome: Equatable {
    var data: [UInt8] = []
    var error: BodyError?
    var isComplete = false
    var consumed = 0
    var trailers: [String] = []
}

/// Feeds `bytes` in pieces that end at `cuts`, keeping what a step did not consume.
func decode(_ bytes: [UInt8], _ framing: BodyFraming, cuts: [Int] = [], ends: Bool = false)
    -> BodyOutcome
{
    var decoder = BodyDecoder(framing)
    var outcome = BodyOutcome()
    do throws(BodyError) {
        for cut in cuts + [bytes.count] {
            var isWaiting = false
            while !isWaiting && !outcome.isComplete {
                let input = bytes.span.extracting(outcome.consumed..<cut)
                switch try decoder.next(input) {
                case .data(let range, let consumed):
                    precondition(range.end <= consumed)
                    precondition(consumed <= input.count)
                    precondition(!range.isEmpty)
                    outcome.data += input.extracting(range.indices).copied
                    outcome.consumed += consumed
                case .needsMore(let consumed):
                    precondition(consumed == input.count)
                    outcome.consumed += consumed
                    isWaiting = true
                case .end(let consumed):
                    precondition(consumed <= input.count)
                    outcome.consumed += consumed
                    outcome.isComplete = true
                }
            }
        }
        if ends {
            try decoder.endOfInput()
            outcome.isComplete = decoder.isComplete
        }
    } catch {
        outcome.error = error
        // How much was given up before an error depends on how the bytes came.
        outcome.consumed = 0
    }
    let trailers = decoder.trailers
    for i in trailers.indices {
        outcome.trailers.append("\(trailers.name(at: i).text): \(trailers.value(at: i).text)")
    }
    return outcome
}

/// Up to four sorted positions in `0…count`.
func randomCuts(_ count: Int, _ random: inout SeededRandom) -> [Int] {
    (0..<random.below(5)).map { _ in random.below(count + 1) }.sorted()
}
