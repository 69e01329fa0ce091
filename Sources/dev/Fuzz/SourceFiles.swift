import Foundation

/// Files of the repository that serve as seeds.
enum SourceFiles {
    /// The repository, from where this file was compiled.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The contents of the files below a folder with one of the endings, in the order of their paths.
    static func contents(below folder: String, endings: [String], upTo limit: Int) throws
        -> [[UInt8]]
    {
        let base = root.appendingPathComponent(folder)
        let names =
            FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return try names.sorted().filter { name in endings.contains { name.hasSuffix($0) } }
            .map { [UInt8](try Data(contentsOf: base.appendingPathComponent($0))) }
            .filter { $0.count <= limit }
    }

    /// The regular files of a folder, nil when it is not there.
    static func files(in folder: URL) -> [URL]? {
        try? FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: [.isRegularFileKey]
        )
        .filter { (try? $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true }
        .sorted { $0.path < $1.path }
    }
}
