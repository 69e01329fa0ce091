import Appliance
import JSON
import Platform

/// An appliance in this process on a data directory of its own, with a walkthrough's pipelines and checks.
final class DemoServer {
    let server: ApplianceServer
    let client: DemoClient
    let storage: DemoStorage

    /// `demo` is the folder's name below `demos/`.
    init(directory: String, demo: String) throws {
        let settings = [
            (key: "data", value: directory + "/lake"), (key: "ports.console", value: "0"),
            (key: "ports.s3", value: "0"), (key: "log.level", value: "error"),
        ]
        var configuration = try ApplianceConfiguration.load(
            file: nil, environment: { _ in nil }, flags: settings)
        try configuration.chooseFreePorts()
        let appliance = try Appliance(configuration)
        server = ApplianceServer(appliance)
        try server.start()
        let folder = "demos/\(demo)/"
        var models: [String: String] = [:]
        for path in EmbeddedFiles.paths where path.hasPrefix(folder + "models/") {
            models[String(path.dropFirst(folder.count))] = EmbeddedFiles.text(path) ?? ""
        }
        for path in EmbeddedFiles.paths where path.hasSuffix(".yml") {
            let text = EmbeddedFiles.text(path) ?? ""
            if path.hasPrefix(folder + "pipelines/") {
                try appliance.declarePipeline(text, source: path, files: models)
            } else if path.hasPrefix(folder + "checks/") {
                try appliance.declareChecks(text, source: path)
            }
        }
        guard let admin = try appliance.demoPersonas(["admin"]).first else {
            throw WalkthroughError(.requestFailed, "there is no administrator")
        }
        client = DemoClient(
            host: "127.0.0.1", port: appliance.consolePort, user: "admin", token: admin.token)
        storage = DemoStorage(
            port: appliance.s3Port, accessKeyID: admin.accessKeyID, secret: admin.secret)
    }

    var publicURL: String { server.appliance.publicURL }

    var loginLink: String? {
        let token = try? server.appliance.loginLink(for: "admin")
        return token.map { "\(publicURL)/login?token=\($0)" }
    }
}
