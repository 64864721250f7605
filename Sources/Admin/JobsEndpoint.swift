import Caching
import EventLoop
import HTTPModel
import Primitives
import Proxy
import RedisClient
import Settings
import Telemetry

/// `/jobs` and what is below it: how background work stands, and what becomes of dead letters.
struct JobsEndpoint {
    let server: ProxyServer
    let now: MonotonicTime

    private var work: BackgroundWork { server.shared.background }

    /// `GET /jobs`
    func list(_ query: AdminQuery) throws(AdminProblem) -> SmallServer.Reply {
        try query.finish(known: "none")
        let status = work.status
        return SmallServer.Reply.json { json in
            json.field("waiting", status.waiting)
            json.field("running", status.running.count)
            json.field("concurrency", status.concurrency)
            json.array("kinds") { json in
                for row in status.rows { json.object { append(row, to: &$0) } }
            }
            json.array("jobs") { json in
                for (job, began) in status.running {
                    json.object { json in
                        append(job, to: &json)
                        json.field("running_for", seconds: now - began)
                        if let progress = job.progress { append(progress, to: &json) }
                    }
                }
            }
            json.array("dead") { json in
                for letter in status.dead {
                    json.object { json in
                        append(letter.job, to: &json)
                        json.field("reason", letter.reason.text)
                        json.field("time", time: letter.time)
                    }
                }
            }
        }
    }

    private func append(_ row: JobStatus.Row, to json: inout JSONWriter) {
        json.field("kind", "\(row.kind.name)")
        json.field("priority", "\(row.priority.name)")
        json.field("waiting", row.counts.waiting)
        json.field("running", row.counts.running)
        json.field("done", row.counts.done)
        json.field("failed", row.counts.failed)
        json.field("retried", row.counts.retried)
        json.field("dead", row.counts.dead)
        json.field("dropped", row.counts.dropped)
    }

    private func append(_ job: BackgroundJob, to json: inout JSONWriter) {
        json.field("id", job.id)
        json.field("kind", "\(job.kind.name)")
        json.field("priority", "\(job.priority.name)")
        switch job.task {
        case .fetch(let request): json.field("url", request.host + request.target)
        case .free(let remains): json.field("of", remains.text)
        }
        json.field("attempts", job.attempts)
    }

    private func append(_ progress: PurgedValues.Progress, to json: inout JSONWriter) {
        json.field("seen", progress.seen)
        json.field("freed", progress.freed)
        guard progress.servers > 0 else { return }
        json.field("servers_walked", progress.walked)
        json.field("servers", progress.servers)
    }

    /// `POST /jobs/retry?id=7`
    func retry(_ query: AdminQuery) throws(AdminProblem) -> SmallServer.Reply {
        try mend(query, "retried") { work.retry($0) }
    }

    /// `POST /jobs/drop?id=7`
    func drop(_ query: AdminQuery) throws(AdminProblem) -> SmallServer.Reply {
        try mend(query, "dropped") { work.drop($0) }
    }

    /// Does something to one dead letter, or to all of them (`id=all`).
    private func mend(
        _ query: AdminQuery, _ word: String, _ body: (UInt64) -> Bool
    ) throws(AdminProblem) -> SmallServer.Reply {
        var query = query
        let text = try query.require("id", "the number of a dead letter, or `all`")
        try query.finish(known: "id")
        if text == "all" {
            let count = work.status.dead.count { body($0.job.id) }
            return SmallServer.Reply.json { $0.field(word, count) }
        }
        guard let id = UInt64(text) else {
            throw AdminProblem(
                status: 400, detail: "`id` is the number of a dead letter, or `all`")
        }
        guard body(id) else {
            throw AdminProblem(status: 404, detail: "no dead letter \(id); see /jobs")
        }
        return SmallServer.Reply.json { $0.field(word, 1) }
    }
}
