/// Why a configuration file was refused: every problem found in one run.
///
/// `description` is the text for people, with places, source lines and carets.
public struct ConfigurationFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file's name as given.
    public let file: String
    /// The problems in the order of the file, at least one and at most `Bounds.problems`.
    public let problems: [ConfigurationProblem]
    /// How many more there were.
    public let omitted: Int
    /// The whole text: each problem, then `proxy.yaml: 3 errors, nothing started`. Lines with
    /// secrets are not quoted.
    public let description: String

    /// Creates a failure; the lines in `concealed` are not quoted.
    init(
        file: String, problems: [ConfigurationProblem], lines: [String],
        concealed: Set<Int> = [], consequence: String = "nothing started"
    ) {
        let sorted = problems.enumerated().sorted {
            ($0.element.line, $0.element.column, $0.offset)
                < ($1.element.line, $1.element.column, $1.offset)
        }
        self.file = file
        self.problems = sorted.prefix(Bounds.problems).map(\.element)
        omitted = max(0, problems.count - Bounds.problems)
        var text = self.problems.map { problem in
            problem.rendered(file: file, lines: concealed.contains(problem.line) ? [] : lines)
        }.joined()
        if omitted > 0 { text += "\(file): \(omitted) more not shown\n" }
        let count = problems.count == 1 ? "1 error" : "\(problems.count) errors"
        description = text + "\(file): \(count), \(consequence)\n"
    }
}

/// One thing that is wrong in a configuration file.
public struct ConfigurationProblem: Equatable, Sendable {
    /// The line, from 1.
    public let line: Int
    /// The column, from 1, in Unicode scalars.
    public let column: Int
    /// How many scalars to underline, 1 or more; may reach beyond the line.
    public let length: Int
    /// What is wrong: the key's path, what was expected and what was found.
    public let message: String
    /// A way out.
    public let help: String?

    /// The problem with its source line and carets, each line ended.
    func rendered(file: String, lines: [String]) -> String {
        var text = "\(file):\(line):\(column): error: \(message)\n"
        if lines.indices.contains(line - 1) {
            let source = Excerpt(lines[line - 1], column: column, length: length)
            let number = String(line)
            let gutter = String(repeating: " ", count: max(0, 5 - number.count)) + number
            let blank = String(repeating: " ", count: gutter.count)
            text += "\(gutter) | \(source.text)\n\(blank) | \(source.carets)\n"
        }
        if let help { text += "  help: \(help)\n" }
        return text
    }
}

/// The part of a source line that is shown, with carets under the fault.
struct Excerpt {
    let text: String
    let carets: String

    init(_ line: String, column: Int, length: Int) {
        let scalars = Array(line.unicodeScalars)
        let fault = min(max(0, column - 1), scalars.count)
        // Very long lines show the surroundings of the fault only.
        let low = max(0, fault - Bounds.excerptBefore)
        let high = min(scalars.count, low + Bounds.excerpt)
        let shown = low..<max(low, high)
        var text = low > 0 ? "…" : ""
        var carets = low > 0 ? " " : ""
        for index in shown {
            let scalar = scalars[index]
            // A control character could move the cursor of the terminal.
            let isPlain = scalar.value >= 32 && !(0x7F...0x9F).contains(scalar.value)
            text.unicodeScalars.append(isPlain || scalar == "\t" ? scalar : "?")
            if index < fault { carets.append(scalar == "\t" ? "\t" : " ") }
        }
        if high < scalars.count { text += "…" }
        let underlined = min(max(1, length), max(1, shown.upperBound - fault))
        self.text = text
        self.carets = carets + String(repeating: "^", count: underlined)
    }
}
