import EventLoop

/// One question to the admin address of a running process, whose answer is printed.
struct AdminQuestion: Equatable {
    let method: String
    let path: String
    var parameters: [(String, String)] = []

    /// Where the admin address is when nothing is said.
    static let standard = "http://127.0.0.1:9900"

    static func == (a: AdminQuestion, b: AdminQuestion) -> Bool {
        a.method == b.method && a.path == b.path
            && a.parameters.elementsEqual(b.parameters, by: ==)
    }

    /// Asks, prints the answer and ends: 0 for 200; 64 for a wrong address or token, 71 for any other answer or
    /// none.
    func ask(_ url: String, _ token: String?) -> Never {
        guard let loop = EventLoop() else { fail("the system refused a descriptor") }
        let client: AdminClient
        do throws(Misuse) {
            // A token on the command line can be seen by other users of the machine.
            let named = token ?? Host.environment["WEIR_ADMIN_TOKEN"] ?? ""
            client = try AdminClient(url, token: named.isEmpty ? nil : named)
        } catch {
            Host.write("weir: \(error.text)\n\n\(Command.usage)", toError: true)
            Host.exit(ExitStatus.usage)
        }
        loop.start {
            do throws(Misuse) {
                let (status, body) = try await client.ask(method, path, parameters, on: loop)
                guard status == 200 else { fail("\(url) answered \(status): \(body)") }
                Host.write(body)
                Host.exit(0)
            } catch {
                fail(error.text)
            }
        }
        loop.run()
        Host.exit(ExitStatus.system)
    }

    private func fail(_ problem: String) -> Never {
        Host.write("weir: \(problem)\n", toError: true)
        Host.exit(ExitStatus.system)
    }
}
