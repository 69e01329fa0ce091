import CivilTime
import Diagnostics

/// What a visitor has chosen: the filters with values and the moment that is looked at. It is all in the
/// query of the address, so that a link shows the next person the same view, with their own rights.
///
///     ?region=North&region=South&day=2026-11-01..2026-11-07&at=2026-11-20T03:00:00Z
package struct FilterState: Sendable, Hashable {
    /// The chosen values by filter; nil stands for NULL (`region.none=1` in an address).
    private var chosen: [String: [String?]] = [:]
    /// Microseconds since 1970 UTC of the state of the tables that is shown; nil: the present one.
    package var at: Int64?
    /// The tag whose state is shown (`at=tag:year-end`); nil: no tag.
    package var tag: String?

    package init() {}

    /// Whether a state of before is shown.
    package var isPast: Bool { at != nil || tag != nil }

    /// Reads the pairs of an address. A filter that the document does not have is a fault, for numbers that
    /// nothing narrowed would be taken for others; so is a value that its filter cannot take.
    package init(
        _ pairs: [(name: String, value: String)], _ filters: [DashboardFilter]
    ) throws(DashboardError) {
        for (name, _) in pairs { try Self.requireKnown(name, filters) }
        for (name, value) in Self.joined(pairs, filters) {
            if name == "at" {
                guard !value.isEmpty else { continue }
                if value.hasPrefix("tag:"), value.utf8.count <= DashboardLimits.filterBytes {
                    tag = String(value.dropFirst(4))
                    continue
                }
                guard let moment = CivilParse.rfc3339(value) else {
                    throw DashboardError(
                        code: .invalidFilter,
                        message: "not a moment: at=\(value.prefix(60))",
                        hint: "write it as 2026-11-21T14:00:00Z, or tag:NAME")
                }
                at = moment
                continue
            }
            let isNull = name.hasSuffix(".none")
            let id = isNull ? String(name.dropLast(5)) : name
            // An empty field of a form chooses nothing.
            guard !value.isEmpty, let filter = filters.first(where: { $0.id == id }) else {
                continue
            }
            let stored = isNull ? nil : value
            guard value.utf8.count <= DashboardLimits.filterBytes,
                chosen[id, default: []].count < DashboardLimits.filterValues
            else {
                throw DashboardError(
                    code: .limitExceeded,
                    message: "the filter \(id) has too many or too long values",
                    hint: "at most \(DashboardLimits.filterValues) of "
                        + "\(DashboardLimits.filterBytes) bytes")
            }
            if let stored { _ = try FilterCondition(filter, [stored]) }
            if chosen[id]?.contains(stored) == true { continue }
            if filter.kind == .multiple {
                chosen[id, default: []].append(stored)
            } else {
                chosen[id] = [stored]
            }
        }
    }

    private static func requireKnown(
        _ name: String, _ filters: [DashboardFilter]
    ) throws(DashboardError) {
        if name == "at" { return }
        var id = name
        for end in [".none", ".from", ".to"] where name.hasSuffix(end) {
            id = String(name.dropLast(end.count))
            break
        }
        if filters.contains(where: { $0.id == name || $0.id == id }) { return }
        let known = filters.map(\.id)
        let near = nearestName(to: id, among: known).map { "did you mean \($0)? " } ?? ""
        throw DashboardError(
            code: .invalidFilter,
            message: "the dashboard has no filter \(name.prefix(60))",
            hint: near
                + (known.isEmpty
                    ? "it has none" : "it has \(known.joined(separator: ", "))")
                + "; at=TIME shows a state of before")
    }

    /// Forms send the two ends of a range apart, as `day.from` and `day.to`.
    private static func joined(
        _ pairs: [(name: String, value: String)], _ filters: [DashboardFilter]
    ) -> [(name: String, value: String)] {
        var result = pairs
        for filter in filters where filter.kind == .dateRange || filter.kind == .numberRange {
            let ends = [".from", ".to"].map { end in
                pairs.last { $0.name == filter.id + end }?.value ?? ""
            }
            if ends != ["", ""] { result.append((filter.id, ends.joined(separator: ".."))) }
        }
        return result
    }

    /// The two ends of a chosen range; empty where an end is open.
    package func ends(_ id: String) -> (lower: String, upper: String) {
        guard case let value?? = values(id).first, let dots = value.firstRange(of: "..") else {
            return ("", "")
        }
        return (String(value[..<dots.lowerBound]), String(value[dots.upperBound...]))
    }

    /// The chosen values of a filter; nil stands for NULL.
    package func values(_ id: String) -> [String?] { chosen[id] ?? [] }

    /// Whether anything narrows the tiles.
    package var isEmpty: Bool { chosen.isEmpty && !isPast }

    /// This state with one value of a filter chosen, or no more chosen where it was.
    package func toggling(_ value: String?, of filter: DashboardFilter) -> FilterState {
        var next = self
        var values = self.values(filter.id)
        if let place = values.firstIndex(of: value) {
            values.remove(at: place)
        } else if filter.kind == .multiple {
            values.append(value)
        } else {
            values = [value]
        }
        next.chosen[filter.id] = values.isEmpty ? nil : values
        return next
    }

    /// This state with nothing chosen of one filter.
    package func clearing(_ id: String) -> FilterState {
        var next = self
        next.chosen[id] = nil
        return next
    }

    /// This state at another moment.
    package func moved(to at: Int64?) -> FilterState {
        var next = self
        next.at = at
        return next
    }

    /// The pairs of the address, in the order of the document's filters: the same state always has the
    /// same address.
    package func pairs(_ filters: [DashboardFilter]) -> [(String, String)] {
        var pairs: [(String, String)] = []
        for filter in filters {
            for value in values(filter.id) {
                if let value {
                    pairs.append((filter.id, value))
                } else {
                    pairs.append((filter.id + ".none", "1"))
                }
            }
        }
        if let at { pairs.append(("at", CivilFormat.rfc3339(utc: at, precision: 6))) }
        if let tag { pairs.append(("at", "tag:" + tag)) }
        return pairs
    }
}
