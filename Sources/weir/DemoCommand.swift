import Admin
import EventLoop
import HTTPModel
import Primitives

/// `weir demo`: a small JSON API whose answers take as long as real analytics do.
struct DemoCommand {
    let address: String

    func run() -> Never {
        guard let target = SocketAddress(parsing: address) else {
            Host.write("weir: `\(address)` is not an address like 127.0.0.1:8000\n", toError: true)
            Host.exit(ExitStatus.usage)
        }
        guard let loop = EventLoop(),
            let signals = SignalSource([Host.terminate, Host.interrupt], loop: loop)
        else {
            Host.write("weir: the system refused a descriptor\n", toError: true)
            Host.exit(ExitStatus.system)
        }
        let origin = DemoOrigin(loop)
        do {
            let server = try SmallServer(target, loop: loop) { request, body in
                await origin.answer(request, body)
            }
            server.start()
            Host.write("demo origin on http://\(server.address.text)\n")
            loop.start {
                _ = await signals.next()
                server.close()
                loop.stop()
            }
        } catch {
            Host.write("weir: cannot listen on \(address): \(error.text)\n", toError: true)
            Host.exit(ExitStatus.system)
        }
        loop.run()
        Host.exit(0)
    }
}

/// The demo's endpoints.
final class DemoOrigin {
    private let loop: EventLoop
    private var answers = 0

    init(_ loop: EventLoop) { self.loop = loop }

    func answer(_ request: RequestHead, _ body: [UInt8]) async -> SmallServer.Reply {
        let path = request.span(request.path).text
        let query = request.query.map { request.span($0).text } ?? ""
        let user =
            request.fields.first(named: Array("x-user-id".utf8).span)?.text
            ?? request.fields.first(named: Array("x-weir-user".utf8).span)?.text ?? "nobody"
        switch (request.method, path) {
        case (.get, "/api/health"), (.head, "/api/health"):
            return SmallServer.Reply(200, text: "{\"status\":\"ok\"}\n")
        case (.get, "/api/analytics/executive-summary"):
            return await slowly(800, user, "\"revenue\":128400,\"orders\":3121,\"churn\":0.021")
        case (.get, "/api/analytics/bottlenecks"):
            let days =
                query.split(separator: "&").first { $0.hasPrefix("days=") }?.dropFirst(5) ?? "30"
            guard let count = Int(days), count > 0 else {
                return SmallServer.Reply(
                    400, text: "{\"error\":\"days must be a positive number\"}\n")
            }
            return await slowly(
                1200, user, "\"days\":\(count),\"slowest\":\"code review\",\"hours\":31.5")
        case (.get, "/api/analytics/workload"):
            return await slowly(600, user, "\"open\":412,\"in_progress\":57,\"blocked\":9")
        case (.post, "/api/auth/login"): return login(body)
        case (.post, "/api/auth/signup"):
            return SmallServer.Reply(201, text: "{\"created\":true}\n")
        case (.post, "/api/sync/start"):
            return SmallServer.Reply(202, text: "{\"sync\":\"started\"}\n")
        default:
            return SmallServer.Reply(404, text: "{\"error\":\"no such endpoint\"}\n")
        }
    }

    /// An analytics answer after `milliseconds`; `computed` counts them, so a cached one is recognised.
    private func slowly(
        _ milliseconds: UInt64, _ user: String, _ figures: String
    ) async -> SmallServer.Reply {
        await loop.sleep(for: .milliseconds(milliseconds))
        answers += 1
        let name = user.filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
        return SmallServer.Reply(
            200, text: "{\"user\":\"\(name)\",\"computed\":\(answers),\(figures)}\n")
    }

    /// 200 for the password `weir`, else 401.
    private func login(_ body: [UInt8]) -> SmallServer.Reply {
        let text = String(decoding: body, as: UTF8.self).filter { !$0.isWhitespace }
        if text.contains("\"password\":\"weir\"") {
            return SmallServer.Reply(200, text: "{\"token\":\"demo\"}\n")
        }
        return SmallServer.Reply(
            401, text: "{\"error\":\"wrong password\"}\n", fields: ["WWW-Authenticate: Bearer"])
    }
}
