/// The signals of the process as events of a loop.
@safe public final class SignalSource: EventSource {
    private let loop: EventLoop
    private let descriptor: Int32
    private var waiting: UnsafeContinuation<Void, Never>?

    /// Blocks `signals` for the calling thread and those it starts later, and takes them over.
    public init?(_ signals: [Int32], loop: EventLoop) {
        self.loop = loop
        descriptor = loop.kernel.createSignals(signals)
        super.init()
        guard descriptor >= 0 else { return nil }
        guard loop.register(self, descriptor: descriptor) else {
            loop.kernel.close(descriptor)
            return nil
        }
    }

    /// Waits for the next signal and returns its number.
    public func next() async -> Int32 {
        while true {
            if let signal = loop.kernel.nextSignal(descriptor) { return signal }
            unsafe await withUnsafeContinuation { unsafe waiting = $0 }
        }
    }

    override func handle(_ readiness: Readiness) {
        let resumed = unsafe waiting
        unsafe waiting = nil
        unsafe resumed?.resume()
    }
}
