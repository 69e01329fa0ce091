import Synchronization

/// Models out of files: those that the binary carries, and those of a folder, read again when they
/// have changed. A file that cannot be used is reported and leaves the others alone.
package final class MetricLibrary: MetricModelSource {
    /// A file's path and text.
    package typealias File = (path: String, text: String)

    private struct Parsed {
        var text: String
        var result: Result<MetricModel, MetricError>
    }

    private let files: @Sendable () -> [File]
    private let parsed = Mutex<[String: Parsed]>([:])

    /// `files` gives the files of this moment.
    package init(files: @escaping @Sendable () -> [File]) { self.files = files }

    package func models() -> (models: [MetricModel], faults: [MetricError]) {
        var models: [MetricModel] = []
        var faults: [MetricError] = []
        for file in files() {
            switch result(file) {
            case .success(let model):
                if let other = models.first(where: { $0.name == model.name }) {
                    faults.append(
                        MetricError(
                            .invalidFile,
                            "\(file.path):1:1: the model is declared twice: \(model.name)",
                            hint: "it is in \(other.path) too"))
                } else {
                    models.append(model)
                }
            case .failure(let fault): faults.append(fault)
            }
        }
        return (models, faults)
    }

    private func result(_ file: File) -> Result<MetricModel, MetricError> {
        let known = parsed.withLock { $0[file.path] }
        if let known, known.text == file.text { return known.result }
        let result: Result<MetricModel, MetricError>
        do throws(MetricError) {
            result = .success(try MetricFile.parse(file.text, path: file.path))
        } catch { result = .failure(error) }
        parsed.withLock { $0[file.path] = Parsed(text: file.text, result: result) }
        return result
    }
}
