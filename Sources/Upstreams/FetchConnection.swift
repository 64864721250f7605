import EventLoop
import HTTP1
import HTTPModel
import Primitives
import TLSEngine

/// A connection for one GET.
final class FetchConnection {
    private let stream: ByteStream
    private let tls: TLSStream?
    private let input = ByteBuffer(capacity: 16 << 10)

    private init(_ stream: ByteStream, _ tls: TLSStream?) {
        self.stream = stream
        self.tls = tls
    }

    /// Connects to `address` for `url`.
    static func open(
        _ address: IPAddress, for url: FetchURL, trusting authorities: [UInt8],
        until deadline: MonotonicTime, on loop: EventLoop
    ) async throws(FetchError) -> FetchConnection {
        let stream: ByteStream
        do throws(StreamError) {
            stream = try await ByteStream.connect(
                to: .tcp(address, port: url.port), loop: loop, deadline: deadline)
        } catch {
            throw FetchError(error)
        }
        guard url.isSecure else { return FetchConnection(stream, nil) }
        do throws(FetchError) {
            let tls = TLSStream(stream, try engine(for: url, trusting: authorities, loop))
            do throws(TLSStreamError) {
                try await tls.handshake(until: deadline)
            } catch {
                throw FetchError(error)
            }
            return FetchConnection(stream, tls)
        } catch {
            stream.close()
            throw error
        }
    }

    private static func engine(
        for url: FetchURL, trusting authorities: [UInt8], _ loop: EventLoop
    ) throws(FetchError) -> TLSClientEngine {
        let server = url.address.map(TLSServerName.address) ?? .name(url.host)
        do throws(TLSFailure) {
            // A context of its own for each connection: a renewed file of authorities counts at once.
            return try TLSClientEngine(
                TLSClientContext(authorities: authorities), server: server, at: loop.clock.wall)
        } catch {
            throw .tls(error)
        }
    }

    /// Closes the connection.
    func close() {
        tls?.closeWriting()
        stream.close()
    }

    /// Asks for `url` and reads the answer.
    func get(_ url: FetchURL, until deadline: MonotonicTime) async throws(FetchError) -> FetchedBody
    {
        let request = ByteBuffer(capacity: 1024)
        FetchConnection.append(url, to: request)
        try await write(request, until: deadline)
        let head = try await readHead(until: deadline)
        guard head.status == 200 else {
            throw .status(head.status, location: FetchConnection.location(of: head))
        }
        if let coding = head.fields.first(.contentEncoding), !coding.equalsIgnoringCase("identity")
        {
            throw .encoded
        }
        let maxAge = FetchedBody.maxAge(head.fields)
        let body = try await readBody(head.framing, until: deadline)
        return FetchedBody(bytes: body, maxAge: maxAge)
    }

    private static func append(_ url: FetchURL, to request: ByteBuffer) {
        request.append("GET ")
        request.append(text: url.target)
        request.append(" HTTP/1.1\r\nHost: ")
        request.append(text: url.authority)
        request.append(
            "\r\nAccept: application/json\r\nAccept-Encoding: identity\r\nUser-Agent: weir\r\n")
        request.append("Connection: close\r\n\r\n")
    }

    private static func location(of head: borrowing ResponseHead) -> String? {
        guard (300..<400).contains(head.status.code), let location = head.fields.first(.location)
        else { return nil }
        return location.extracting(first: Bounds.locationBytes).text
    }

    private func readHead(until deadline: MonotonicTime) async throws(FetchError) -> ResponseHead {
        var parser = ResponseParser(bounds: Bounds.responseHead)
        var head = ResponseHead()
        // Interim answers (1xx) may come first, but not for ever.
        for _ in 0..<Bounds.interimAnswers {
            while true {
                let arrived = input
                let consumed: Int?
                do throws(ResponseError) {
                    consumed = try parser.parse(arrived.readable, for: .get, into: &head)
                } catch {
                    throw .malformedAnswer
                }
                if let consumed {
                    input.consume(consumed)
                    break
                }
                if try await read(until: deadline) == 0 { throw .closedEarly }
            }
            if !head.status.isInformational { return head }
            if head.status == 101 { break }
        }
        throw .malformedAnswer
    }

    private func readBody(
        _ framing: BodyFraming, until deadline: MonotonicTime
    ) async throws(FetchError) -> [UInt8] {
        if case .length(let length) = framing, length > Bounds.fetchedBody { throw .tooLarge }
        var decoder = BodyDecoder(framing)
        var body: [UInt8] = []
        while !decoder.isComplete {
            let arrived = input
            let step: BodyDecoder.Step
            do throws(BodyError) {
                step = try decoder.next(arrived.readable)
            } catch {
                throw .malformedAnswer
            }
            switch step {
            case .data(let range, let consumed):
                body.append(arrived.readable.extracting(range.indices))
                input.consume(consumed)
                if body.count > Bounds.fetchedBody { throw .tooLarge }
            case .end(let consumed):
                input.consume(consumed)
            case .needsMore(let consumed):
                input.consume(consumed)
                guard try await read(until: deadline) == 0 else { continue }
                do throws(BodyError) { try decoder.endOfInput() } catch { throw .closedEarly }
            }
        }
        return body
    }

    // MARK: Bytes

    private func read(until deadline: MonotonicTime) async throws(FetchError) -> Int {
        guard let tls else {
            do throws(StreamError) {
                return try await stream.read(into: input, until: deadline)
            } catch {
                throw FetchError(error)
            }
        }
        do throws(TLSStreamError) {
            return try await tls.read(into: input, until: deadline)
        } catch {
            throw FetchError(error)
        }
    }

    private func write(_ buffer: ByteBuffer, until deadline: MonotonicTime) async throws(FetchError)
    {
        let patience = deadline - stream.loop.now
        guard let tls else {
            do throws(StreamError) {
                return try await stream.write(buffer, patience: patience)
            } catch {
                throw FetchError(error)
            }
        }
        do throws(TLSStreamError) {
            try await tls.write(buffer, patience: patience)
        } catch {
            throw FetchError(error)
        }
    }
}
