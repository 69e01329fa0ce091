import Vectors

/// Functions that read text without a trained model: offline, deterministic, the same everywhere.
///
/// `ai_anomaly`, `ai_anomaly_explain` and `ai_predict` take a model, which the binder finds by its
/// name; they stand here for listings and suggestions, and the binder puts the model's own function in
/// their place (`PlannedModel`).
enum AIFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction(
            "ai_sentiment", [.text], .double,
            "The mood of an English text from -1 to 1: VADER's compound score, four decimals.",
            example: "ai_sentiment('the book was very good!')",
            kernel: { call in
                var analyzer = SentimentAnalyzer()
                let texts = call.input(0, as: Text.self)
                call.rows { row in analyzer.sentiment(of: texts[row]).compound }
            }),
        ScalarFunction(
            "ai_sentiment_detail", [.text],
            .row(
                ["negative", "neutral", "positive", "compound"].map {
                    RowField(name: $0, type: .double)
                }),
            "VADER's shares of negative, neutral and positive words, and its compound score.",
            example: "ai_sentiment_detail('the book was very good!')",
            kernel: sentimentDetail),
        ScalarFunction(
            "ai_classify", [.text, .array(.text)], .text,
            """
            The label that fits a text best, by its words and those that a label names after a colon \
            ('billing: invoice, refund'); NULL where none fits. Labels that are all of positive, \
            negative and neutral are decided by the sentiment.
            """,
            example: "ai_classify('please refund my invoice', ARRAY['billing: invoice', 'login'])",
            canFail: true, kernel: classify),
        ScalarFunction(
            "ai_mask", [.text], .text,
            "The text with e-mail addresses, card, account, phone and social security numbers and "
                + "IP addresses replaced by their kind.",
            example: "ai_mask('write to ann@example.com')",
            kernel: { call in
                var masker = PersonalDataMasker(kinds: PersonalDataMasker.Kind.allCases)
                let texts = call.input(0, as: Text.self)
                let output = Output(call)
                call.forEachRow { row in masker.mask(texts[row], row, output) }
            }),
        ScalarFunction(
            "ai_mask", [.text, .array(.text)], .text,
            "The text with these kinds replaced: card, email, iban, ip, phone, ssn.",
            example: "ai_mask('write to ann@example.com', ARRAY['email'])", canFail: true,
            kernel: maskKinds),
        model(
            "ai_anomaly", "double",
            "How unusual a row is to an isolation forest, from 0 to 1; above 0.5 stands out.",
            example: "ai_anomaly('lakehouse.bank.fraud_iforest', amount, kmh)"),
        model(
            "ai_anomaly_explain", "map(varchar, double)",
            "What each feature adds to log2 of the anomaly score, largest first.",
            example: "ai_anomaly_explain('lakehouse.bank.fraud_iforest', amount, kmh)"),
        model(
            "ai_predict", "boolean, double or bigint",
            "What a model says of a row: an outlier or not, a probability, or a cluster's number.",
            example: "ai_predict('lakehouse.bank.churn', age, balance)"),
    ]

    /// A function that the binder replaces by the model's; calling it without one is an error there.
    private static func model(
        _ name: String, _ result: String, _ summary: String, example: String
    ) -> ScalarFunction {
        ScalarFunction(
            name, .rule(parameters: "model, features…", result: result) { _ in nil }, summary,
            example: example,
            kernel: { call in call.context.fail(invalid("\(name) needs the name of a model")) })
    }

    private static let sentimentDetail: ScalarFunction.Kernel = { call in
        var analyzer = SentimentAnalyzer()
        let texts = call.input(0, as: Text.self)
        let builder = ColumnBuilder(call.resultType, Output(call))
        call.forEachRow { row in
            builder.skip(to: row)
            guard builder.reserve() != nil else { return }
            let sentiment = analyzer.sentiment(of: texts[row])
            builder.children[0].push(sentiment.negative)
            builder.children[1].push(sentiment.neutral)
            builder.children[2].push(sentiment.positive)
            builder.children[3].push(sentiment.compound)
        }
        builder.finish(call)
    }

    private static let classify: ScalarFunction.Kernel = { call in
        let texts = call.input(0, as: Text.self)
        let labels = ListInput(call, 1)
        var classifier = LabelClassifier()
        call.rows { row -> [UInt8]? in
            try classifier.use(try strings(labels, row, "label"))
            return classifier.label(for: texts[row])
        }
    }

    private static let maskKinds: ScalarFunction.Kernel = { call in
        let texts = call.input(0, as: Text.self)
        let lists = ListInput(call, 1)
        let output = Output(call)
        var known: [[UInt8]] = []
        var masker = PersonalDataMasker(kinds: [])
        call.forEachRow { row in
            do {
                let names = try strings(lists, row, "kind")
                if names != known {
                    masker = PersonalDataMasker(kinds: try names.map(PersonalDataMasker.kind))
                    known = names
                }
                masker.mask(texts[row], row, output)
            } catch {
                call.fail(error)
                output.setNull(row)
            }
        }
    }

    /// The elements of an array of texts.
    private static func strings(
        _ list: ListInput, _ row: Int, _ what: String
    ) throws -> [[UInt8]] {
        let elements = list.elements
        return try list.rows(row).map { place in
            guard elements.isValid(place) else { throw invalid("a \(what) cannot be NULL") }
            return elements.string(place).withBytes { Array($0) }
        }
    }
}
