import Testing
import XML

@Suite struct XMLTests {
    @Test func readsWhatS3ClientsSend() throws {
        let text = """
            <?xml version="1.0"?>
            <!-- a comment -->
            <s3:Delete xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/" id='7&lt;'>
              <s3:Object><Key>a&amp;b&#x2f;&#99;</Key></s3:Object>
              <Object><Key><![CDATA[<raw>]]></Key><VersionId/></Object>
              <Quiet>true</Quiet>
            </s3:Delete>
            """
        let root = try XMLElement(parsing: Array(text.utf8))
        #expect(root.name == "Delete")
        #expect(root.attributes == ["id": "7<"])
        #expect(root.all("Object").map { $0.text(of: "Key") } == ["a&b/c", "<raw>"])
        #expect(root.all("Object").last?.text(of: "VersionId") == "")
        #expect(root.text(of: "Quiet") == "true")
    }

    @Test(
        "refuses what is broken",
        arguments: [
            "", "   ", "text", "<a>", "<a></b>", "<a></a><b/>", "</a>", "<a><b></a></b>",
            "<a b></a>",
            "<a b=c/>", "<a b='<'/>", "<a>&nope;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>",
            "<a>&amp</a>",
            "<a", "<a/", "<1/>", "<!-- x", "<a><![CDATA[x</a>", "<a b='x", "<a>&", "<?xml", "< a/>",
            "<a x:3=''/>", "<a :b=''/>", "<:a/>",
        ])
    func broken(text: String) {
        let fault = #expect(throws: XMLError.self) { try XMLElement(parsing: Array(text.utf8)) }
        #expect(fault?.code == .malformed)
    }

    @Test func refusesTextThatIsNotUTF8() {
        let fault = #expect(throws: XMLError.self) {
            try XMLElement(parsing: Array("<a>".utf8) + [0xFF] + Array("</a>".utf8))
        }
        #expect(fault?.code == .malformed)
    }

    @Test func refusesDocumentTypes() {
        let text = "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"
        let fault = #expect(throws: XMLError.self) { try XMLElement(parsing: Array(text.utf8)) }
        #expect(fault?.code == .unsupported)
    }

    @Test func limitsDepthAndNumber() {
        let deep = String(repeating: "<a>", count: 100_000)
        let wide = "<r>" + String(repeating: "<a/>", count: 20) + "</r>"
        for (text, elements) in [(deep, 200_000), (wide, 10)] {
            let fault = #expect(throws: XMLError.self) {
                try XMLElement(parsing: Array(text.utf8), elementLimit: elements)
            }
            #expect(fault?.code == .limitExceeded)
        }
    }

    @Test func whatIsWrittenReadsBackEqual() throws {
        var writer = XMLWriter()
        let hard = "a<b>&\"c'\r\n\té\u{1F600}"
        writer.element("Root", attributes: [("xmlns", "urn:x"), ("q", "\"")]) { writer in
            writer.element("Key", hard)
            writer.element("Plain", "a b\t\n/é")
            writer.element("Tag", quoted: "x&y")
            writer.element("Size", 12)
            writer.element("None", nil as String?)
        }
        let root = try XMLElement(parsing: writer.bytes)
        #expect(root.text(of: "Key") == hard)
        #expect(root.text(of: "Plain") == "a b\t\n/é")
        #expect(root.text(of: "Tag") == "\"x&y\"")
        #expect(root.text(of: "Size") == "12")
        #expect(root.first("None") == nil)
        #expect(root.attributes == ["q": "\""])
    }

    @Test func everyPrefixOfADocumentIsAFaultAndNoTrap() {
        let text = Array("<a b='1&lt;'><c>&#65;</c><![CDATA[x]]><!-- y --><d/></a>".utf8)
        for count in 0..<text.count {
            #expect(throws: XMLError.self) { try XMLElement(parsing: Array(text[..<count])) }
        }
    }
}
