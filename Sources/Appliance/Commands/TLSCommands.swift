import Bytes
import Cryptography
import Platform

/// `lakehouse tls …`: the certificate authority that a lakehouse made for itself.
enum TLSCommands {
    static let all = [show, trust]

    private static let show = Command(
        "tls show", "prints the certificate of this lakehouse's own authority",
        example: "lakehouse tls show > lakehouse-ca.pem",
        place: .here { parsed, streams in
            streams.write(try authority(parsed).pem)
            return 0
        })

    private static let trust = Command(
        "tls trust", "makes this machine trust the certificates of this lakehouse",
        options: [
            CommandOption("into", value: "DIR", "only writes the certificate into this folder"),
            CommandOption("remove", "takes the trust back"),
        ],
        notes: """
            The system's list is changed, for which root is needed (sudo). Firefox and Java keep lists of their own:
            import there what `lakehouse tls show` prints. Only those who hold DIR/tls/ca.key can issue
            certificates that are then trusted.
            """,
        example: "lakehouse tls trust --data ./lakehouse-data",
        place: .here { parsed, streams in
            let authority = try authority(parsed)
            let anchors =
                try parsed["into"].map { Anchors(folder: $0, suffix: "pem", update: nil) }
                ?? Anchors.system(parsed)
            let path = "\(anchors.folder)/lakehouse-\(authority.name).\(anchors.suffix)"
            let files = LocalFileSystem()
            let isThere = try files.exists(path)
            if parsed.has("remove") {
                guard isThere else {
                    streams.write("this machine does not trust it: \(path)\n")
                    return 0
                }
                _ = try files.removeIfPresent(path)
            } else {
                if isThere,
                    try files.readAll(path, limit: 1 << 20) == Array(authority.pem.utf8)
                {
                    streams.write("trusted already: \(path)\n")
                    return 0
                }
                try files.replaceDurably(path, with: Array(authority.pem.utf8), mode: 0o644)
            }
            try anchors.apply()
            streams.write("\(parsed.has("remove") ? "removed" : "trusted"): \(path)\n")
            return 0
        })

    /// The certificate, and a name that differs from lakehouse to lakehouse.
    private static func authority(
        _ parsed: ParsedArguments
    ) throws -> (pem: String, name: String) {
        let directory = try CommandLine.configuration(parsed).text("data")
        try DataPlace.require(directory)
        let files = LocalFileSystem()
        let path = directory + "/tls/ca.pem"
        guard try files.exists(path) else {
            throw ApplianceError(
                .notFound, "this lakehouse has no authority yet: \(path)",
                hint: "the first `lakehouse serve` makes it")
        }
        let bytes = try files.readAll(path, limit: 1 << 20)
        return (
            String(decoding: bytes, as: UTF8.self), String(hexText(Digest.sha256(bytes)).prefix(12))
        )
    }

    /// A folder whose certificates are trusted, and the program that makes it count.
    private struct Anchors {
        let folder: String
        let suffix: String
        let update: String?

        /// Where this system keeps its own: Debian and its kin, Fedora and its, Arch.
        private static let known = [
            Anchors(
                folder: "/usr/local/share/ca-certificates", suffix: "crt",
                update: "update-ca-certificates"),
            Anchors(
                folder: "/etc/pki/ca-trust/source/anchors", suffix: "pem", update: "update-ca-trust"
            ),
            Anchors(
                folder: "/etc/ca-certificates/trust-source/anchors", suffix: "pem",
                update: "update-ca-trust"),
        ]

        static func system(_ parsed: ParsedArguments) throws -> Anchors {
            let files = LocalFileSystem()
            guard let found = try known.first(where: { try files.exists($0.folder) }) else {
                throw ApplianceError(
                    .notFound, "this system keeps its trusted certificates in no known place",
                    hint:
                        "`lakehouse tls show` prints the certificate: install it as the system wants"
                )
            }
            guard Host.userID == 0 else {
                let data = parsed["data"].map { " --data \($0)" } ?? ""
                throw ApplianceError(
                    .refused, "only root may change whom this machine trusts",
                    hint: "sudo lakehouse tls trust\(data)")
            }
            return found
        }

        func apply() throws {
            guard let update else { return }
            let files = LocalFileSystem()
            let places = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map { "\($0)/\(update)" }
            guard let program = try places.first(where: { try files.exists($0) }) else {
                throw ApplianceError(
                    .notFound, "\(update) is not installed",
                    hint: "install the package ca-certificates, and run \(update)")
            }
            let code = try ChildProcess(program, []).wait()
            guard code == 0 else {
                throw ApplianceError(
                    .failed, "\(program) ended with \(code)", hint: "run it by hand to see why")
            }
        }
    }
}
