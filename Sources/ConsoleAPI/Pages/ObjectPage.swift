import Authority
import Dashboards
import HTTPMessages

extension StoragePages {
    /// For how long a link may be shared, in seconds.
    static let shareTimes = [(900, "15 minutes"), (3600, "1 hour"), (43200, "12 hours")]

    var objectRoutes: [Route] {
        [
            pages.page("/storage/{bucket}/object", .storage) { request, path, visitor in
                try objectPage(place(path, request.queryItems), visitor)
            },
            pages.form("/storage/{bucket}/share", .storage) { form, path, visitor in
                let place = try place(path, form)
                guard let seconds = form["seconds"].flatMap({ Int($0) }),
                    Self.shareTimes.contains(where: { $0.0 == seconds })
                else { throw ConsoleNotFound("there is no such time", hint: "choose one listed") }
                let link = try storage.share(visitor.context, place, seconds: seconds)
                return pages.layout(
                    try objectPage(place, visitor, link: (link, seconds)), .storage, visitor)
            },
            pages.form("/storage/{bucket}/delete", .storage) { form, path, visitor in
                let place = try place(path, form)
                try storage.delete(visitor.context, place)
                return .redirect(to: listPath(place.bucket, prefix: parent(of: place.key)))
            },
        ]
    }

    private func objectPage(
        _ place: StoragePlace, _ visitor: ConsoleVisitor, link: (url: String, seconds: Int)? = nil
    ) throws -> Page {
        let object = try storage.object(visitor.context, place)
        let prefix = parent(of: place.key)
        let name = tail(place.key, prefix)
        var body: Markup = """
            <div class="head"><h1>\(name)</h1>\
            <a class="button" href="\(objectPath(place, "download"))">Download</a></div>
            <dl class="facts">\(facts(place, object))</dl>
            \(try preview(place, object, visitor))
            <div class="columns">
            \(shareCard(place, visitor, link))
            \(readersCard(place, visitor))
            </div>
            \(try versionsCard(place, visitor))
            """
        if !object.details.isEmpty {
            let rows = object.details.map { detail -> [Markup] in
                ["\(detail.name)", "<code>\(detail.value)</code>"]
            }
            let table = plainTable(["Name", "Value"], rows, label: "Details")
            body += card("details", "Details", table)
        }
        body += card(
            "remove", "Delete",
            """
            <form method="post" action="\(bucketPath(place.bucket))/delete">\
            \(csrfField(visitor))\(hidden(place))\
            <button type="submit" class="danger">Delete \
            \(place.version == nil ? "the object" : "this version")</button></form>
            <p class="note">A bucket that keeps versions keeps those that were before.</p>
            """)
        return Page(
            title: name, body: body,
            trail: trail(place.bucket, prefix) + [(name, objectPath(place))])
    }

    private func facts(_ place: StoragePlace, _ object: StorageObject) -> Markup {
        func fact(_ name: Markup, _ value: Markup) -> Markup {
            "<div><dt>\(name)</dt><dd>\(value)</dd></div>"
        }
        var facts =
            fact("Size", "\(byteText(object.entry.sizeBytes))")
            + fact("Changed", moment(object.entry.modifiedMicroseconds, now: pages.now))
            + fact("Type", "\(object.contentType ?? "not said")")
            + fact("Owner", "\(object.owner)")
        if let version = place.version { facts += fact("Version", "<code>\(version)</code>") }
        return facts
    }

    private func preview(
        _ place: StoragePlace, _ object: StorageObject, _ visitor: ConsoleVisitor
    ) throws -> Markup {
        let content: Markup
        switch try storage.preview(visitor.context, place) {
        case .text(let text, let hasMore):
            content = """
                <pre class="code" tabindex="0">\(text)</pre>
                \(hasMore ? "<p class=\"note\">The beginning; the download has all.</p>" : Markup())
                """
        case .rows(let data):
            let heads = data.columns.map { "\($0.name) \($0.type)" }
            let rows = data.rows.map { row in row.map { "\($0.plainText)" as Markup } }
            content =
                plainTable(heads, rows, label: "First rows")
                + "<p class=\"note\">The first \(countText(data.rows.count)) rows.</p>"
        case .image:
            content = """
                <img class="preview" src="\(objectPath(place, "image"))" alt="\(place.key)">
                """
        case .none(let reason):
            content = "<p class=\"empty\">\(reason)</p>"
        }
        return card("preview", "Preview", content)
    }

    private func shareCard(
        _ place: StoragePlace, _ visitor: ConsoleVisitor, _ link: (url: String, seconds: Int)?
    ) -> Markup {
        let times = Self.shareTimes.map {
            "<option value=\"\($0.0)\">\($0.1)</option>" as Markup
        }
        var content: Markup = """
            <form class="controls" method="post" action="\(bucketPath(place.bucket))/share">\
            \(csrfField(visitor))\(hidden(place))\
            <label>Whoever has the link may read for <select name="seconds">\(times)</select></label>\
            <button type="submit">Make a link</button></form>

            """
        if let link {
            let time = Self.shareTimes.first { $0.0 == link.seconds }?.1 ?? ""
            content += """
                <p class="done" role="status">For \(time), with your rights at the time of reading:</p>
                <p><input class="link" readonly="readonly" value="\(link.url)" aria-label="Link"></p>

                """
        }
        return card("share", "Share", content)
    }

    private func readersCard(_ place: StoragePlace, _ visitor: ConsoleVisitor) -> Markup {
        let readers: [StorageReader]
        do { readers = try storage.readers(visitor.context, place) } catch {
            return card(
                "readers", "Who may see this",
                "<p class=\"empty\">Whoever looks after identities may ask.</p>")
        }
        let rows = readers.map { reader -> [Markup] in
            [
                "\(reader.name)", stateBadge(reader.isAllowed ? "allowed" : "refused"),
                "\(reader.reason)",
            ]
        }
        return card(
            "readers", "Who may see this",
            plainTable(["Who", "May read", "Why"], rows, label: "Readers"))
    }

    private func versionsCard(_ place: StoragePlace, _ visitor: ConsoleVisitor) throws -> Markup {
        let versions = try storage.versions(
            visitor.context, place, limit: Limits.listedVersions)
        guard versions.count > 1 || versions.contains(where: \.isDeletion) else { return Markup() }
        let rows = versions.map { version -> [Markup] in
            var there = place
            there.version = version.id
            let id: Markup = "<code>\(version.id)</code>"
            return [
                version.isDeletion ? id : "<a href=\"\(objectPath(there))\">\(id)</a>",
                version.isDeletion
                    ? "<span class=\"badge bad\">deleted</span>"
                    : "\(byteText(version.sizeBytes))",
                dated(version.modifiedMicroseconds),
                version.isCurrent ? "<span class=\"badge good\">current</span>" : Markup(),
            ]
        }
        return card(
            "versions", "Versions",
            plainTable(["Version", "Size", "Time", ""], numeric: [1], rows, label: "Versions"))
    }

    private func card(_ id: Markup, _ title: Markup, _ content: Markup) -> Markup {
        """
        <section class="card" aria-labelledby="\(id)"><h2 id="\(id)">\(title)</h2>
        \(content)
        </section>

        """
    }

    private func hidden(_ place: StoragePlace) -> Markup {
        let key: Markup = "<input type=\"hidden\" name=\"key\" value=\"\(place.key)\">"
        guard let version = place.version else { return key }
        return key + "<input type=\"hidden\" name=\"version\" value=\"\(version)\">"
    }
}
