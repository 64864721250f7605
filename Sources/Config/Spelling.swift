/// Guesses what a misspelt word was meant to be.
enum Spelling {
    /// The message and help for a word that is none of `known`.
    static func unknown(
        _ kind: String, _ word: String, known: [String]
    ) -> (message: String, help: String?) {
        let message = "unknown \(kind) \(quoted(word))"
        if let guess = nearest(to: word, in: known) {
            return (message + "; did you mean \(quoted(guess))?", nil)
        }
        if known.isEmpty { return (message, nil) }
        return (message, "known here: \(known.map(quoted).joined(separator: ", "))")
    }

    /// The known word with the fewest slips of typing, if there are at most a third of its letters.
    static func nearest(to word: String, in known: [String]) -> String? {
        let letters = Array(word.lowercased().prefix(64))
        var best: (word: String, slips: Int)?
        for candidate in known {
            let slips = distance(letters, Array(candidate.lowercased()))
            let allowed = max(1, max(letters.count, candidate.count) / 3)
            guard slips <= allowed, slips < best?.slips ?? .max else { continue }
            best = (candidate, slips)
        }
        return best?.word
    }

    /// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`.
    static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var twoBack: [Int] = []
        var previous = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var row = [i + 1]
            for (j, y) in b.enumerated() {
                var slips = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (x == y ? 0 : 1))
                if i > 0, j > 0, x == b[j - 1], a[i - 1] == y {
                    slips = min(slips, twoBack[j - 1] + 1)
                }
                row.append(slips)
            }
            twoBack = previous
            previous = row
        }
        return previous[b.count]
    }

    private static func quoted(_ word: String) -> String { "`\(Value.shortened(word))`" }
}
