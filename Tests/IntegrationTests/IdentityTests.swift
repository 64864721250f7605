import Foundation
import Testing

extension Integration {
    /// Credentials on a real process: who asks, what the origin learns, and what is refused.
    struct IdentityTests {
        /// HS256 under `secret`: `{"sub":"alice","company":"acme","plan":"pro","exp":1893456000}`.
        private static let token =
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImNvbXBhbnkiOiJhY21"
            + "lIiwicGxhbiI6InBybyIsImV4cCI6MTg5MzQ1NjAwMH0.HPvjDsKOM4tUDq6yz4lxiPZXU"
            + "fRcaoGci_cfCD4CTAU"
        private static let secret = "0123456789abcdef0123456789abcdef"

        private static func identity(_ folder: String) -> String {
            """
            identity:
              jwt: {keys: [{secret: "\(secret)"}], algorithms: [HS256]}
              api_keys: {header: X-API-Key, file: \(folder)/keys.yaml}
              user: [jwt.sub, api_key.user]
              company: jwt.company
              tier: {from: [jwt.plan, api_key.tier], default: free}
            limits: {each: {rate: 2/hour, per: user, tiers: {pro: 4/hour}}}
            routes:
              - {path: /private/**, auth: required, limits: [each]}
              - {path: /**, limits: [each]}
            """
        }

        /// Runs a proxy with the credentials of a token's secret and one API key.
        private static func run(
            _ body: (RunningWeir, RawOrigin) throws -> Void
        ) throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            try Weir.withFolder { folder in
                let keys = "keys: {robot-key-1234567: {user: robot, tier: internal}}\n"
                try Data(keys.utf8).write(to: URL(fileURLWithPath: folder + "/keys.yaml"))
                try Weir.run(configuration(origin, identity(folder))) { weir throws in
                    try body(weir, origin)
                }
            }
        }

        @Test func `tokens and API keys prove users, whom the origin learns and limits count`()
            throws
        {
            try Self.run { weir, origin in
                let client = try weir.connect()
                let alice = ["Authorization: Bearer \(Self.token)"]
                for n in 0..<5 {
                    let answer = try client.ask(
                        request("/private/\(n)", alice + ["X-Weir-User: root"]))
                    #expect(answer.status == (n < 4 ? 200 : 429))
                    #expect(answer["x-ratelimit-limit"] == "4")
                }
                let robot = try client.ask(request("/private", ["X-API-Key: robot-key-1234567"]))
                #expect(robot.status == 200)
                let seen = origin.requests
                #expect(seen.count == 5)
                #expect(seen[0]["x-weir-user"] == "alice")
                #expect(seen[0]["x-weir-company"] == "acme")
                #expect(seen[0]["x-weir-tier"] == "pro")
                #expect(seen[0]["authorization"] == "Bearer \(Self.token)")
                #expect(seen[4]["x-weir-user"] == "robot")
                #expect(seen[4]["x-weir-tier"] == "internal")
            }
        }

        @Test func `a bad credential is 401 where one is required, and nobody's elsewhere`() throws
        {
            try Self.run { weir, origin in
                let client = try weir.connect()
                let forged = ["Authorization: Bearer \(Self.token.dropLast(4))AAAA"]
                let refused = try client.ask(request("/private", forged))
                #expect(refused.status == 401)
                #expect(refused["www-authenticate"]?.contains("error=\"invalid_token\"") == true)
                #expect(
                    try client.ask(request("/private"))["www-authenticate"]
                        == "Bearer realm=\"weir\"")
                #expect(origin.requests.isEmpty)
                #expect(try client.ask(request("/open", forged)).status == 200)
                #expect(origin.requests.last?["x-weir-user"] == nil)
                let line = try weir.awaitLog("the open one") { $0["path"] == "/open" }
                #expect(line["credential"] == "the token's signature is wrong")
                #expect(
                    try weir.metric("weir_credentials_total{kind=\"token\",outcome=\"invalid\"}")
                        == 2)
            }
        }
    }
}
