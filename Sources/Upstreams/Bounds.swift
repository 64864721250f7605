import HTTP1
import Primitives

/// The bounds towards origins.
enum Bounds {
    /// The head of an answer.
    static let responseHead = HeadBounds(headerBytes: 64 << 10, fields: 256, targetBytes: 1)
    /// The buffer of a connection between exchanges, and the room for each read of a body that has filled it.
    static let inputBytes = 16 << 10
    static let largeRead = 64 << 10
    /// Servers tried for one request when connections cannot be made.
    static let connectAttempts = 3
    /// How long a server that could not be reached is passed over while others can.
    static let failurePause = Nanoseconds.seconds(1)
    /// How often names are resolved again.
    static let resolveInterval = Nanoseconds.seconds(30)
    /// Requests of one worker that may wait for a connection.
    static let waitersMax = 10_000
    /// Bytes of a URL that is fetched.
    static let urlBytes = 2048
    /// The body of a document that is fetched.
    static let fetchedBody = 1 << 20
    /// Answers read for one fetch, those of status 1xx included.
    static let interimAnswers = 8
    /// What is shown of where a redirect points to.
    static let locationBytes = 200
}
