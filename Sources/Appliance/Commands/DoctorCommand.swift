import Connectors
import DiskObjectStorage
import Identity
import Ingest
import JSON
import Ledger
import Models
import ObjectStorage
import Operations
import Quality
import SQLite
import TableCatalog

/// `lakehouse doctor`: looks whether everything on disk is as it should be.
enum DoctorCommand {
    /// Something that is not as it should be.
    struct Finding {
        var area: String
        /// The file, object or table.
        var place: String
        var problem: String
        var remedy: String
    }

    static let command = Command(
        "doctor", "checks databases, blobs and the files of every table; changes nothing",
        options: [
            CommandOption("storage", "reads every byte of every blob as well"), Listing.json,
        ], example: "lakehouse doctor --storage",
        place: .appliance { appliance, parsed, streams in
            let findings =
                try databaseFindings(appliance)
                + storageFindings(appliance, readsAll: parsed.has("storage"))
                + TableInspection(appliance).run()
            if parsed.has("json") {
                Listing.print(
                    ["area", "place", "problem", "remedy"],
                    findings.map { finding in
                        [finding.area, finding.place, finding.problem, finding.remedy].map {
                            .string($0)
                        }
                    }, asJSON: true, streams)
            } else if findings.isEmpty {
                streams.write("everything is in order\n")
            } else {
                for finding in findings {
                    streams.write(
                        "\(finding.area): \(finding.problem)\n"
                            + (finding.problem.contains(finding.place)
                                ? "" : "  in: \(finding.place)\n")
                            + "  remedy: \(finding.remedy)\n")
                }
                streams.write(
                    findings.count == 1 ? "1 problem\n" : "\(findings.count) problems\n")
            }
            return findings.isEmpty ? 0 : 1
        })

    private static func databaseFindings(_ appliance: Appliance) throws -> [Finding] {
        var findings: [Finding] = []
        for database in appliance.databases {
            for problem in try database.open().integrityProblems() {
                findings.append(
                    Finding(
                        area: "database", place: appliance.directory.file(database.file),
                        problem: problem,
                        remedy: "restore a backup into a new directory: lakehouse restore"))
            }
        }
        return findings
    }

    private static func storageFindings(
        _ appliance: Appliance, readsAll: Bool
    ) throws -> [Finding] {
        let report = try appliance.objects.verify(Appliance.systemContext, onlyFast: !readsAll)
        return report.problems.map { problem in
            let objects = problem.objects.map(\.description).joined(separator: ", ")
            let remedy =
                switch problem.kind {
                case .missingBlob, .corrupted:
                    "write the object again from its source, or restore a backup"
                case .strayBlob: "nothing is lost: the next start removes it"
                case .inconsistentIndex:
                    "restore a backup into a new directory: lakehouse restore"
                }
            return Finding(
                area: "objects", place: objects.isEmpty ? problem.subject : objects,
                problem: "\(problem.subject): \(problem.message)", remedy: remedy)
        }
    }
}
