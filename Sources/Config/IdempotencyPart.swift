import Caching
import HTTPModel
import Primitives

/// Reads a route's `idempotency:`.
extension Report {
    /// `off`, a duration or a mapping; `nil`: the route keeps no answers by Idempotency-Key.
    func idempotency(_ value: Value, memory: Int) -> IdempotencyPolicy? {
        if value.text == "off" { return nil }
        if value.text != nil {
            return duration(value, Bounds.idempotencyTTL).map { IdempotencyPolicy(ttl: $0) }
        }
        let help = "for example `24h` or `{ttl: 24h, required: true}`"
        guard
            var fields = Fields(
                value, self, expected: "`off`, a duration or a mapping", help: help)
        else { return nil }
        var policy = IdempotencyPolicy(ttl: .zero)
        if let ttl = fields.require("ttl", help: help) {
            policy.ttl = duration(ttl, Bounds.idempotencyTTL) ?? .zero
        }
        fields.update("required", &policy.isRequired) { boolean($0) }
        fields.update("header", &policy.header) { keyField($0) }
        fields.update("max_body", &policy.maxBody) { size($0, Bounds.maxBody).map { Int($0) } }
        if let most = fields.take("max_answer") {
            policy.maxAnswer = size(most, Bounds.maxAnswer).map { Int($0) } ?? policy.maxAnswer
            if policy.maxAnswer > memory {
                error(
                    most,
                    "larger than `idempotency_memory`, which is \(SizeText.write(UInt64(memory)))")
            }
        }
        policy.maxAnswer = min(policy.maxAnswer, memory)
        fields.finish()
        return policy
    }

    private func keyField(_ value: Value) -> String? {
        let name = Text.lowered(value.text ?? "")
        guard Text.isToken(name), name.utf8.count <= Bounds.nameBytes else {
            expected("the name of a field", value, help: "for example `Idempotency-Key`")
            return nil
        }
        let field = FieldName(recognising: Array(name.utf8).span)
        guard field == .other || name == "idempotency-key" else {
            error(value, "`\(name)` means something else in HTTP")
            return nil
        }
        return name
    }

    /// Whether any request of the route can have a key that counts.
    func checkIdempotency(_ value: Value, _ methods: [String]) {
        let isSafe = { (name: String) in Method(Array(name.utf8).span).isSafe }
        if !methods.isEmpty && methods.allSatisfy(isSafe) {
            error(
                keyOf: value, "can never matter: the route serves safe methods only",
                help: "keys are for methods that change something, such as POST")
        }
    }
}
