import HTTPModel
import Primitives
import Proxy

/// `/explain`: what would become of a request now, and why.
struct ExplainEndpoint {
    let server: ProxyServer

    /// `GET /explain?request=GET%20/path&ip=192.0.2.7&header=Name:%20value`
    func answer(_ query: AdminQuery) async throws(AdminProblem) -> SmallServer.Reply {
        var query = query
        let line = try query.require("request", "a method and a target, such as GET%20/path")
        let peer = try query.address("ip") ?? IPAddress(v4: 0x7F00_0001)
        let fields = query.takeAll("header")
        let format = try query.take("format") ?? "json"
        try query.finish(known: "request, ip, header, format")
        guard ["json", "text"].contains(format) else {
            throw AdminProblem(status: 400, detail: "`format` is json or text")
        }
        let asked: AskedRequest
        do throws(AskedRequest.Problem) {
            asked = try AskedRequest(line, fields: fields, peer: peer)
        } catch {
            throw AdminProblem(status: 400, detail: error.text)
        }
        let explanation = await server.explain(asked)
        let noStore = ["Cache-Control: no-store"]
        if format == "text" {
            return SmallServer.Reply(
                200, type: "text/plain; charset=utf-8", text: explanation.text, fields: noStore)
        }
        let body = ByteBuffer(capacity: 4 << 10)
        explanation.append(to: body)
        return SmallServer.Reply(200, body: body.readable.copied, fields: noStore)
    }
}
