import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct TagTemplateTests {
    private func tags(
        _ text: String, _ target: String, path: String = "/**", user: String? = nil,
        _ fields: [(String, String)] = []
    ) throws -> [String] {
        let template = try TagTemplate(text, path: path)
        #expect(template.text == text)
        let name = user.map(bytes) ?? []
        return template.tags(
            of: request(target, fields),
            TagIdentity(user: user == nil ? nil : name.span, company: nil, tier: nil)
        ).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        arguments: [
            ("analytics", "/a", ["analytics"]),
            ("c:{query.id}", "/a?x=1&id=7", ["c:7"]), ("c:{query.id}", "/a?id=", []),
            ("c:{query.id}", "/a", []), ("c:{query.id}", "/a?ids=7", []),
            ("c:{query.id}", "/a?id=%37%2f", ["c:7/"]), ("c:{query.id}", "/a?%69d=7+8", ["c:7 8"]),
            ("c:{query.id}", "/a?id=7&id=8&id=7", ["c:7", "c:8"]),
            ("{query.a}-{query.b}", "/?a=1&b=2&b=3", ["1-2", "1-3"]),
            ("c:{query.id}", "/a?id=%0a", []), ("c:{query.id}", "/a?id=%", ["c:%"]),
            ("{header.x-a}", "/", ["v"]), ("{header.X-A}.{user}", "/", ["v.u"]),
            ("{header.x-b}", "/", []), ("{company}", "/", []),
        ] as [(String, String, [String])])
    func `a template is filled from the request, and is left out without a value`(
        text: String, target: String, expected: [String]
    ) throws {
        let lower = text.replacing("X-A", with: "x-a")
        #expect(try tags(lower, target, user: "u", [("X-A", "v")]) == expected)
    }

    @Test func `a segment of the path is decoded, and slashes in a row count as one`() throws {
        let path = "/api/{id}/sub/{part}/**"
        #expect(try tags("{path.id}/{path.part}", "/api/7/sub/a%20b/c", path: path) == ["7/a b"])
        #expect(try tags("{path.part}", "//api///7//sub/x", path: path) == ["x"])
        #expect(try tags("{path.part}", "/api/7/sub/", path: path) == [])
    }

    @Test(arguments: [
        ("", TagTemplate.Problem.length), (" a", .character), ("a\n", .character),
        ("{user", .brace), ("user}", .brace), ("{a{b}", .brace), ("{}", .unknown("")),
        ("{User}", .unknown("User")), ("{query.}", .unknown("query.")),
        ("{header.a b}", .unknown("header.a b")), ("{claim.x}", .unknown("claim.x")),
        ("{path.x}", .noSegment("x")),
    ])
    func `what is no template has a reason`(text: String, problem: TagTemplate.Problem) {
        #expect(throws: problem) { try TagTemplate(text, path: "/{id}") }
    }
}
