/// A text in the plain part of Markdown as HTML: headings, paragraphs, lists, quotes, code, rules,
/// emphasis, links. Raw HTML is shown as text. Links lead within the console or to http and https.
///
/// Source: CommonMark 0.31, sections 4 and 5 without nesting, 6.1 to 6.5.
package func markdown(_ text: String) -> Markup {
    var blocks = Markup()
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        .map(String.init)
    var index = 0
    func trimmed(_ at: Int) -> Substring { lines[at].drop { $0 == " " } }
    while index < lines.count {
        let line = trimmed(index)
        if line.isEmpty {
            index += 1
        } else if line.hasPrefix("```") {
            var code: [String] = []
            index += 1
            while index < lines.count, !trimmed(index).hasPrefix("```") {
                code.append(lines[index])
                index += 1
            }
            index += 1
            blocks += "<pre class=\"code\">\(code.joined(separator: "\n"))</pre>\n"
        } else if let (level, title) = heading(line) {
            // Below the page's and the tile's own headings.
            let name: Markup = level == 1 ? "h3" : level == 2 ? "h4" : "h5"
            blocks += "<\(name)>\(inline(title))</\(name)>\n"
            index += 1
        } else if isRule(line) {
            blocks += "<hr>\n"
            index += 1
        } else if line.hasPrefix(">") {
            var quoted: [String] = []
            while index < lines.count, trimmed(index).hasPrefix(">") {
                quoted.append(String(trimmed(index).dropFirst()))
                index += 1
            }
            blocks += "<blockquote>\(inline(quoted.joined(separator: "\n")[...]))</blockquote>\n"
        } else if let kind = listItem(line)?.kind {
            var items = Markup()
            while index < lines.count, let item = listItem(trimmed(index)), item.kind == kind {
                items += "<li>\(inline(item.text))</li>\n"
                index += 1
            }
            blocks += kind == .bullets ? "<ul>\n\(items)</ul>\n" : "<ol>\n\(items)</ol>\n"
        } else {
            var paragraph: [String] = []
            while index < lines.count, !trimmed(index).isEmpty, heading(trimmed(index)) == nil,
                listItem(trimmed(index)) == nil, !trimmed(index).hasPrefix(">"),
                !trimmed(index).hasPrefix("```"), !isRule(trimmed(index))
            {
                paragraph.append(lines[index])
                index += 1
            }
            blocks += "<p>\(inline(paragraph.joined(separator: "\n")[...]))</p>\n"
        }
    }
    return "<div class=\"prose\">\n\(blocks)</div>"
}

private enum ListKind { case bullets, numbers }

private func heading(_ line: Substring) -> (level: Int, title: Substring)? {
    let level = line.prefix { $0 == "#" }.count
    let rest = line.dropFirst(level)
    guard (1...6).contains(level), rest.isEmpty || rest.first == " " else { return nil }
    return (level, rest.drop { $0 == " " })
}

private func isRule(_ line: Substring) -> Bool {
    let marks = line.filter { $0 != " " }
    return marks.count >= 3
        && ["-", "*", "_"].contains { mark in marks.allSatisfy { "\($0)" == mark } }
}

private func listItem(_ line: Substring) -> (kind: ListKind, text: Substring)? {
    if let first = line.first, "-*+".contains(first), line.dropFirst().first == " " {
        return (.bullets, line.dropFirst(2))
    }
    let digits = line.prefix { $0.isASCII && $0.isNumber }
    let rest = line.dropFirst(digits.count)
    guard (1...9).contains(digits.count), rest.hasPrefix(". ") || rest.hasPrefix(") ") else {
        return nil
    }
    return (.numbers, rest.dropFirst(2))
}

/// Emphasis, code and links of a line of text. A mark without its partner stays a letter.
private func inline(_ text: Substring) -> Markup {
    var result = Markup()
    var rest = text
    var plain = ""
    func flush() {
        result += Markup(escaping: plain)
        plain = ""
    }
    /// Takes `mark … mark` from the front and gives what is between.
    func between(_ mark: String) -> Substring? {
        guard rest.hasPrefix(mark) else { return nil }
        let inner = rest.dropFirst(mark.count)
        guard let end = inner.firstRange(of: mark), end.lowerBound > inner.startIndex,
            inner.first?.isWhitespace == false
        else { return nil }
        rest = inner[end.upperBound...]
        return inner[..<end.lowerBound]
    }
    while let letter = rest.first {
        if letter == "\\", let next = rest.dropFirst().first, next.isPunctuation || next.isSymbol {
            plain.append(next)
            rest = rest.dropFirst(2)
        } else if let code = between("`") {
            flush()
            result += "<code>\(code)</code>"
        } else if let strong = between("**") {
            flush()
            result += "<strong>\(inline(strong))</strong>"
        } else if let emphasis = between("*") ?? (isWordStart(plain) ? between("_") : nil) {
            flush()
            result += "<em>\(inline(emphasis))</em>"
        } else if letter == "[", let link = link(rest) {
            flush()
            result += "<a href=\"\(link.target)\">\(inline(link.text))</a>"
            rest = link.rest
        } else {
            plain.append(letter)
            rest = rest.dropFirst()
        }
    }
    flush()
    return result
}

private func isWordStart(_ before: String) -> Bool {
    before.last.map { !$0.isLetter && !$0.isNumber } ?? true
}

/// `[text](target)`, where the target is of a kind that no script can hide in.
private func link(
    _ text: Substring
) -> (text: Substring, target: String, rest: Substring)? {
    guard let middle = text.firstRange(of: "]("),
        let end = text[middle.upperBound...].firstIndex(of: ")")
    else { return nil }
    let target = String(text[middle.upperBound..<end])
    let isSafe =
        (target.hasPrefix("/") && !target.hasPrefix("//")) || target.hasPrefix("#")
        || target.hasPrefix("https://") || target.hasPrefix("http://")
    guard isSafe, !target.contains(where: \.isWhitespace) else { return nil }
    return (
        text[text.index(after: text.startIndex)..<middle.lowerBound], target,
        text[text.index(after: end)...]
    )
}
