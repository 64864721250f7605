// swift-tools-version: 6.2
import PackageDescription

// The cost of single decisions and of the store, by Weir's own modules. `bench/limits` builds and runs it.
let package = Package(
    name: "micro",
    dependencies: [.package(name: "weir", path: "../..")],
    targets: [
        .executableTarget(
            name: "weir-bench",
            dependencies: [
                "Limits", "Caching", "Compression", "Identity", "Routes", "HTTP1", "HTTPModel",
                "Primitives",
            ].map {
                .product(name: $0, package: "weir")
            },
            swiftSettings: [
                .treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
