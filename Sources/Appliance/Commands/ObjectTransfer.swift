import Authority
import DiskObjectStorage
import ObjectStorage
import Platform

/// A bucket with a key or the beginning of one, as typed.
struct ObjectPlace: CustomStringConvertible {
    let bucket: String
    let key: String

    init(_ text: String) throws(ApplianceError) {
        guard text.hasPrefix("s3://") else {
            throw ApplianceError(.usage, "not an object: \(text)", hint: "write s3://bucket/key")
        }
        let rest = text.dropFirst(5)
        let name = rest.prefix { $0 != "/" }
        guard !name.isEmpty else {
            throw ApplianceError(.usage, "the bucket is missing: \(text)")
        }
        bucket = String(name)
        key = String(rest.dropFirst(name.count + 1))
    }

    /// The place as one object; a fault where it is a whole bucket or a folder.
    func object() throws(ApplianceError) -> ObjectLocation {
        guard !key.isEmpty, !key.hasSuffix("/") else {
            throw ApplianceError(
                .usage, "this names no object: \(self)", hint: "give a key, or --recursive")
        }
        return ObjectLocation(bucket: bucket, key: key)
    }

    var description: String { "s3://\(bucket)/\(key)" }
}

extension Appliance {
    /// Goes through the objects of a bucket whose key begins so, and through what `delimiter` folds.
    func eachObject(
        _ bucket: String, _ prefix: String, delimiter: String?,
        prefixes: (String) -> Void = { _ in }, objects take: (ObjectDescription) throws -> Void
    ) throws {
        var after: String?
        repeat {
            let page = try objects.list(
                commandContext(), bucket: bucket, prefix: prefix, delimiter: delimiter,
                after: after, limit: 1000)
            for name in page.commonPrefixes { prefixes(name) }
            for object in page.objects { try take(object.description) }
            after = page.next
        } while after != nil
    }
}

extension LocalFileReader {
    /// Hands the file over from front to back.
    func eachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try self.eachPiece(of: description.sizeBytes, body)
    }
}

extension ObjectReader {
    fileprivate func eachPiece(
        of size: Int64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while offset < size {
            let count = Int(min(Int64(buffer.count), size - offset))
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            try readNow([RangeRead(offset: offset, destination: piece)])
            try body(UnsafeRawBufferPointer(piece))
            offset += Int64(count)
        }
    }
}

/// Copies or moves files and objects: `s3 cp`, `s3 mv`.
struct ObjectTransfer {
    private let appliance: Appliance
    private let source: String
    private let target: String
    private let isRecursive: Bool
    private let isRaw: Bool
    private let removesSource: Bool
    private let streams: any CommandStreams
    private let showsProgress: Bool

    init(
        _ appliance: Appliance, _ parsed: ParsedArguments, _ streams: any CommandStreams,
        removesSource: Bool
    ) throws {
        self.appliance = appliance
        self.streams = streams
        self.removesSource = removesSource
        source = try parsed.required(0, "SOURCE")
        target = try parsed.required(1, "TARGET")
        isRecursive = parsed.has("recursive")
        isRaw = parsed.has(ObjectSelection.raw.name)
        showsProgress = parsed.has(Progress.option.name)
    }

    func run() throws -> Int32 {
        let fromObjects = source.hasPrefix("s3://")
        let toObjects = target.hasPrefix("s3://")
        guard fromObjects || toObjects, !removesSource || (fromObjects && toObjects) else {
            throw ApplianceError(
                .usage,
                removesSource
                    ? "only objects are moved, and only to objects" : "one of the two is s3://…",
                hint: "see --help")
        }
        let count: Int
        if fromObjects {
            count = try objects(toObjects: toObjects)
        } else {
            count = try upload()
        }
        streams.write(
            "\(removesSource ? "moved" : "copied") \(count) \(count == 1 ? "object" : "objects")\n")
        return 0
    }

    // MARK: From objects

