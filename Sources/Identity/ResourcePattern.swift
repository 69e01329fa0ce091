package import Authority

/// What a grant is about: `*`, or a kind and a path such as `table:silver/sales/*`.
///
/// Levels are parted by `/`. In a level `*` stands for any characters; the level `**` stands for any
/// number of levels. `kind:*` alone means everything of the kind.
package struct ResourcePattern: Sendable, Hashable {
    /// The pattern as written.
    package let text: String
    private let kind: Resource.Kind?
    /// nil: any path.
    private let levels: [[UInt8]]?

    /// Reads a pattern; throws `.invalidValue` for an unknown kind or an empty level.
    package init(_ text: String) throws(IdentityError) {
        self.text = text
        if text == "*" {
            kind = nil
            levels = nil
            return
        }
        let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, text.utf8.count <= Limits.textBytes,
            let kind = Resource.Kind(rawValue: String(halves[0]))
        else {
            throw IdentityError(
                code: .invalidValue, message: "not a resource pattern: \(text)",
                hint: "write * or KIND:PATH, such as table:silver/sales/* or object:raw/**")
        }
        self.kind = kind
        if halves[1] == "*" || halves[1] == "**" {
            levels = nil
            return
        }
        // Names in the catalog mean the same in any case: a denial holds however the name is written.
        let path = kind.foldsCase ? halves[1].lowercased() : String(halves[1])
        let parts = path.isEmpty ? [] : Self.split(Array(path.utf8))
        guard parts.dropLast().allSatisfy({ !$0.isEmpty }), parts.count <= 64 else {
            throw IdentityError(
                code: .invalidValue, message: "a resource pattern has an empty level: \(text)",
                hint: "levels are parted by one slash")
        }
        levels = parts
    }

    /// Whether the resource is meant.
    package func matches(_ resource: Resource) -> Bool {
        if let kind, kind != resource.kind { return false }
        guard let levels else { return true }
        if resource.path.isEmpty { return Self.match(levels[...], []) }
        var text = resource.path.joined(separator: "/")
        if resource.kind.foldsCase, text.utf8.contains(where: { $0 >= 0x80 || isUpperCase($0) }) {
            text = text.lowercased()
        }
        return Self.match(levels[...], Self.split(Array(text.utf8))[...])
    }

    /// Whether something of the kind below a place may be meant.
    func reaches(_ kind: Resource.Kind, inside place: [String]) -> Bool {
        if let own = self.kind, own != kind { return false }
        guard let levels else { return true }
        for (index, name) in place.enumerated() {
            guard index < levels.count else { return false }
            if levels[index] == [0x2A, 0x2A] { return true }
            let name = kind.foldsCase ? name.lowercased() : name
            guard Self.matchLevel(levels[index], Array(name.utf8)) else { return false }
        }
        return levels.count > place.count
    }

    private static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Array.init)
    }

    /// Greedy with one place to come back to: the last `**`. O(pattern · path).
    private static func match(_ pattern: ArraySlice<[UInt8]>, _ path: ArraySlice<[UInt8]>) -> Bool {
        var p = pattern.startIndex
        var q = path.startIndex
        var retry: (pattern: Int, path: Int)?
        while q < path.endIndex {
            if p < pattern.endIndex, pattern[p] == [0x2A, 0x2A] {
                retry = (p + 1, q)
                p += 1
            } else if p < pattern.endIndex, matchLevel(pattern[p], path[q]) {
                p += 1
                q += 1
            } else if let again = retry {
                retry = (again.pattern, again.path + 1)
                p = again.pattern
                q = again.path + 1
            } else {
                return false
            }
        }
        while p < pattern.endIndex, pattern[p] == [0x2A, 0x2A] { p += 1 }
        return p == pattern.endIndex
    }

    private static func matchLevel(_ pattern: [UInt8], _ level: [UInt8]) -> Bool {
        var p = 0
        var q = 0
        var retry: (pattern: Int, level: Int)?
        while q < level.count {
            if p < pattern.count, pattern[p] == 0x2A {
                retry = (p + 1, q)
                p += 1
            } else if p < pattern.count, pattern[p] == level[q] {
                p += 1
                q += 1
            } else if let again = retry {
                retry = (again.pattern, again.level + 1)
                p = again.pattern
                q = again.level + 1
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == 0x2A { p += 1 }
        return p == pattern.count
    }
}

private func isUpperCase(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5A }

extension Resource.Kind {
    /// Whether names of the kind differ by case alone; those of the catalog do not.
    fileprivate var foldsCase: Bool {
        switch self {
        case .warehouse, .namespace, .table, .view, .model: true
        case .bucket, .object, .query, .pipeline, .dashboard, .identity, .ledger, .system: false
        }
    }
}

/// Which actions a grant is about: `table.select`, `table.*` or `*`.
package struct ActionPattern: Sendable, Hashable {
    /// The pattern as written.
    package let text: String

    /// Reads a pattern; throws `.invalidValue` when it means no action.
    package init(_ text: String) throws(IdentityError) {
        self.text = text
        if actions.isEmpty {
            throw IdentityError(
                code: .invalidValue, message: "not an action: \(text)",
                hint: "write *, an action such as table.select, or a family such as table.*")
        }
    }

    /// The actions it means.
    package var actions: [Action] {
        if text == "*" { return Action.allCases }
        if text.hasSuffix(".*") {
            let family = text.dropLast()
            return Action.allCases.filter { $0.rawValue.hasPrefix(family) }
        }
        return Action(rawValue: text).map { [$0] } ?? []
    }
}
