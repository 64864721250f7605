import Foundation

/// Lets the calling thread rest for a moment.
func pause() { usleep(20_000) }
