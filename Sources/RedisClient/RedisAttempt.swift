import Settings

/// An attempt to make a connection, which its owner may give up.
final class RedisAttempt {
    /// The connection while it is made ready for commands.
    var stream: RedisStream?

    /// Ends it, unless it leads to `place`.
    func giveUp(unless place: RedisSettings.Place) {
        if let stream, stream.place != place { stream.close() }
    }
}
