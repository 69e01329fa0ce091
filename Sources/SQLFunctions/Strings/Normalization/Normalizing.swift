@_spi(_Unicode) import Swift
import Vectors

/// The four normalization forms. Source: Unicode Standard Annex #15.
enum NormalizationForm: String {
    case nfc = "NFC"
    case nfd = "NFD"
    case nfkc = "NFKC"
    case nfkd = "NFKD"

    /// The text in this form.
    func normalized(_ text: Text) -> String {
        // ASCII is itself in every form.
        if text.allSatisfy({ $0 < 0x80 }) { return text.string }
        var source = text.string
        if self == .nfkc || self == .nfkd { source = Self.mapped(source) }
        var result = String.UnicodeScalarView()
        if self == .nfc || self == .nfkc {
            result.append(contentsOf: source._nfc)
        } else {
            result.append(contentsOf: source._nfd)
        }
        return String(result)
    }

    private static func mapped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if let mapping = CompatibilityMappings.table[scalar.value] {
                result.append(contentsOf: mapping)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }
}

extension ScalarFunction {
    static let normalizing: [ScalarFunction] = [
        ScalarFunction(
            "normalize", [.text], .text, "The string in the normalization form NFC.",
            example: "normalize(U&'e\\0301')",
            kernel: unary { (text: Text) in NormalizationForm.nfc.normalized(text) }),
        ScalarFunction(
            "normalize", [.text, .text], .text,
            "The string in a normalization form: NFC, NFD, NFKC or NFKD.",
            example: "normalize(U&'\\FB01', NFKC)", canFail: true,
            kernel: binary { (text: Text, name: Text) -> String in
                guard let form = NormalizationForm(rawValue: name.string.uppercased()) else {
                    throw invalid("Normalization form must be one of [NFD, NFC, NFKD, NFKC]")
                }
                return form.normalized(text)
            }),
    ]
}
