extension Query {
    /// The statement as listings and the trail show it: one that makes a catalog without its literals,
    /// which may be secrets.
    package var shownSQL: String { SecretText.shown(sql) }
}

/// Statements whose literals are nobody's business.
enum SecretText {
    static func shown(_ sql: String) -> String {
        guard makesCatalog(sql) else { return sql }
        var result = ""
        var isInside = false
        for letter in sql.unicodeScalars {
            if letter == "'" {
                if !isInside { result += "'********'" }
                isInside.toggle()
            } else if !isInside {
                result.unicodeScalars.append(letter)
            }
        }
        return result
    }

    /// Whether CREATE CATALOG is said anywhere, whatever stands between the words, also inside of a text
    /// that EXECUTE IMMEDIATE runs.
    private static func makesCatalog(_ sql: String) -> Bool {
        var last = ""
        var word = ""
        for letter in withoutComments(sql).unicodeScalars {
            if letter.properties.isAlphabetic || letter == "_" {
                word.unicodeScalars.append(letter)
                continue
            }
            if word.isEmpty { continue }
            word = word.lowercased()
            if last == "create", word == "catalog" { return true }
            (last, word) = (word, "")
        }
        return last == "create" && word.lowercased() == "catalog"
    }

    private static func withoutComments(_ sql: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = sql.unicodeScalars[...]
        while let letter = rest.popFirst() {
            if letter == "-", rest.first == "-" {
                rest = rest.drop { $0 != "\n" }
            } else if letter == "/", rest.first == "*" {
                rest = rest.dropFirst()
                while let next = rest.popFirst() {
                    if next == "*", rest.first == "/" {
                        rest = rest.dropFirst()
                        break
                    }
                }
                result.append(" ")
            } else {
                result.append(letter)
            }
        }
        return String(result)
    }
}
