import Primitives
import Settings

/// Reads `listen:` and `admin:`.
extension Report {
    /// `listen:` one address, or a list of addresses and mappings.
    func listeners(_ value: Value) -> [ListenerSettings] {
        var lines: [SocketAddress: Int] = [:]
        var result: [ListenerSettings] = []
        let items = items(value, "addresses", atMost: Bounds.listeners)
        if items.isEmpty, case .list = value.content { expected("at least one address", value) }
        for item in items {
            guard let (address, place) = listener(item) else { continue }
            if let line = lines[address], !Self.isAnyPort(address) {
                error(place, "\"\(address.text)\" is already used at line \(line)")
            }
            lines[address] = place.line
            result.append(ListenerSettings(address: address))
        }
        return result
    }

    private func listener(_ value: Value) -> (SocketAddress, Value)? {
        guard case .map = value.content else {
            return socketAddress(value).map { ($0, value) }
        }
        guard var fields = Fields(value, self, expected: "a mapping") else { return nil }
        let place = fields.require("address", help: "for example `address: 0.0.0.0:8080`")
        fields.refuse("tls", "TLS", shape: .tls)
        if let proxyProtocol = fields.take("proxy_protocol"), boolean(proxyProtocol) == true {
            unavailable(proxyProtocol, "the PROXY protocol")
        }
        fields.finish()
        guard let place, let address = socketAddress(place) else { return nil }
        return (address, place)
    }

    private static func isAnyPort(_ address: SocketAddress) -> Bool {
        guard case .tcp(_, port: 0) = address else { return false }
        return true
    }

    /// `admin:` an address, or a mapping.
    func admin(_ value: Value, listeners: [ListenerSettings]) -> AdminSettings? {
        var settings: AdminSettings?
        var hasToken = false
        if value.text != nil {
            settings = socketAddress(value).map { AdminSettings(address: $0) }
        } else if var fields = Fields(
            value, self, expected: "an address or a mapping",
            help: "for example `admin: 127.0.0.1:9900`")
        {
            let place = fields.require("address", help: "for example `address: 127.0.0.1:9900`")
            let tokenValue = fields.take("token")
            let token = tokenValue.flatMap { self.token($0) }
            // A faulty token is reported as that, and not as a missing one too.
            hasToken = tokenValue.map { !$0.isNull && $0.text != "" } ?? false
            let healthOnMain = fields.take("health_on_main").flatMap { boolean($0) }
            fields.finish()
            settings = place.flatMap { socketAddress($0) }.map {
                AdminSettings(
                    address: $0, token: token, healthOnMain: healthOnMain ?? Defaults.healthOnMain)
            }
        }
        guard let settings else { return nil }
        let written = settings.address.text
        if !settings.address.isLocal && !hasToken {
            error(
                keyOf: value, "\(written) can be reached from other machines and has no token",
                help: "listen on 127.0.0.1, or set `token: \"${WEIR_ADMIN_TOKEN}\"`")
        }
        if listeners.contains(where: { $0.address == settings.address }),
            !Self.isAnyPort(settings.address)
        {
            error(keyOf: value, "\(written) is already an address of `listen`")
        }
        return settings
    }

    /// The admin token; empty means none. Its text never appears in a message.
    private func token(_ value: Value) -> String? {
        conceal(value)
        if value.isNull || value.isUnusable || value.text == "" { return nil }
        let bounds = Bounds.tokenBytes
        guard let text = value.text, bounds.contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            error(
                value,
                "expected \(bounds.lowerBound) to \(bounds.upperBound) visible ASCII characters")
            return nil
        }
        return text
    }
}
