import Foundation
import Glibc

private let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch arguments.first {
    case "fuzz": exit(try FuzzCommand.run(Array(arguments.dropFirst())))
    case "fuzz-batch": try FuzzCommand.runBatch(Array(arguments.dropFirst()))
    #if LIBFUZZER
        case "libfuzzer": try LibFuzzer.run(Array(arguments.dropFirst()))
    #endif
    default:
        Output.line(FuzzCommand.usage)
        exit(arguments.isEmpty ? 0 : 2)
    }
} catch {
    Output.error("dev: \(error)")
    exit(2)
}
