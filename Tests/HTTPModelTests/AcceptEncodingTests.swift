import HTTPModel
import Primitives
import Testing

/// What is chosen for each Accept-Encoding, with `br` preferred, then with `gzip` preferred; `-`: as it is.
@Test(
    arguments: [
        // None, empty, and what is not offered.
        ([], "-", "-"), ([""], "-", "-"), ([","], "-", "-"), (["deflate, zstd"], "-", "-"),
        // Plain names, in any case, in any order, in several lines.
        (["gzip"], "gzip", "gzip"), (["br"], "br", "br"), (["gzip, br"], "br", "gzip"),
        (["GZIP,BR"], "br", "gzip"), (["gzip, deflate, br, zstd"], "br", "gzip"),
        (["gzip", "br"], "br", "gzip"), (["x-gzip"], "gzip", "gzip"), (["gzipped"], "-", "-"),
        // Weights.
        (["gzip;q=1.0, br;q=0.9"], "gzip", "gzip"), (["gzip;q=0.8, br;q=0.9"], "br", "br"),
        (["gzip ; q=0.5 , br ; q=0.5"], "br", "gzip"), (["gzip;Q=0.001"], "gzip", "gzip"),
        (["gzip;q=0"], "-", "-"), (["gzip;q=0.000"], "-", "-"), (["gzip;q=0, br"], "br", "br"),
        (["br;q=1.000, gzip;q=1."], "br", "gzip"),
        // The star stands for what is not named.
        (["*"], "br", "gzip"), (["*;q=0"], "-", "-"), (["*;q=0, gzip"], "gzip", "gzip"),
        (["*;q=0.5, gzip"], "gzip", "gzip"), (["br;q=0, *"], "gzip", "gzip"),
        (["gzip;q=0.2, *;q=0.1"], "gzip", "gzip"),
        // The body as it is.
        (["identity"], "-", "-"), (["identity, gzip"], "gzip", "gzip"),
        (["identity;q=1, gzip;q=0.5"], "-", "-"), (["identity;q=0.5, gzip;q=0.5"], "gzip", "gzip"),
        (["identity;q=0"], "-", "-"), (["identity;q=0, *;q=0"], "-", "-"),
        (["identity;q=0, gzip;q=0.1"], "gzip", "gzip"), (["gzip;q=0.5"], "gzip", "gzip"),
        // What is not understood is not sent; of several members with a name the first counts.
        (["gzip;q=2"], "-", "-"), (["gzip;q=x"], "-", "-"), (["gzip;q="], "-", "-"),
        (["gzip;q=0.1234"], "-", "-"), (["gzip;q=-1"], "-", "-"), (["gzip;q=1.5"], "-", "-"),
        (["gzip;level=9"], "-", "-"), (["gzip;q=0.5;x=1"], "-", "-"), (["gzip;"], "-", "-"),
        (["gzip;q=0, gzip"], "-", "-"), (["gzip, gzip;q=0"], "gzip", "gzip"),
        (["gzip;q=x, *"], "br", "br"), (["gzip br"], "-", "-"), (["\"gzip\""], "-", "-"),
    ] as [([String], String, String)])
func `the coding that a client likes best is chosen`(
    lines: [String], preferringBrotli: String, preferringGzip: String
) {
    var fields = FieldList()
    for line in lines { fields.append(.acceptEncoding, Array(line.utf8).span) }
    let accept = AcceptEncoding(fields)
    func name(_ coding: ContentCoding?) -> String { coding.map { "\($0.name)" } ?? "-" }
    #expect(name(accept.choice(from: CodingOrder(.br, .gzip))) == preferringBrotli)
    #expect(name(accept.choice(from: CodingOrder(.gzip, .br))) == preferringGzip)
}

@Test func `a coding that is not offered is never chosen`() {
    var fields = FieldList()
    fields.append(.acceptEncoding, "br, *;q=0.5")
    #expect(AcceptEncoding(fields).choice(from: CodingOrder(.gzip)) == .gzip)
    var other = FieldList()
    other.append(.acceptEncoding, "br")
    #expect(AcceptEncoding(other).choice(from: CodingOrder(.gzip)) == nil)
}