    private func objects(toObjects: Bool) throws -> Int {
        let sources = try ObjectSelection.find(
            appliance, source, isRecursive: isRecursive, isRaw: isRaw
        ).filter { !$0.name.isEmpty && !$0.name.hasSuffix("/") }
        let isMany = isRecursive || sources.count != 1 || sources.first?.name != lastName
        let progress = Progress(
            total: sources.reduce(0) { $0 + $1.sizeBytes }, isShown: showsProgress, streams)
        defer { progress.end() }
        for found in sources {
            let (location, name) = (found.location, found.name)
            if toObjects {
                let to = try targetObject(name, isMany: isMany)
                guard to != location else {
                    throw ApplianceError(.usage, "source and target are the same: \(to)")
                }
                _ = try appliance.objects.copy(commandContext(), from: location, to: to)
                if removesSource { try appliance.objects.delete(commandContext(), location) }
                progress.advance(by: found.sizeBytes)
            } else {
                try download(location, name, isMany: isMany, progress)
            }
        }
        return sources.count
    }

    /// The last part of what was named, where one object is meant.
    private var lastName: String { lastPathComponent(of: source) }

    private func targetObject(_ name: String, isMany: Bool) throws -> ObjectLocation {
        let place = try ObjectPlace(target)
        let isFolder = place.key.isEmpty || place.key.hasSuffix("/")
        guard isFolder || isMany else { return try place.object() }
        return ObjectLocation(
            bucket: place.bucket, key: isFolder ? place.key + name : place.key + "/" + name)
    }

    private func download(
        _ location: ObjectLocation, _ name: String, isMany: Bool, _ progress: Progress
    ) throws {
        let files = LocalFileSystem()
        let isFolder =
            try isMany || target.hasSuffix("/") || files.status(target)?.kind == .directory
        // A key may say `..`; what it names stays below the target all the same.
        guard !isFolder || !name.split(separator: "/").contains("..") else {
            throw ApplianceError(.failed, "the key leads out of the folder: \(location)")
        }
        let path = isFolder ? target + "/" + name : target
        if isFolder, let slash = path.lastIndex(of: "/") {
            try files.makeDirectory(String(path[..<slash]), mode: 0o777)
        }
        let reader = try appliance.objects.open(commandContext(), location)
        // Written beside it and renamed, so that nobody sees half an object.
        let partial = path + ".part-" + String(appliance.entropy.uuid().prefix(8))
        do {
            let file = try files.open(partial, .createNew, mode: 0o666)
            var offset: Int64 = 0
            try reader.eachPiece(of: reader.description.sizeBytes) { piece in
                try file.write(piece, at: offset)
                offset += Int64(piece.count)
                progress.advance(by: Int64(piece.count))
            }
            try file.close()
            try files.rename(partial, to: path)
        } catch {
            _ = try? files.removeIfPresent(partial)
            throw error
        }
    }

    // MARK: From files

    private func upload() throws -> Int {
        let files = LocalFileSystem()
        guard let status = try files.status(source) else {
            throw ApplianceError(.notFound, "no such file: \(source)", hint: "check the path")
        }
        guard status.kind == .directory else {
            let progress = Progress(total: status.sizeBytes, isShown: showsProgress, streams)
            defer { progress.end() }
            try upload(source, to: targetObject(lastName, isMany: isRecursive), progress)
            return 1
        }
        guard isRecursive else {
            throw ApplianceError(.usage, "this is a folder: \(source)", hint: "say --recursive")
        }
        var count = 0
        // How much there is, is not known before the end.
        let progress = Progress(total: 0, isShown: showsProgress, streams)
        defer { progress.end() }
        func visit(_ folder: String, _ prefix: String, depth: Int) throws {
            guard depth < 64 else {
                throw ApplianceError(.failed, "folders nest deeper than 64: \(folder)")
            }
            for name in try files.list(folder) {
                let path = folder + "/" + name
                switch try files.status(path)?.kind {
                case .directory: try visit(path, prefix + name + "/", depth: depth + 1)
                case .file:
                    try upload(path, to: targetObject(prefix + name, isMany: true), progress)
                    count += 1
                default: streams.complain("  left out, no file: \(path)\n")
                }
            }
        }
        try visit(source, "", depth: 0)
        return count
    }

    private func upload(
        _ path: String, to location: ObjectLocation, _ progress: Progress
    ) throws {
        let reader = try LocalFileReader(path: path)
        var attributes = ObjectAttributes()
        attributes.headers["content-type"] = ContentType.guess(path)
        let writer = try appliance.objects.beginPut(
            commandContext(), location, attributes: attributes)
        do {
            try reader.eachPiece {
                try writer.append($0)
                progress.advance(by: Int64($0.count))
            }
            _ = try writer.commit(precondition: .none)
        } catch {
            writer.abandon()
            throw error
        }
    }
}
