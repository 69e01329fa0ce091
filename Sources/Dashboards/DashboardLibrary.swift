/// The dashboards there are.
package struct DashboardLibrary: Sendable {
    private let documents: [String: DashboardDocument]
    /// Files that cannot be used, and why; the others work.
    package let faults: [DashboardError]

    /// None at all.
    package init() {
        documents = [:]
        faults = []
    }

    /// Takes documents that were read already. Throws `.duplicateName`.
    package init(_ documents: [DashboardDocument]) throws(DashboardError) {
        var known: [String: DashboardDocument] = [:]
        for document in documents {
            guard known.updateValue(document, forKey: document.name) == nil else {
                throw DashboardError(
                    code: .duplicateName, message: "two dashboards have the name \(document.name)",
                    hint: "rename one of the files, or give it a name: of its own")
            }
        }
        self.documents = known
        faults = []
    }

    /// Reads every file (`path` and text). The first of two with one name stays. A broken one does not
    /// keep the others away: it stands in the faults.
    package static func reading(_ files: [(path: String, text: String)]) -> DashboardLibrary {
        var documents: [String: DashboardDocument] = [:]
        var faults: [DashboardError] = []
        for file in files {
            do throws(DashboardError) {
                let document = try DashboardDocument.parse(file.text, path: file.path)
                if documents[document.name] == nil {
                    documents[document.name] = document
                } else {
                    faults.append(
                        DashboardError(
                            code: .duplicateName,
                            message: "\(file.path): the name is taken: \(document.name)",
                            hint: "rename the file, or give it a name: of its own"))
                }
            } catch { faults.append(error) }
        }
        return DashboardLibrary(known: documents, faults: faults)
    }

    /// These, and those of `other` whose names are not taken here.
    package func before(_ other: DashboardLibrary) -> DashboardLibrary {
        DashboardLibrary(
            known: documents.merging(other.documents) { mine, _ in mine },
            faults: faults + other.faults)
    }

    /// Those of which that holds, with all faults.
    package func filter(_ isWanted: (DashboardDocument) -> Bool) -> DashboardLibrary {
        DashboardLibrary(known: documents.filter { isWanted($0.value) }, faults: faults)
    }

    private init(known: [String: DashboardDocument], faults: [DashboardError]) {
        documents = known
        self.faults = faults
    }

    /// All of them, by title.
    package var all: [DashboardDocument] {
        documents.values.sorted { ($0.title, $0.name) < ($1.title, $1.name) }
    }

    /// One by its name.
    package subscript(_ name: String) -> DashboardDocument? { documents[name] }
}
