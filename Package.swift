// swift-tools-version: 6.2
import PackageDescription

let base: [SwiftSetting] = [
    .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
// In the data plane `any` does not compile. Exclusive access is checked at run time in debug builds, which the
// tests and simulations use; the release build leaves these checks out (ADR 3).
let dataPlane =
    base + [
        .treatWarning("ExistentialType", as: .error),
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    ]
// Policy and codecs: small functions are inlined into other modules, which a release build alone does not do.
let inlined =
    dataPlane + [.unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))]
// Modules whose types lend their bytes as spans.
let lends: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes")]
let lending = inlined + lends

/// A module of the proxy; `tests` names what its test target needs besides the module itself.
func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = inlined,
    tests: [Target.Dependency]? = []
) -> [Target] {
    let target = Target.target(name: name, dependencies: dependencies, swiftSettings: settings)
    guard let tests else { return [target] }
    return [
        target,
        .testTarget(
            name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies + tests,
            swiftSettings: base),
    ]
}

let targets: [[Target]] = [
    // C libraries, one Swift module each.
    [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CProcessor"),
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CBrotli", pkgConfig: "libbrotlienc", providers: [.apt(["libbrotli-dev"])]),
        // Without pkg-config: hiredis.pc asks for a flag that the package manager does not take.
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
    ],
    // Foundations.
    module("Primitives", ["COpenSSL"], settings: lending),
    module("HTTPModel", ["Primitives"], settings: lending),
    module("Telemetry", ["Primitives"]),
    // Policy: values in, decisions out.
    module("Routes", ["HTTPModel", "Primitives"]),
    module("Identity", ["HTTPModel", "Primitives", "COpenSSL"], settings: lending),
    module(
        "Limits", ["HTTPModel", "Primitives", "CProcessor"], settings: lending, tests: ["BinaryKit"]
    ),
    module("Caching", ["HTTPModel", "Primitives"], settings: lending),
    // Codecs: bytes in, values out.
    module("HTTP1", ["HTTPModel", "Primitives"], settings: lending),
    module(
        "Compression", ["Primitives", "CZlib", "CBrotli"], settings: dataPlane, tests: ["TestKit"]),
    module("RedisWire", ["Primitives", "CHiredis", "COpenSSL"], settings: lending),
    module("YAMLReader", ["Primitives", "CLibYAML"], settings: base),
    module("TLSEngine", ["Primitives", "COpenSSL"], settings: dataPlane, tests: ["TestKit"]),
    // Settings.
    module(
        "Settings", ["Routes", "Identity", "Limits", "Caching", "HTTPModel", "Primitives"],
        tests: nil),
    module(
        "Config",
        [
            "Settings", "YAMLReader", "Routes", "Identity", "Limits", "Caching", "HTTPModel",
            "Primitives",
        ], settings: base),
    // I/O.
    module(
        "TestKit",
        ["EventLoop", "HTTPModel", "Primitives", "CLinux", "COpenSSL", "CZlib", "CBrotli"],
        settings: base, tests: nil),
    module(
        "EventLoop", ["TLSEngine", "Primitives", "CLinux"], settings: dataPlane + lends,
        tests: ["TestKit"]),
    module(
        "Upstreams", ["EventLoop", "TLSEngine", "HTTP1", "Settings", "HTTPModel", "Primitives"],
        settings: dataPlane, tests: ["TestKit"]),
    module(
        "RedisClient",
        [
            "EventLoop", "TLSEngine", "RedisWire", "Settings", "Caching", "Limits", "Telemetry",
            "HTTPModel", "Primitives",
        ], settings: dataPlane, tests: ["TestKit", "BinaryKit"]),
    // The proxy: the life of a request, and the product.
    module(
        "Proxy",
        [
            "Upstreams", "RedisClient", "EventLoop", "HTTP1", "Compression", "Settings", "Caching",
            "Limits",
            "Identity", "Routes",
            "Telemetry", "HTTPModel", "Primitives",
        ], settings: dataPlane + lends, tests: ["TestKit", "Config"]),
    module(
        "Admin",
        [
            "Proxy", "RedisClient", "EventLoop", "HTTP1", "Settings", "Limits", "Routes",
            "Telemetry", "HTTPModel", "Primitives",
        ], settings: base, tests: ["TestKit", "Config"]),
    [
        .executableTarget(
            name: "weir",
            dependencies: [
                "Admin", "Proxy", "Config", "Settings", "RedisClient", "EventLoop", "Upstreams",
                "HTTP1", "HTTPModel", "Identity", "Primitives", "Telemetry",
            ], swiftSettings: base)
    ],
    // The whole: the real proxy in a simulated world, and the built binary with real sockets.
    [
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "Proxy", "Config", "TestKit", "Settings", "EventLoop", "Caching", "Limits",
                "HTTPModel",
                "Primitives",
            ], swiftSettings: base),
        // Raw origins and clients, and the binary as a child process.
        .target(name: "BinaryKit", path: "Tests/BinaryKit", swiftSettings: base),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "weir", "BinaryKit", "Config", "TestKit", "Settings", "EventLoop", "HTTPModel",
                "Primitives",
            ], swiftSettings: base),
        .testTarget(
            name: "ConformanceTests", dependencies: ["weir", "BinaryKit"], swiftSettings: base),
    ],
]

// `WEIR_TEST_TARGETS=LimitsTests,ProxyTests swift build --build-tests` builds only these tests.
let chosenTests = Context.environment["WEIR_TEST_TARGETS"]?.split(separator: ",").map(String.init)

let package = Package(
    name: "weir",
    // The libraries are for the micro-benchmarks in bench/micro.
    products: [.executable(name: "weir", targets: ["weir"])]
        + [
            "Limits", "Caching", "Compression", "Identity", "Routes", "HTTP1", "HTTPModel",
            "Primitives",
        ].map {
            .library(name: $0, type: .static, targets: [$0])
        },
    targets: targets.flatMap { $0 }.filter {
        $0.type != .test || chosenTests?.contains($0.name) ?? true
    },
    swiftLanguageModes: [.v6]
)
