public import EventLoop
public import Identity
public import Primitives
public import Upstreams

/// Why the keys of one file or URL cannot be used. Holds no part of a key.
public struct KeyProblem: Error, Sendable, Equatable {
    /// The file or URL.
    public var source: String
    /// What is wrong, for people.
    public var reason: String

    /// Creates a problem.
    public init(source: String, reason: String) {
        self.source = source
        self.reason = reason
    }
}

/// A change of state that an operator wants to read of, once.
public enum KeyEvent: Sendable, Equatable {
    /// New content of a file or URL is used from now on, or what had failed is well again; with the number of keys.
    case loaded(source: String, keys: Int)
    /// New content could not be had or used; the number of keys of this source that are used on, 0 when it never
    /// had any.
    case kept(KeyProblem, keys: Int)
}

/// What a `KeyKeeper` asks of the world around it; tests answer instead.
public struct KeyWorld {
    /// How a file looks now.
    public var stamp: (_ path: String) throws(HostError) -> FileStamp
    /// The bytes of a file; more than the limit when it is larger.
    public var read: (_ path: String, _ limit: Int) throws(HostError) -> [UInt8]
    /// Fetches a document.
    public var fetch: (FetchURL, _ deadline: MonotonicTime) async -> Result<FetchedBody, FetchError>
    /// Reads the public keys of a PEM file.
    public var parsePEM: ([UInt8]) throws(TokenKeyError) -> [TokenKey] = TokenKey.pem
    /// Reads a JWK set.
    public var parseJWKS: ([UInt8]) throws(TokenKeyError) -> [TokenKey] = TokenKey.jwks
    /// Reads a file of API keys, whose path is given for messages.
    public var parseAPIKeys: ([UInt8], _ path: String) -> Result<[APIKeyEntry], KeyProblem>
    /// Is told of every change of state.
    public var note: (KeyEvent) -> Void

    /// Creates a world of the machine's files and of URLs that are fetched on `loop`.
    public init(
        loop: EventLoop, client: FetchClient = FetchClient(),
        parseAPIKeys: @escaping ([UInt8], String) -> Result<[APIKeyEntry], KeyProblem>,
        note: @escaping (KeyEvent) -> Void
    ) {
        stamp = Host.fileStamp
        read = Host.readFile
        fetch = { url, deadline in await client.fetch(url, until: deadline, on: loop) }
        self.parseAPIKeys = parseAPIKeys
        self.note = note
    }
}
