import Primitives
import Testing

@testable import Identity

@Test func `a token is verified once and then remembered until it expires, and not after`() {
    var worker = Verifying { $0.jwt?.leeway = .seconds(30) }
    let text = token(#"{"exp":\#(today + 600),"nbf":\#(today),"sub":"42"}"#)
    for second in [0, 1, 300, 629] as [UInt64] {
        #expect(worker.take(text, at: seconds(today + second)) == .token)
        #expect(worker.identity.texts.user == "42")
    }
    #expect(worker.credentials.counts.tokensVerified == 1)
    #expect(worker.credentials.counts.tokensRemembered == 3)
    // The clock steps back before nbf: not valid now, and still remembered.
    #expect(worker.take(text, at: seconds(today - 31)) == .invalidToken(.notYetValid))
    #expect(worker.identity.texts.user == nil)
    #expect(worker.credentials.tokensRemembered == 1)
    #expect(worker.take(text, at: seconds(today + 630)) == .invalidToken(.expired))
    #expect(worker.identity.texts.user == nil)
    #expect(worker.credentials.tokensRemembered == 0)
    #expect(worker.credentials.rememberedBytes == 0)
    #expect(worker.credentials.counts.tokensInvalid == 2)
}

@Test func `a token whose key is gone is refused at once`() {
    var worker = Verifying()
    let text = token()
    #expect(worker.take(text) == .token)
    let same = worker.credentials.keys
    worker.credentials.keys = same
    #expect(worker.credentials.tokensRemembered == 1)
    worker.credentials.keys = CredentialKeys(tokens: [SigningKey.rsa.verifying])
    #expect(worker.credentials.tokensRemembered == 0)
    #expect(worker.take(text) == .invalidToken(.algorithm))
    worker.credentials.keys = same
    #expect(worker.take(text) == .token)
    #expect(worker.credentials.counts.tokensVerified == 2)
}

@Test func `bad tokens are not remembered`() {
    var worker = Verifying()
    for index in 0..<200 {
        worker.take(token(by: .secret([UInt8](repeating: UInt8(index), count: 32))))
        worker.take(token(#"{"exp":\#(index)}"#))
        worker.take("x.\(index).y")
    }
    #expect(worker.credentials.counts.tokensInvalid == 600)
    #expect(worker.credentials.tokensRemembered == 0)
}

@Test func `more tokens than there is room for stay within the bound and are all verified`() {
    var worker = Verifying()
    let count = IdentityBounds.tokensRemembered + 2_000
    for index in 0..<count {
        #expect(worker.take(token(#"{"exp":\#(today + 9),"sub":"\#(index)"}"#)) == .token)
        #expect(worker.identity.texts.user == "\(index)")
    }
    let remembered = worker.credentials.tokensRemembered
    #expect(remembered <= IdentityBounds.tokensRemembered)
    #expect(remembered > IdentityBounds.tokensRemembered * 3 / 4)
    // The last one is remembered, with what it says and nothing of another.
    #expect(worker.take(token(#"{"exp":\#(today + 9),"sub":"\#(count - 1)"}"#)) == .token)
    #expect(worker.credentials.counts.tokensRemembered == 1)
    #expect(worker.identity.texts.user == "\(count - 1)")
}

@Test func `a thousand tokens in turn are nearly all remembered`() {
    var worker = Verifying()
    let tokens = (0..<1_000).map { token(#"{"exp":\#(today + 9),"sub":"\#($0)"}"#) }
    for _ in 0..<3 { for text in tokens { worker.take(text) } }
    #expect(worker.credentials.counts.tokensRemembered > 1_980)
}

@Test func `the memory is bounded in bytes and keeps what it has in order`() {
    var random = SeededRandom(seed: 8725)
    var memory = TokenMemory()
    var newest: [SHA256Digest: [UInt8]] = [:]
    for index in 0..<20_000 {
        let name = Array("token \(random.below(12_000))".utf8)
        let digest = SHA256Digest(of: name.span)
        let now = seconds(UInt64(index))
        if let place = memory.find(digest) {
            #expect(memory.claims(at: place) == newest[digest])
            if random.below(5) == 0 { memory.forget(place) }
            continue
        }
        let claims = [UInt8](
            repeating: UInt8(random.below(256)), count: 2 + random.below(6_000))
        newest[digest] = claims
        let validity = TokenPolicy.Validity(from: 0, until: now.nanoseconds + 1_000_000_000_000)
        memory.remember(digest, validity, claims: claims, at: now)
        #expect(memory.bytes <= IdentityBounds.rememberedBytesMax)
        let place = memory.find(digest)
        #expect((place != nil) == (claims.count <= IdentityBounds.rememberedBytesPerToken))
    }
    #expect(memory.count > 500)
    memory.forgetAll()
    #expect(memory.count == 0)
    #expect(memory.bytes == 0)
}

@Test func `an expired token leaves before one that is used`() {
    var memory = TokenMemory()
    var row: [SHA256Digest] = []
    var index = 0
    while row.count < TokenMemory.ways + 1 {
        let name = Array("\(index)".utf8)
        let digest = SHA256Digest(of: name.span)
        if digest.words.0 % UInt64(TokenMemory.sets) == 7 { row.append(digest) }
        index += 1
    }
    let forever = TokenPolicy.Validity(from: 0, until: .max)
    let short = TokenPolicy.Validity(from: 0, until: 100)
    for (index, digest) in row.prefix(TokenMemory.ways).enumerated() {
        memory.remember(digest, index == 4 ? short : forever, claims: [0, 0], at: seconds(0))
        _ = memory.find(digest)
    }
    _ = memory.find(row[0])
    memory.remember(row[8], forever, claims: [0, 0], at: WallTime(nanoseconds: 100))
    #expect(memory.find(row[4]) == nil)
    #expect(memory.find(row[0]) != nil)
    // Now none is expired: the one used longest ago leaves.
    memory.remember(row[4], forever, claims: [0, 0], at: WallTime(nanoseconds: 100))
    #expect(memory.find(row[1]) == nil)
    for kept in [0, 2, 3, 5, 6, 7, 8, 4] { #expect(memory.find(row[kept]) != nil, "\(kept)") }
}
