import Authority
import ConsoleAPI
import CivilTime
import DiskObjectStorage
import Identity
import JSON
import ObjectStorage
import Platform

/// `lakehouse s3 …`: the objects of the directory, without keys and without a network.
enum ObjectCommands {
    static let all = [list, copy, move, remove, usage, show, presign]
    static let inside = [
        copying.inside("s3 cp", arguments: copy.arguments, example: copy.example),
        moving.inside("s3 mv", arguments: move.arguments, example: move.example),
    ]

    private static let recursive = CommandOption(
        "recursive", letter: "r", "everything whose key begins so, or in the folder")

    // MARK: Looking

    private static let list = Command(
        "s3 ls", arguments: "[s3://BUCKET/PREFIX]", "lists buckets, or objects under a prefix",
        options: [recursive, Listing.json],
        example: "lakehouse s3 ls s3://landing/bronze/ --recursive",
        place: .appliance { appliance, parsed, streams in
            let context = commandContext()
            guard let text = parsed.positional.first else {
                let rows = try appliance.objects.buckets(context).map { bucket in
                    [.string(bucket.name), Listing.time(bucket.createdMicroseconds)] as [JSONValue]
                }
                Listing.print(
                    ["bucket", "created"], rows, asJSON: parsed.has("json"), streams)
                return 0
            }
            let place = try ObjectPlace(text)
            var rows: [[JSONValue]] = []
            try appliance.eachObject(
                place.bucket, place.key, delimiter: parsed.has("recursive") ? nil : "/",
                prefixes: { rows.append([.string($0), .null, .null]) },
                objects: { object in
                    rows.append([
                        .string(object.location.key), .int(object.sizeBytes),
                        Listing.time(object.modifiedMicroseconds),
                    ])
                })
            Listing.print(
                ["key", "bytes", "modified"], rows, asJSON: parsed.has("json"), streams)
            return 0
        })

    private static let usage = Command(
        "s3 du", arguments: "s3://BUCKET/PREFIX", "counts objects and bytes under a prefix",
        options: [Listing.json], example: "lakehouse s3 du s3://silver/ --json",
        place: .appliance { appliance, parsed, streams in
            let place = try ObjectPlace(try parsed.required(0, "s3://BUCKET/PREFIX"))
            var count: Int64 = 0
            var bytes: Int64 = 0
            try appliance.eachObject(place.bucket, place.key, delimiter: nil) {
                count += 1
                bytes += $0.sizeBytes
            }
            Listing.print(
                ["place", "objects", "bytes"], [[.string("\(place)"), .int(count), .int(bytes)]],
                asJSON: parsed.has("json"), streams)
            return 0
        })

    private static let show = Command(
        "s3 cat", arguments: "s3://BUCKET/KEY", "prints an object's bytes",
        example: "lakehouse s3 cat s3://landing/bronze/shop/sales/a.csv",
        place: .here { parsed, streams in
            let files = LocalFileSystem()
            let folder = try files.makeTemporaryDirectory(prefix: "lakehouse-cat")
            defer { try? files.removeTree(folder) }
            var copying = parsed
            let source = try parsed.required(0, "s3://BUCKET/KEY")
            guard source.hasPrefix("s3://") else {
                throw ApplianceError(
                    .usage, "not an object: \(source)", hint: "write s3://bucket/key")
            }
            copying.positional = [source, folder + "/object"]
            // One object is printed: its name is no pattern.
            copying.all.append((ObjectSelection.raw.name, "true"))
            let code = try Self.copying.run("s3 cp", copying, QuietStreams(streams))
            guard code == 0 else { return code }
            let file = try LocalFileReader(path: folder + "/object")
            try file.eachPiece { Terminal.write($0) }
            return 0
        })

    // MARK: Changing

    private static let copying = DataWork(options: [
        recursive, ObjectSelection.raw, Progress.option,
    ]) {
        appliance, parsed, streams in
        try ObjectTransfer(appliance, parsed, streams, removesSource: false).run()
    }
    private static let moving = DataWork(options: [recursive, ObjectSelection.raw, Progress.option])
    {
        appliance, parsed, streams in
        try ObjectTransfer(appliance, parsed, streams, removesSource: true).run()
    }

