import CivilTime

/// The words of the grammar itself. Whoever adds one takes it away from every model.
enum Lexicon {
    /// Words that add nothing; the list is short and whole: no other word is passed over. Written in
    /// capitals, or behind a preposition, most of them are a name (US, IT) and not passed over.
    static let stopWords: Set<String> = [
        "a", "an", "the", "of", "in", "on", "at", "for", "from", "during", "with", "where", "that",
        "which", "what", "whose", "is", "are", "was", "were", "be", "been", "did", "do", "does",
        "have", "has", "had", "having", "saw", "see", "show", "shows", "showed", "we", "our", "i",
        "you", "give", "list", "display", "tell", "get", "find", "please", "there", "all", "how",
        "much", "it", "its", "their", "they", "want", "know", "need", "look", "looks", "happened",
    ]
    static let prepositions: Set<String> = [
        "in", "of", "from", "for", "at", "on", "with", "during",
    ]
    /// Stop words that are no name behind a preposition.
    static let articles: Set<String> = [
        "a", "an", "the", "all", "which", "what", "whose", "that", "its", "their", "how",
    ]

    /// Phrases with a meaning, longest match first.
    static let phrases: [String: Item.Kind] = {
        var all: [String: Item.Kind] = [:]
        func add(_ kind: Item.Kind, _ phrases: String...) {
            for phrase in phrases { all[phrase] = kind }
        }
        add(
            .by, "by", "for each", "in each", "each", "every", "for every", "split by",
            "broken down by", "break down by", "breakdown by", "grouped by", "group by", "by each",
            "across")
        add(.per, "per")
        add(
            .orderBy, "sorted by", "ordered by", "ranked by", "rank by", "sort by", "order by")
        add(
            .relation(.above), "above", "over", "more than", "greater than", "higher than",
            "larger than", "bigger than", "exceeding", "exceeds", "exceed", "exceeded", "beyond",
            ">", "in excess of")
        add(
            .relation(.atLeast), "at least", "no less than", "not less than", "no fewer than",
            "not below", "not under", ">=", "minimum of", "a minimum of")
        add(
            .relation(.below), "below", "under", "less than", "fewer than", "lower than",
            "smaller than", "<")
        add(
            .relation(.atMost), "at most", "no more than", "not more than", "not above",
            "not over", "<=", "up to", "maximum of", "a maximum of")
        add(.relation(.equal), "exactly", "equal to", "equals", "=")
        add(.between, "between")
        add(.orMore, "or more", "or higher", "or above", "or over")
        add(.orLess, "or less", "or fewer", "or lower", "or below", "or under")
        add(.top(isDescending: true), "top")
        add(.top(isDescending: false), "bottom")
        add(
            .superlative(isDescending: true), "highest", "most", "largest", "biggest", "greatest",
            "the most")
        add(
            .superlative(isDescending: false), "lowest", "least", "smallest", "fewest",
            "the least")
        add(.direction(isDescending: true), "descending", "from high to low", "highest first")
        add(.direction(isDescending: false), "ascending", "from low to high", "lowest first")
        add(
            .compare, "vs", "versus", "compared to", "compared with", "compare", "compare to",
            "compare with", "against", "relative to", "in comparison to", "in comparison with",
            "comparison")
        add(
            .not, "not", "not in", "not on", "except", "except for", "excluding", "exclude",
            "without", "other than", "outside", "outside of", "apart from", "but not", "not from",
            "excl", "instead of", "rather than", "but not in", "not including", "leaving out")
        for all in ["all", "any", "everything", "everywhere", "everyone", "anything", "anywhere"] {
            for out in ["but", "except", "except for", "other than", "apart from", "excluding"] {
                add(.not, "\(all) \(out)", "\(all) \(out) for")
            }
        }
        add(.but, "but")
        add(.any, "any")
        add(.and, "and", "as well as", "&", "plus")
        add(.or, "or")
        add(.comma, ",")
        add(
            .sum, "total", "number of", "count of", "sum of", "total number of", "the number of",
            "total of")
        add(.howMany, "how many")
        add(
            .followUp, "what about", "how about", "only", "same", "the same", "instead", "also",
            "just", "then", "but only", "but just", "same for", "the same for")
        for verb in ["show", "give", "tell", "get", "find", "list", "let"] {
            add(.stop, "\(verb) me", "\(verb) us", "\(verb) me see", "\(verb) me know")
        }
        add(.stop, "how much", "tell me about", "tell us about", "me see", "us see")
        for asker in ["you", "i", "we"] {
            add(.stop, "can \(asker)", "could \(asker)", "would \(asker)", "\(asker) would like")
            for verb in ["want", "need", "would like", "d like"] {
                add(
                    .stop, "\(asker) \(verb) to", "\(asker) \(verb) to know",
                    "\(asker) \(verb) to see")
            }
        }
        add(.overall, "overall", "in total", "altogether", "all together")
        add(
            .average, "average", "mean", "avg", "on average", "average of", "the average of",
            "average number of", "the average number of", "mean number of", "avg number of")
        for share in ["share", "proportion", "percentage", "percent", "%"] {
            add(
                .share, "\(share) of total", "\(share) of the total", "as \(share) of total",
                "as a \(share) of total", "as a \(share) of the total", "in \(share) of total")
            if share != "percent", share != "%" {
                add(.share, "\(share) of", "the \(share) of", "what \(share) of")
            }
        }
        add(.share, "share", "shares", "shares of")
        for growth in ["growth", "change", "changes"] {
            add(
                .growth, growth, "\(growth) of", "\(growth) in", "the \(growth) in",
                "\(growth) rate of")
        }
        add(.last, "last")
        add(.trend, "over time", "trend", "trend of", "as a trend", "the trend of")
        add(.allTime, "all time", "over all time", "of all time", "ever")
        add(.soFar, "so far")
        add(
            .yearEarlier, "a year earlier", "a year ago", "one year earlier",
            "same period last year",
            "the same period last year", "same week last year", "the same week last year",
            "same month last year", "the same month last year", "same quarter last year",
            "the same quarter last year", "year before that")
        add(.neighbour(nil, -1), "before that", "the one before", "the period before")
        add(
            .neighbour(nil, -1), "previous period", "the previous period", "prior period",
            "the prior period", "preceding period", "the preceding period")
        add(.neighbour(nil, 1), "after that", "the one after", "the period after")
        let units: [DateUnit] = [.hour, .day, .week, .month, .quarter, .year]
        for unit in units {
            let name = unit.rawValue
            add(.unit(unit), name, name + "s")
            add(.unitOverUnit(unit), "\(name) over \(name)", "\(name) on \(name)")
            add(.series(unit), "\(name) by \(name)", "\(name) after \(name)")
            for word in ["previous", "prior", "preceding"] {
                add(.neighbour(unit, -1), "\(word) \(name)", "the \(word) \(name)")
            }
            add(
                .neighbour(unit, -1), "\(name) before", "the \(name) before", "\(name) earlier",
                "a \(name) earlier", "one \(name) earlier", "\(name) before that",
                "the \(name) before that")
            for word in ["following", "next"] {
                add(.neighbour(unit, 1), "the \(word) \(name)", "\(word) \(name)")
            }
            add(.neighbour(unit, 1), "\(name) after", "the \(name) after", "\(name) later")
        }
        add(.yearEarlier, "a year earlier", "one year earlier", "year earlier")
        add(.series(.hour), "hourly")
        add(.series(.day), "daily")
        add(.series(.week), "weekly")
        add(.series(.month), "monthly")
        add(.series(.quarter), "quarterly")
        add(.series(.year), "yearly", "annually")
        add(.unitOverUnit(.week), "wow")
        add(.unitOverUnit(.month), "mom")
        add(.unitOverUnit(.quarter), "qoq")
        add(.unitOverUnit(.year), "yoy")
        add(
            .part(.weekday), "weekday", "weekdays", "day of week", "day of the week",
            "days of the week")
        add(
            .parts(.weekday, [6, 7]), "on weekends", "at weekends", "weekends", "weekend days",
            "on weekend days")
        add(
            .parts(.weekday, [1, 2, 3, 4, 5]), "on weekdays", "on working days", "working days",
            "on business days", "business days", "on workdays", "workdays")
        for (index, name) in CivilFormat.weekdayNames.enumerated() {
            add(.parts(.weekday, [index + 1]), name.lowercased() + "s")
        }
        add(.part(.hourOfDay), "hour of day", "hour of the day", "time of day")
        add(.part(.monthOfYear), "month of year", "month of the year")
        return all
    }()

    /// Words of the longest phrase.
    static let phraseLimit = 5

    /// Single words that the grammar and the time phrases know, for spelling.
    static let words: Set<String> = {
        var words = stopWords
        for phrase in phrases.keys {
            for word in phrase.split(separator: " ") { words.insert(String(word)) }
        }
        return words.union(TimePhrases.words)
    }()

    /// Whether a name may not be taken by a model.
    static func isReserved(_ phrase: String) -> Bool {
        switch phrases[phrase] {
        case .average, .share, .growth, .parts, .overall, .any, .last: return false
        case .some: return true
        case nil: break
        }
        return stopWords.contains(phrase)
            || TimePhrases.words.contains(phrase)
    }
}
