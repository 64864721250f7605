/// One requirement, and the exchanges that show whether Weir keeps it.
struct Case: Sendable {
    /// How strong the requirement is; `weir`: a promise of docs/cache.md, where the RFCs leave the choice.
    enum Kind: String, Sendable, CaseIterable { case must, should, may, weir }

    /// What is known of it. Whatever is not `kept` must fail, so that the mark goes when it holds.
    enum Standing: Sendable, Equatable {
        case kept
        /// It will be kept once this part is there.
        case pending(String)
        /// A should or may that is not done, and why.
        case left(String)
    }

    /// The document, its section and a few words: `9111-3.5-authorization-s-maxage`.
    let id: String
    let kind: Kind
    /// The requirement in plain words.
    let says: String
    let setting: Setting
    let standing: Standing
    let script: [Exchange]

    /// `9111`, or `weir` for a promise of our own.
    var document: String { String(id.prefix { $0 != "-" }) }
    /// `3.5`; empty for a promise of our own.
    var section: String {
        document == "weir" ? "" : String(id.dropFirst(document.count + 1).prefix { $0 != "-" })
    }
}

/// Gathers what the statements of a block give, single values and lists.
@resultBuilder enum ListOf<Element> {
    static func buildExpression(_ element: Element) -> [Element] { [element] }
    static func buildExpression(_ elements: [Element]) -> [Element] { elements }
    static func buildBlock(_ parts: [Element]...) -> [Element] { parts.flatMap { $0 } }
    static func buildArray(_ parts: [[Element]]) -> [Element] { parts.flatMap { $0 } }
}

/// A block of statements that gives a script.
typealias Script = ListOf<Exchange>

func must(
    _ id: String, _ says: String, in setting: Setting = .rfc, _ standing: Case.Standing = .kept,
    @Script _ script: () -> [Exchange]
) -> Case {
    Case(id: id, kind: .must, says: says, setting: setting, standing: standing, script: script())
}

func should(
    _ id: String, _ says: String, in setting: Setting = .rfc, _ standing: Case.Standing = .kept,
    @Script _ script: () -> [Exchange]
) -> Case {
    Case(id: id, kind: .should, says: says, setting: setting, standing: standing, script: script())
}

func may(
    _ id: String, _ says: String, in setting: Setting = .rfc, _ standing: Case.Standing = .kept,
    @Script _ script: () -> [Exchange]
) -> Case {
    Case(id: id, kind: .may, says: says, setting: setting, standing: standing, script: script())
}

func weir(
    _ id: String, _ says: String, in setting: Setting = .rfc, _ standing: Case.Standing = .kept,
    @Script _ script: () -> [Exchange]
) -> Case {
    Case(id: id, kind: .weir, says: says, setting: setting, standing: standing, script: script())
}
