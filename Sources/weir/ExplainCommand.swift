import Admin
import EventLoop
import Identity
import Primitives
import Proxy
import Settings

/// `weir explain`: says what becomes of a request, and why.
struct ExplainCommand: Equatable {
    /// Who is asked.
    enum Source: Equatable {
        /// A process that would just have started with this file.
        case file(String)
        /// A running one, at its admin address.
        case admin(String, token: String?)
    }

    var source: Source
    var request: String
    var fields: [String]
    var address: String
    var isJSON: Bool

    func run() -> Never {
        guard let peer = IPAddress(parsing: address) else {
            misuse("`\(address)` is not an IP address")
        }
        let asked: AskedRequest
        do throws(AskedRequest.Problem) {
            asked = try AskedRequest(request, fields: fields, peer: peer)
        } catch {
            misuse(error.text)
        }
        switch source {
        case .file(let file): explain(asked, file)
        case .admin(let url, let token): ask(url, token)
        }
    }

    private func explain(_ asked: AskedRequest, _ file: String) -> Never {
        let settings = ConfigurationFile.load(file)
        let keys = credentialKeys(for: settings)
        guard let explanation = Explanation.atStart(asked, settings, keys: keys) else {
            fail("the system refused a descriptor", ExitStatus.system)
        }
        if isJSON {
            let text = ByteBuffer(capacity: 4 << 10)
            explanation.append(to: text)
            Host.write(text.readable.text)
        } else {
            Host.write(explanation.text)
        }
        Host.exit(0)
    }

    /// The keys that tokens and API keys are looked at with: those of files and secrets. A running process has
    /// fetched the others.
    private func credentialKeys(for settings: ProxySettings) -> CredentialKeys {
        guard let loop = EventLoop() else {
            fail("the system refused a descriptor", ExitStatus.system)
        }
        do throws(KeyProblem) {
            return try KeyFiles.keeper(of: settings, on: loop) { _ in }.load()
        } catch {
            fail("\(error.source): \(error.reason)", ExitStatus.configuration)
        }
    }

    private func ask(_ url: String, _ token: String?) -> Never {
        var parameters = [("request", request), ("ip", address)]
        parameters += fields.map { ("header", $0) }
        parameters.append(("format", isJSON ? "json" : "text"))
        AdminQuestion(method: "GET", path: "/explain", parameters: parameters).ask(url, token)
    }

    private func misuse(_ problem: String) -> Never {
        Host.write("weir: \(problem)\n\n\(Command.usage)", toError: true)
        Host.exit(ExitStatus.usage)
    }

    private func fail(_ problem: String, _ status: Int32) -> Never {
        Host.write("weir: \(problem)\n", toError: true)
        Host.exit(status)
    }
}

extension ExplainCommand {
    /// Reads the arguments after `explain`.
    static func parse(_ arguments: [String]) -> Result<ExplainCommand, Misuse> {
        var values: [String: String] = [:]
        var fields: [String] = []
        var isJSON = false
        var rest = arguments[...]
        while let option = rest.popFirst() {
            if option == "--json" {
                isJSON = true
                continue
            }
            guard
                ["--config", "--admin", "--token", "--request", "--header", "--ip"].contains(option)
            else { return .failure(Misuse("`explain` does not know `\(option)`")) }
            guard let value = rest.popFirst() else {
                return .failure(Misuse("`\(option)` needs a value"))
            }
            if option == "--header" {
                fields.append(value)
            } else if values.updateValue(value, forKey: option) != nil {
                return .failure(Misuse("`\(option)` is there twice"))
            }
        }
        guard let request = values["--request"] else {
            return .failure(Misuse("`explain` needs `--request 'GET /path'`"))
        }
        let source: Source
        if let url = values["--admin"] {
            if values["--config"] != nil {
                return .failure(Misuse("`explain` takes `--config` or `--admin`, not both"))
            }
            source = .admin(url, token: values["--token"])
        } else {
            if values["--token"] != nil {
                return .failure(Misuse("`--token` belongs to `--admin`"))
            }
            source = .file(values["--config"] ?? "proxy.yaml")
        }
        return .success(
            ExplainCommand(
                source: source, request: request, fields: fields,
                address: values["--ip"] ?? "127.0.0.1", isJSON: isJSON))
    }
}

/// A problem with the command line or with an answer, in words.
struct Misuse: Error, Equatable {
    let text: String
    init(_ text: String) { self.text = text }
}
