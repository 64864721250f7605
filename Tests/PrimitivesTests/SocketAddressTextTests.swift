import Primitives
import Testing

@Test(arguments: [
    "10.0.0.1:80", "0.0.0.0:0", "127.0.0.1:65535", "[::1]:8080", "[2001:db8::]:1",
    "unix:/run/weir.sock",
])
func `a socket address is written as it is read`(text: String) {
    #expect(SocketAddress(parsing: text)?.text == text)
}

@Test(arguments: [
    "", ":", "80", ":80", "10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:+80", "10.0.0.1:080",
    "10.0.0.1:-1", "10.0.0.1: 80", "::1:80", "[::1]", "[10.0.0.1]:80", "[]:80", "localhost:80",
    "unix:run", "unix:",
])
func `text that is not exactly a socket address is refused`(text: String) {
    #expect(SocketAddress(parsing: text) == nil)
}
