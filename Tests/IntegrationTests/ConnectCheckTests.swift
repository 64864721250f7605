import BinaryKit
import Testing

extension Integration {
    /// `weir check --connect`.
    struct ConnectCheckTests {
        @Test func `upstreams that accept connections are well, others are not`() throws {
            try Weir.demo { place in
                let good = "listen: 127.0.0.1:0\nupstream: http://\(place)\n"
                let well = try Weir.ends(["check", "FILE", "--connect"], file: good)
                #expect(well.status == 0)
                #expect(well.output.contains("upstream default: \(place): ok, connected in "))

                let gone = try freePort()
                let bad =
                    "listen: 127.0.0.1:0\nupstreams: {a: http://\(place), b: {servers: "
                    + "[http://127.0.0.1:\(gone), http://nowhere.invalid]}}\nroutes: [{path: /**, upstream: a}]\n"
                let ill = try Weir.ends(["check", "FILE", "--connect"], file: bad)
                #expect(ill.status == 69)
                #expect(ill.output.contains("upstream a: \(place): ok"))
                #expect(
                    ill.output.contains("upstream b: 127.0.0.1:\(gone): failed: Connection refused")
                )
                #expect(
                    ill.output.contains(
                        "upstream b: nowhere.invalid: failed: the name is not known"))
            }
        }

        @Test func `what check prints can still be loaded when it has tried the upstreams`() throws
        {
            let gone = try freePort()
            let file = "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:\(gone)\n"
            let both = try Weir.ends(["check", "FILE", "--print", "--connect"], file: file)
            #expect(both.status == 69)
            #expect(both.output.contains("\n# upstream default: 127.0.0.1:\(gone): failed: "))
            #expect(try Weir.ends(["check", "FILE"], file: both.output).status == 0)
        }
    }
}
