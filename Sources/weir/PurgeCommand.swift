import Proxy

/// `weir purge`: makes stored answers of a running process leave, or stale.
struct PurgeCommand: Equatable {
    var order: PurgeOrder
    var admin: String
    var token: String?

    func run() -> Never {
        var parameters = [("kind", order.target.rawValue)]
        if order.target != .all { parameters.append(("value", order.value)) }
        if order.isSoft { parameters.append(("soft", "true")) }
        AdminQuestion(method: "POST", path: "/cache/purge", parameters: parameters)
            .ask(admin, token)
    }

    /// Reads the arguments after `purge`.
    static func parse(_ arguments: [String]) -> Result<PurgeCommand, Misuse> {
        var orders: [PurgeOrder] = []
        var values: [String: String] = [:]
        var isSoft = false
        var rest = arguments[...]
        while let option = rest.popFirst() {
            if option == "--soft" {
                isSoft = true
                continue
            }
            let target = PurgeOrder.Target.allCases.first { "--\($0.rawValue)" == option }
            if target == .all {
                orders.append(PurgeOrder(.all, "", isSoft: false))
                continue
            }
            guard target != nil || ["--admin", "--token"].contains(option) else {
                return .failure(Misuse("`purge` does not know `\(option)`"))
            }
            guard let value = rest.popFirst() else {
                return .failure(Misuse("`\(option)` needs a value"))
            }
            if let target {
                orders.append(PurgeOrder(target, value, isSoft: false))
            } else if values.updateValue(value, forKey: option) != nil {
                return .failure(Misuse("`\(option)` is there twice"))
            }
        }
        guard var order = orders.first, orders.count == 1 else {
            let names = PurgeOrder.Target.allCases.map { "--\($0.rawValue)" }
            return .failure(Misuse("`purge` needs one of \(names.joined(separator: ", "))"))
        }
        order.isSoft = isSoft
        return .success(
            PurgeCommand(
                order: order, admin: values["--admin"] ?? AdminQuestion.standard,
                token: values["--token"]))
    }
}
