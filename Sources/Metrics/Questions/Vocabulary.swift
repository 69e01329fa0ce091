/// The words of one model for one asker: metrics, dimensions, and the values that the asker may see.
struct Vocabulary {
    /// What a phrase may mean.
    private var meanings: [String: [Item.Kind]] = [:]
    /// Single words of all phrases, for spelling; with their stems.
    private(set) var words: Set<String> = []
    /// Words of the longest phrase.
    private(set) var phraseLimit = 1
    /// Values by their exact text, for quoted ones.
    private var exact: [String: [Item.Kind]] = [:]

    /// The names of metrics that count.
    private(set) var counts: Set<String> = []

    static let wordLimit = 8

    init(_ model: MetricModel, values: [String: [String]]) {
        for metric in model.metrics {
            let isCount = metric.counts(in: model)
            for name in [metric.label, spoken(metric.name)] + metric.synonyms {
                add(name, .metric(metric.name))
                if isCount { counts.insert(Tokenizer.phrase(name)) }
            }
        }
        for dimension in model.dimensions {
            for name in [dimension.label, spoken(dimension.name)] + dimension.synonyms {
                add(name, .dimension(dimension.name))
            }
            for value in values[dimension.name] ?? [] {
                let kind = Item.Kind.value(dimension: dimension.name, value: value)
                exact[value, default: []].append(kind)
                add(value, kind)
                for synonym in dimension.valueSynonyms[value] ?? [] { add(synonym, kind) }
            }
        }
    }

    private mutating func add(_ name: String, _ kind: Item.Kind) {
        let phrase = Tokenizer.phrase(name)
        let parts = phrase.split(separator: " ")
        guard !phrase.isEmpty, parts.count <= Vocabulary.wordLimit else { return }
        phraseLimit = max(phraseLimit, parts.count)
        if meanings[phrase]?.contains(kind) ?? false { return }
        meanings[phrase, default: []].append(kind)
        for part in parts where part.contains(where: \.isLetter) { words.insert(String(part)) }
    }

    /// What stemmed words mean, together.
    func meanings(of phrase: String) -> [Item.Kind] { meanings[phrase] ?? [] }

    /// Values that are written exactly so.
    func values(exactly text: String) -> [Item.Kind] { exact[text] ?? [] }
}
