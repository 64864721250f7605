import Routes
import Testing

@Test(
    arguments: [
        ("", .noLeadingSlash), ("a", .noLeadingSlash), ("*", .noLeadingSlash),
        ("/**/a", .restNotLast),
        ("/**/", .restNotLast), ("/a*", .mixedSegment), ("/{id}.json", .mixedSegment),
        ("/{id", .mixedSegment),
        ("/a}", .mixedSegment), ("/***", .mixedSegment), ("/{a}{b}", .mixedSegment),
        ("/{}", .badName), ("/{1}", .badName),
        ("/{a-b}", .badName), ("/{id}/x/{id}", .repeatedName), ("//a", .unreachableSegment),
        ("/a/./b", .unreachableSegment), ("/a/..", .unreachableSegment), ("/a?b=c", .notAPath),
        ("/a#b", .notAPath), (String(repeating: "/a", count: 65), .tooManySegments),
        ("/", nil), ("/a/", nil), ("/a/*/{b_1}/**", nil), (String(repeating: "/a", count: 64), nil),
    ] as [(String, PathProblem?)])
func `a path that cannot be used says why`(path: String, problem: PathProblem?) {
    #expect(RouteDefinition(name: "", path: path).pathProblem == problem)
}
