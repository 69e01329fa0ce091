import Appliance
import Platform

Process.exit(CommandLine.run(Array(Swift.CommandLine.arguments.dropFirst())))
