import Config
import Limits
import Settings
import Testing

/// The whole text for a file, as a person sees it.
private func report(_ text: String, _ environment: [String: String] = [:]) -> String {
    guard case .failure(let failure) = load(text, environment) else { return "" }
    return failure.description
}

@Test func `all problems of a file are reported in one run, in its order, with a way out`() {
    let text = """
        listen:
          - address: 0.0.0.0:8080
          - adress: 0.0.0.0:8081
        upstream: http://127.0.0.1:8000
        limits:
          login:
            rate: 10/minute
            burst: ten
          spare: 5/10s per ip
        routes:
          - {path: /api/**, name: api, limits: [login]}
          - {path: "/api/users/{id}", methods: [GET], upstream: defalt}
          - {path: /other, name: api, timeout: 5}
        """
    let expected = """
        proxy.yaml:3:5: error: listen[1]: unknown key `adress`; did you mean `address`?
            3 |   - adress: 0.0.0.0:8081
              |     ^^^^^^
        proxy.yaml:8:12: error: limits.login.burst: expected a whole number from 1 to 1000000, found "ten"
            8 |     burst: ten
              |            ^^^
          help: write the number of requests a client may send at once, for example `burst: 10`
        proxy.yaml:9:3: error: limits.spare: no route uses the limit "spare"
            9 |   spare: 5/10s per ip
              |   ^^^^^
          help: add it to the `limits` of a route, or remove it
        proxy.yaml:12:12: error: routes[1].path: never reached: the route at line 11 (`/api/**`) takes all its requests
           12 |   - {path: "/api/users/{id}", methods: [GET], upstream: defalt}
              |            ^^^^^^^^^^^^^^^^^
          help: the first match wins; put this route before it
        proxy.yaml:12:57: error: routes[1].upstream: unknown upstream `defalt`; did you mean `default`?
           12 |   - {path: "/api/users/{id}", methods: [GET], upstream: defalt}
              |                                                         ^^^^^^
        proxy.yaml:13:26: error: routes[2].name: "api" is already used at line 11
           13 |   - {path: /other, name: api, timeout: 5}
              |                          ^^^
        proxy.yaml:13:40: error: routes[2].timeout: expected a duration from 1ms to 24h, found "5"
           13 |   - {path: /other, name: api, timeout: 5}
              |                                        ^
          help: write the unit too, for example `5s`
        proxy.yaml: 7 errors, nothing started

        """
    #expect(report(text) == expected)
}

@Test func `a syntax error has its place, and is the only one`() {
    let text = "listen: 127.0.0.1:8080\nroutes:\n  - {path: /users/{id}}\n"
    let expected = """
        proxy.yaml:3:19: error: not valid YAML: did not find expected ',' or '}' while parsing a flow mapping
            3 |   - {path: /users/{id}}
              |                   ^
          help: inside `{…}` and `[…]`, values with these characters need quotes
        proxy.yaml: 1 error, nothing started

        """
    #expect(report(text) == expected)
}

@Test(arguments: ["", "\n", "# nothing\n", "---\n", "~"])
func `an empty file says what two keys it needs`(text: String) {
    #expect(report(text).contains(": error: the file says nothing\n"))
    #expect(report(text).contains("`listen: 0.0.0.0:8080` and `upstream: http://127.0.0.1:8000`"))
}

@Test func `what is missing is reported for the mapping that lacks it`() {
    #expect(messages("workers: 2") == ["1:1 `listen` is missing", "1:1 `upstream` is missing"])
    #expect(
        messages(frame + "limits:\n  a:\n    per: ip\n") == ["4:3 limits.a: `rate` is missing"])
    #expect(messages("- 1") == ["1:1 expected a mapping of keys to values, found a list"])
}

@Test func `equal keys are reported with the line of the first`() {
    #expect(messages(frame + "listen: :1\n") == ["3:1 the key `listen` is already used at line 1"])
}

