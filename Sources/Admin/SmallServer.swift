public import EventLoop
import HTTP1
public import HTTPModel
public import Primitives

/// A plain HTTP/1.1 server for few requests: the admin address and the demo origin. Not the data plane.
///
/// Bodies up to 1 MiB are read whole before the handler is asked; larger ones are answered 413.
public final class SmallServer {
    /// A whole answer.
    public struct Reply {
        /// The status.
        public var status: Status
        /// The media type of the body.
        public var type: String
        /// The body.
        public var body: [UInt8]
        /// Further header lines, without line ends.
        public var fields: [String]

        /// Creates an answer.
        public init(
            _ status: Status, type: String = "application/json", body: [UInt8],
            fields: [String] = []
        ) {
            self.status = status
            self.type = type
            self.body = body
            self.fields = fields
        }

        /// Creates an answer with a text body.
        public init(
            _ status: Status, type: String = "application/json", text: String, fields: [String] = []
        ) {
            self.init(status, type: type, body: Array(text.utf8), fields: fields)
        }
    }

    /// Answers one request; its head and whole body.
    public typealias Handler = (RequestHead, [UInt8]) async -> Reply

    private static let headBounds = HeadBounds(
        headerBytes: 16 << 10, fields: 100, targetBytes: 8 << 10)
    private static let bodyMax = 1 << 20
    private static let idle = Nanoseconds.seconds(30)
    private static let connectionsMax = 1024
    /// How long and how much is read after a refusal.
    private static let linger = Nanoseconds.seconds(2)
    private static let lingerBytes = 64 << 20

    private let loop: EventLoop
    private let listener: Listener
    private let handler: Handler
    private var open = 0

    /// The bound address.
    public var address: SocketAddress { listener.address }

    /// Binds `address`.
    public init(
        _ address: SocketAddress, loop: EventLoop, handler: @escaping Handler
    ) throws(ListenError) {
        self.loop = loop
        self.handler = handler
        listener = try Listener(address, loop: loop, reusePort: false)
    }

    /// Starts to accept.
    public func start() {
        loop.start { [self] in
            while let (descriptor, _) = await listener.accept() {
                guard let stream = ByteStream(descriptor, loop: loop) else { continue }
                if open >= SmallServer.connectionsMax {
                    stream.close()
                    continue
                }
                open += 1
                loop.start { [self] in
                    await serve(stream)
                    stream.close()
                    open -= 1
                }
            }
        }
    }

    /// Stops accepting.
    public func close() { listener.close() }

    private func serve(_ stream: ByteStream) async {
        let input = ByteBuffer(capacity: 16 << 10)
        let output = ByteBuffer(capacity: 16 << 10)
        var parser = RequestParser(bounds: SmallServer.headBounds)
        var request = RequestHead()
        while true {
            do {
                while true {
                    if let n = try parser.parse(input.readable, into: &request) {
                        input.consume(n)
                        break
                    }
                    let n = try await stream.read(into: input, until: loop.now + SmallServer.idle)
                    if n == 0 { return }
                }
            } catch let error as RequestError {
                append(
                    Reply(error.status, text: "{\"error\":\"\(error.reason)\"}\n"), isHead: false,
                    keepsAlive: false, to: output)
                try? await stream.write(output, patience: SmallServer.idle)
                return
            } catch {
                return
            }
            if request.fields.first(.expect)?.equalsIgnoringCase("100-continue") ?? false {
                output.append("HTTP/1.1 100 Continue\r\n\r\n")
                do { try await stream.write(output, patience: SmallServer.idle) } catch { return }
            }
            let body: [UInt8]
            switch await readBody(of: request, stream, input) {
            case .whole(let bytes): body = bytes
            case .refused(let status, let reason):
                append(
                    Reply(
                        status,
                        text: "{\"error\":\"\(status.reason)\",\"detail\":\"\(reason)\"}\n"),
                    isHead: false, keepsAlive: false, to: output)
                return await end(stream, output, input)
            case .gone: return
            }
            let reply = await handler(request, body)
            append(
                reply, isHead: request.method == .head, keepsAlive: request.keepsAlive, to: output)
            do { try await stream.write(output, patience: SmallServer.idle) } catch { return }
            if !request.keepsAlive { return }
        }
    }

    private enum Body {
        case whole([UInt8])
        case refused(Status, StaticString)
        case gone
    }

    private func readBody(
        of request: RequestHead, _ stream: ByteStream, _ input: ByteBuffer
    ) async -> Body {
        let tooLarge = Body.refused(413, "a body is at most 1 MiB")
        if case .length(let length) = request.framing, length > UInt64(SmallServer.bodyMax) {
            return tooLarge
        }
        var decoder = BodyDecoder(request.framing)
        var body: [UInt8] = []
        while !decoder.isComplete {
            guard let step = try? decoder.next(input.readable) else {
                return .refused(400, "the body is malformed")
            }
            switch step {
            case .data(let range, let consumed):
                if body.count + Int(range.count) > SmallServer.bodyMax { return tooLarge }
                body.append(input.readable.extracting(range.indices))
                input.consume(consumed)
            case .end(let consumed):
                input.consume(consumed)
            case .needsMore(let consumed):
                input.consume(consumed)
                let n = try? await stream.read(into: input, until: loop.now + SmallServer.idle)
                guard let n, n > 0 else { return .gone }
            }
        }
        return .whole(body)
    }

    /// Sends the last answer, and reads on for a moment: a connection closed over bytes that nobody has read
    /// would take the answer away from the client.
    private func end(_ stream: ByteStream, _ output: ByteBuffer, _ input: ByteBuffer) async {
        do { try await stream.write(output, patience: SmallServer.idle) } catch { return }
        stream.closeWriting()
        let deadline = loop.now + SmallServer.linger
        var left = SmallServer.lingerBytes
        while left > 0 {
            input.removeAll()
            guard let n = try? await stream.read(into: input, until: deadline), n > 0 else {
                return
            }
            left -= n
        }
    }

    private func append(_ reply: Reply, isHead: Bool, keepsAlive: Bool, to output: ByteBuffer) {
        HTTP1Writer.appendStatusLine(reply.status, to: output)
        output.append("Date: ")
        HTTPDate.append(loop.clock.wall.epochSeconds, to: output)
        output.append("\r\nContent-Type: ")
        output.append(text: reply.type)
        output.append("\r\n")
        HTTP1Writer.appendField(.contentLength, decimal: UInt64(reply.body.count), to: output)
        for field in reply.fields {
            output.append(text: field)
            output.append("\r\n")
        }
        if !keepsAlive { HTTP1Writer.appendField(.connection, "close", to: output) }
        HTTP1Writer.appendEndOfHead(to: output)
        if !isHead { output.append(reply.body.span) }
    }
}