    private static let copy = copying.command(
        "s3 cp", arguments: "SOURCE TARGET",
        "copies between files and objects, or among objects; s3://b/*.csv means all that fit",
        notes: ObjectSelection.notes,
        example: "lakehouse s3 cp sales.csv s3://landing/bronze/shop/sales/")
    private static let move = moving.command(
        "s3 mv", arguments: "SOURCE TARGET", "moves objects; s3://b/*.csv means all that fit",
        notes: ObjectSelection.notes,
        example: "lakehouse s3 mv s3://landing/a.csv s3://bronze/kept/")

    private static let remove = Command(
        "s3 rm", arguments: "s3://BUCKET/KEY",
        "deletes an object, all that fit a pattern (s3://b/*.csv), or all under a prefix",
        options: [
            recursive, ObjectSelection.raw,
            CommandOption("quiet", letter: "q", "names no objects, only how many there were"),
        ],
        notes: ObjectSelection.notes,
        example: "lakehouse s3 rm s3://landing/bronze/old/ --recursive",
        place: .appliance { appliance, parsed, streams in
            let text = try parsed.required(0, "s3://BUCKET/KEY")
            let place = try ObjectPlace(text)
            let isRaw = parsed.has(ObjectSelection.raw.name)
            let isRecursive = parsed.has("recursive")
            guard isRecursive || (!isRaw && ObjectSelection.isPattern(place.key)) else {
                let location = try place.object()
                guard try appliance.objects.delete(commandContext(), location) else {
                    throw ApplianceError(.notFound, "no such object: \(location)")
                }
                streams.write("deleted \(location)\n")
                return 0
            }
            let keys = try ObjectSelection.find(
                appliance, text, isRecursive: isRecursive, isRaw: isRaw
            ).map(\.location.key)
            for start in stride(from: 0, to: keys.count, by: 1000) {
                let page = Array(keys[start..<min(start + 1000, keys.count)])
                let outcomes = try appliance.objects.delete(
                    commandContext(), bucket: place.bucket, keys: page)
                if !parsed.has("quiet") {
                    let gone = outcomes.lazy.filter { $0.fault == nil }
                    streams.write(
                        gone.map { "deleted s3://\(place.bucket)/\($0.key)\n" }.joined())
                }
                if let fault = outcomes.lazy.compactMap(\.fault).first { throw fault }
            }
            streams.write("deleted \(keys.count) \(keys.count == 1 ? "object" : "objects")\n")
            return 0
        })
}

extension ObjectCommands {
    private static let presign = Command(
        "s3 presign", arguments: "s3://BUCKET/KEY",
        "prints a URL that reads an object without a credential until it expires",
        options: [
            CommandOption("expires", value: "SECONDS", "from 60 to 43,200 (default 3,600)"),
            CommandOption("user", value: "NAME", "in whose name it is read (default admin)"),
        ], example: "lakehouse s3 presign s3://gold/report.pdf --expires 600",
        place: .appliance { appliance, parsed, streams in
            let location = try ObjectPlace(try parsed.required(0, "s3://BUCKET/KEY")).object()
            let seconds = try parsed.count("expires", limit: 43_200) ?? 3600
            let principal = try appliance.identity.principal(
                Appliance.systemContext, named: parsed["user"] ?? "admin")
            let browser = StoreBrowser(
                store: appliance.objects, identity: appliance.identity, clock: appliance.clock,
                zones: appliance.zones, endpoint: appliance.addresses.s3URL)
            let url = try browser.share(
                RequestContext(principal: principal, requestID: "cli", door: .cli),
                StoragePlace(bucket: location.bucket, key: location.key), seconds: seconds)
            streams.write(url + "\n")
            return 0
        })
}

/// Passes complaints on only.
private final class QuietStreams: CommandStreams {
    private let under: any CommandStreams
    init(_ streams: any CommandStreams) { under = streams }
    func write(_ text: String) {}
    func complain(_ text: String) { under.complain(text) }
    func readInput() throws -> [UInt8] { try under.readInput() }
}