@Test func `variables are put into values, with defaults, and nothing else is`() throws {
    let text = """
        listen: ${HOST:-127.0.0.1}:${PORT}
        upstream: http://${ORIGIN}
        limits: {"${NAME}x": 1/s}
        """
    #expect(messages(text, ["PORT": "1"]).count == 2)
    let plain = text.replacingLimits(with: "limits: [\"${RATE:-5}/s per ip\"]")
    let environment = ["PORT": "81", "ORIGIN": "api:8000", "HOST": "", "RATE": "7"]
    let loaded = try settings(plain, environment)
    #expect(loaded.limits[0].rate.count == 7)
    #expect("\(loaded.listeners[0].address)".contains("81"))
    #expect(
        messages(plain, ["PORT": "81"])
            == ["2:11 upstream: the environment variable `ORIGIN` is not set"])
    #expect(
        messages(plain, ["PORT": "no", "ORIGIN": "api"])
            == [
                "1:9 listen: expected an address with a port from 0 to 65535, "
                    + "found \"127.0.0.1:no\" from ${HOST}, ${PORT}"
            ])
}

extension String {
    /// The text with its line that begins with `limits:` replaced.
    fileprivate func replacingLimits(with line: String) -> String {
        split(separator: "\n").map { $0.hasPrefix("limits:") ? line : String($0) }
            .joined(separator: "\n")
    }
}

@Test func `a variable cannot add keys or lists`() {
    let text = frame + "limits: ${LIMITS}\n"
    #expect(!messages(text, ["LIMITS": "[1/s per ip]"]).isEmpty)
    #expect(!messages(text, ["LIMITS": "{a: 1/s}"]).isEmpty)
    #expect(!messages(text, ["LIMITS": "\n- 1/s per ip"]).isEmpty)
}

@Test(arguments: [
    ("${", "`${` without `}`"), ("${A", "`${` without `}`"),
    ("${1}", "\"1\" is not the name of an environment variable"),
    ("${A-b}", "\"A-b\" is not the name of an environment variable"),
    ("${}", "\"\" is not the name of an environment variable"),
    ("${A}${B}", "the environment variable `A` is not set"),
])
func `a damaged variable is refused`(text: String, message: String) {
    #expect(messages(frame + "workers: '\(text)'\n").first == "3:10 workers: \(message)")
}

@Test func `the token never appears in a message or in the long form`() throws {
    let token = "se cret-se cret"
    let bad = frame + "admin: {address: \":9900\", token: \"${T}\"}\n"
    #expect(!report(bad, ["T": token]).isEmpty)
    #expect(!report(bad, ["T": token]).contains(token))
    let loaded = try settings(bad, ["T": "0123456789"])
    #expect(loaded.admin?.token == "0123456789")
    #expect(!Configuration.longForm(loaded).contains("0123456789"))
}

@Test func `odd source lines are shown without harm`() {
    let tabbed = "listen:\t\t:99999999\nupstream: http://a\n"
    #expect(report(tabbed).contains("    1 | listen:\t\t:99999999\n      |        \t\t^^^^^^^^^\n"))
    let long = "listen: \"" + String(repeating: "x", count: 5000) + "\"\nupstream: http://a\n"
    #expect(report(long).split(separator: "\n").allSatisfy { $0.count < 300 })
    let wide = "# 🏞\nlisten: ':é'\nupstream: http://a\n"
    #expect(report(wide).contains("    2 | listen: ':é'\n      |         ^^^^\n"))
}

@Test func `a flood of problems is cut off and counted`() {
    let text = frame + (0..<500).map { "k\($0): 1\n" }.joined()
    guard case .failure(let failure) = load(text) else {
        Issue.record("loaded")
        return
    }
    #expect(failure.problems.count == 100)
    #expect(failure.omitted == 400)
    #expect(
        failure.description.hasSuffix(
            "400 more not shown\nproxy.yaml: 500 errors, nothing started\n"))
}

@Test(arguments: [
    ("limts: []", "unknown key `limts`; did you mean `limits`?"),
    ("worker: 1", "unknown key `worker`; did you mean `workers`?"),
    ("Log: {}", "unknown key `Log`; did you mean `log`?"),
    ("shutdwon: {}", "unknown key `shutdwon`; did you mean `shutdown`?"),
    ("zzzzzz: 1", "unknown key `zzzzzz`"),
])
func `a misspelt key gets the right one as an answer`(line: String, message: String) {
    #expect(messages(frame + line + "\n") == ["3:1 \(message)"])
}
