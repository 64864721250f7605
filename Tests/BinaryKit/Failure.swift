/// The bound of every wait: far more than any step takes, so that only a fault reaches it.
package let patience = Duration.seconds(30)

/// What a test says when a wait reached its bound or something outside the test failed.
package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
