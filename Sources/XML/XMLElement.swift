/// An element: its local name, what stands in it.
package struct XMLElement: Sendable, Hashable {
    /// Without the namespace prefix.
    package var name: String
    /// The character data directly inside, in one piece.
    package var text: String
    package var children: [XMLElement]
    /// Local names and values, in order; namespace declarations are left out.
    package var attributes: [String: String]

    package init(
        name: String, text: String = "", children: [XMLElement] = [],
        attributes: [String: String] = [:]
    ) {
        self.name = name
        self.text = text
        self.children = children
        self.attributes = attributes
    }

    /// The first child of that name.
    package func first(_ name: String) -> XMLElement? { children.first { $0.name == name } }

    /// Every child of that name, in order.
    package func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// The text of the first child of that name.
    package func text(of name: String) -> String? { first(name)?.text }

    /// Reads a document. Throws `.malformed` with the byte offset, `.limitExceeded` past `depthLimit`
    /// or `elementLimit`, `.unsupported` for a document type declaration.
    package init(
        parsing bytes: [UInt8], depthLimit: Int = 32, elementLimit: Int = 200_000
    ) throws(XMLError) {
        var parser = XMLParser(bytes: bytes, depthLimit: depthLimit, elementLimit: elementLimit)
        self = try parser.document()
    }
}
