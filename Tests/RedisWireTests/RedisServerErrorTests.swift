import RedisWire
import Testing

@Suite struct RedisServerErrorTests {
    @Test(
        arguments: [
            ("LOADING Redis is loading the dataset in memory", .loading),
            ("READONLY You can't write against a read only replica.", .readOnly),
            (
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
                .masterDown
            ),
            ("OOM command not allowed when used memory > 'maxmemory'.", .outOfMemory),
            (
                "ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed",
                .outOfMemory
            ),
            ("BUSY Redis is busy running a script.", .busy),
            ("MISCONF Redis is configured", .cannotSave),
            ("NOREPLICAS Not enough good replicas to write.", .noReplicas),
            ("NOAUTH Authentication required.", .noAuthentication),
            ("WRONGPASS invalid username-password pair", .wrongPassword),
            ("ERR invalid password", .wrongPassword),
            ("NOPERM this user has no permissions", .noPermission),
            ("NOSCRIPT No matching script.", .noScript), ("MOVED 3999 127.0.0.1:6381", .moved),
            ("ASK 3999 127.0.0.1:6381", .ask), ("TRYAGAIN Multiple keys", .tryAgain),
            ("CLUSTERDOWN The cluster is down", .clusterDown), ("CROSSSLOT Keys in", .crossSlot),
            ("WRONGTYPE Operation against", .wrongType), ("ERR unknown command", .other),
            ("", .other),
            ("LOADINGS of wood", .other),
        ] as [(String, RedisServerError.Kind)])
    func `the first word tells the kind`(line: String, kind: RedisServerError.Kind) {
        #expect(RedisServerError(line: Array(line.utf8)).kind == kind)
    }

    @Test func `an error about the server is told from one about the command`() {
        func isAboutServer(_ word: String) -> Bool {
            RedisServerError(line: Array("\(word) x".utf8)).isAboutServer
        }
        for word in ["LOADING", "READONLY", "MASTERDOWN", "OOM", "BUSY", "NOAUTH", "CLUSTERDOWN"] {
            #expect(isAboutServer(word))
        }
        for word in ["ERR", "WRONGTYPE", "NOSCRIPT", "MOVED", "ASK", "NOPERM", "TRYAGAIN"] {
            #expect(!isAboutServer(word))
        }
    }
}
