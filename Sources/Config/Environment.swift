import YAMLReader

/// Puts environment variables into values: `${NAME}`, `${NAME:-default}`, and `$${` for a real
/// `${`.
///
/// What is put in is text of the value it stands in: it cannot add keys or lists.
struct Environment {
    let variables: [String: String]
    let report: Report

    /// `text` with all variables put in, and their names; `nil` after reporting what is wrong.
    func replace(
        _ text: String, at range: YAMLRange, path: String
    ) -> (text: String, variables: [String])? {
        guard text.contains("$") else { return (text, []) }
        var result = ""
        var names: [String] = []
        var faults = 0
        func fault(_ message: String, _ help: String) {
            report.error(at: range, path.isEmpty ? message : "\(path): \(message)", help: help)
            faults += 1
        }
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    fault("`${` without `}`", "write `${NAME}`, or `$${` for the characters `${`")
                    return nil
                }
                let inner = rest.dropFirst(2)[..<end]
                rest = rest[rest.index(after: end)...]
                let (name, fallback) = Self.split(inner)
                guard Self.isName(name) else {
                    fault(
                        "\"\(Value.shortened(name))\" is not the name of an environment variable",
                        "write `${NAME}` or `${NAME:-default}`")
                    continue
                }
                names.append(name)
                if let value = variables[name], !value.isEmpty || fallback == nil {
                    result += value
                } else if let fallback {
                    result += fallback
                } else {
                    fault(
                        "the environment variable `\(name)` is not set",
                        "set it, or write a default: `${\(name):-value}`")
                }
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
            guard result.utf8.count <= Bounds.scalarBytes else {
                fault("longer than \(Bounds.scalarBytes) bytes with its variables", "shorten it")
                return nil
            }
        }
        return faults == 0 ? (result + rest, names) : nil
    }

    /// `NAME:-default` in its two parts.
    private static func split(_ inner: Substring) -> (name: String, fallback: String?) {
        guard let colon = inner.firstIndex(of: ":"), inner[colon...].hasPrefix(":-") else {
            return (String(inner), nil)
        }
        return (String(inner[..<colon]), String(inner[colon...].dropFirst(2)))
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first == UInt8(ascii: "_") || Text.isLetter(first) else {
            return false
        }
        return name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || Text.isLetterOrDigit($0) }
    }
}
