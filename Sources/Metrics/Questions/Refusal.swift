/// Why a question is not answered, and what would be.
package struct Refusal: Error, Sendable, Hashable {
    /// Stable names.
    package enum Code: String, Sendable {
        /// A command, SQL, or something too long.
        case notAQuestion = "ask.not_a_question"
        /// Words that nothing in the model or the grammar explains.
        case unexplained = "ask.unexplained_words"
        /// Nothing to compute was named.
        case noMetric = "ask.no_metric"
        /// Known words, in a way that has no meaning here.
        case cannotCombine = "ask.cannot_combine"
        /// It goes on from a question that was not given.
        case noContext = "ask.no_context"
        /// The model cannot answer it.
        case notAnswerable = "ask.not_answerable"
        /// The asker may not.
        case denied = "ask.denied"
        /// There is no model to ask.
        case noModel = "ask.no_model"
    }

    package var code: Code
    package var message: String
    /// The words that are to blame, as typed.
    package var words: [String]
    package var suggestions: [String]

    /// A refusal with its words.
    package init(
        _ code: Code, _ message: String, words: [String] = [], suggestions: [String] = []
    ) {
        self.code = code
        self.message = message
        self.words = words
        self.suggestions = suggestions
    }
}

/// A word that was read as another one.
package struct Correction: Sendable, Hashable {
    package var typed: String
    package var read: String
}

/// One way to understand a question.
package struct Reading: Sendable, Hashable {
    package var frame: Frame
    /// The frame in words.
    package var text: String
    package var corrections: [Correction]
    /// What was taken for granted.
    package var notes: [String]
}
