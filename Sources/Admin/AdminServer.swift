public import EventLoop
import HTTPModel
public import Primitives
public import Proxy
public import Settings
import Telemetry

/// The admin address: health for the orchestrator, metrics for Prometheus.
///
/// The health checks are open to whoever reaches the address; everything else asks for the token when one is
/// configured.
public final class AdminServer {
    private let settings: AdminSettings
    private let server: ProxyServer
    private let loop: EventLoop
    private var listener: SmallServer?

    /// Prepares the endpoints of `server`.
    public init(_ settings: AdminSettings, server: ProxyServer, loop: EventLoop) {
        self.settings = settings
        self.server = server
        self.loop = loop
    }

    /// Binds the address and starts to answer; returns the address with the kernel's port.
    public func start() throws(ListenError) -> SocketAddress {
        let small = try SmallServer(settings.address, loop: loop) { [self] request, _ in
            await answer(request)
        }
        small.start()
        listener = small
        return small.address
    }

    /// Stops accepting.
    public func close() { listener?.close() }

    private func answer(_ request: RequestHead) async -> SmallServer.Reply {
        guard request.method == .get || request.method == .head else {
            return SmallServer.Reply(
                405, text: "{\"error\":\"Method Not Allowed\"}\n", fields: ["Allow: GET, HEAD"])
        }
        let path = request.span(request.path)
        if let kind = HealthReport.Kind(path: path) {
            let report = HealthReport(kind, of: server.shared, at: loop.now)
            let body = ByteBuffer(capacity: 512)
            report.append(to: body)
            return SmallServer.Reply(
                report.status, body: body.readable.copied, fields: ["Cache-Control: no-store"])
        }
        guard isAuthorised(request) else {
            return SmallServer.Reply(
                401, text: "{\"error\":\"Unauthorized\",\"detail\":\"bearer token required\"}\n",
                fields: ["WWW-Authenticate: Bearer realm=\"weir-admin\""])
        }
        if path.equals("/metrics") {
            let body = ByteBuffer(capacity: 16 << 10)
            await server.metrics().append(to: body, at: loop.now)
            return SmallServer.Reply(
                200, type: "\(MetricsText.contentType)", body: body.readable.copied)
        }
        return SmallServer.Reply(
            404,
            text:
                "{\"error\":\"Not Found\",\"detail\":\"/health, /healthz, /readyz or /metrics\"}\n")
    }

    private func isAuthorised(_ request: borrowing RequestHead) -> Bool {
        guard let token = settings.token else { return true }
        let expected = Array(token.utf8)
        let scheme: StaticString = "bearer "
        // The name of a scheme knows no case (RFC 9110 §11.1).
        guard let sent = request.fields.first(.authorization),
            sent.count == scheme.utf8CodeUnitCount + expected.count,
            sent.extracting(first: scheme.utf8CodeUnitCount).equalsIgnoringCase(scheme)
        else { return false }
        let given = sent.extracting(last: expected.count)
        // The same time whichever byte differs.
        var difference: UInt8 = 0
        for index in given.indices { difference |= given[index] ^ expected[index] }
        return difference == 0
    }
}
