import Appliance
import Platform
import Walkthrough

Process.keepFreedMemory()
Process.exit(
    CommandLine.run(Array(Swift.CommandLine.arguments.dropFirst()), further: DemoCommand.all))
