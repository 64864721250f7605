import EventLoop

// The product: arguments in, an exit status out.
Host.ignoreBrokenPipes()
switch Command.parse(Array(CommandLine.arguments.dropFirst())) {
case .run(let file): RunCommand(file: file).run()
case .check(let file, let prints, let connects):
    CheckCommand(file: file, prints: prints, connects: connects).run()
case .explain(let command): command.run()
case .purge(let command): command.run()
case .cache(let command): command.run()
case .demo(let address): DemoCommand(address: address).run()
case .version:
    Host.write("weir \(Command.versionNumber)\n")
    Host.exit(0)
case .help:
    Host.write(Command.usage)
    Host.exit(0)
case .misused(let problem):
    Host.write("weir: \(problem)\n\n\(Command.usage)", toError: true)
    Host.exit(ExitStatus.usage)
}
