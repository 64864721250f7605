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
        var isWhole = true
        func fault(_ fault: Fault) {
            let message = path.isEmpty ? fault.message : "\(path): \(fault.message)"
            report.error(at: range, message, help: fault.help)
            isWhole = false
        }
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            do throws(Fault) {
                result += try expand(&rest, &names)
            } catch {
                fault(error)
            }
            guard result.utf8.count <= Bounds.scalarBytes else {
                fault(
                    Fault(
                        message: "longer than \(Bounds.scalarBytes) bytes with its variables",
                        help: "shorten it"))
                return nil
            }
        }
        return isWhole ? (result + rest, names) : nil
    }

    private struct Fault: Error {
        var message: String
        var help: String
    }

    /// Takes what the first `$` of `rest` begins off it, and returns what stands there instead.
    private func expand(
        _ rest: inout Substring, _ names: inout [String]
    ) throws(Fault) -> String {
        if rest.hasPrefix("$${") {
            rest = rest.dropFirst(3)
            return "${"
        }
        guard rest.hasPrefix("${") else {
            rest = rest.dropFirst()
            return "$"
        }
        guard let end = rest.firstIndex(of: "}") else {
            rest = ""
            throw Fault(
                message: "`${` without `}`",
                help: "write `${NAME}`, or `$${` for the characters `${`")
        }
        let (name, fallback) = Self.split(rest.dropFirst(2)[..<end])
        rest = rest[rest.index(after: end)...]
        guard Self.isName(name) else {
            throw Fault(
                message: "\"\(Value.shortened(name))\" is not the name of an environment variable",
                help: "write `${NAME}` or `${NAME:-default}`")
        }
        names.append(name)
        let value = variables[name]
        guard let text = value?.isEmpty == false ? value : fallback ?? value else {
            throw Fault(
                message: "the environment variable `\(name)` is not set",
                help: "set it, or write a default: `${\(name):-value}`")
        }
        return text
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
