/// Words that people use and this grammar has no meaning for: never taken for typing errors, and what to
/// say instead.
enum Hints {
    static let words: [String: String] = {
        var all: [String: String] = [:]
        func add(_ hint: String, _ words: String...) {
            for word in words { all[word] = hint }
        }
        add("say the period: today, this week", "now", "currently", "nowadays", "present")
        add("say since when: since October", "recent", "recently", "lately", "newest", "latest")
        add("say whose: name the value", "my", "me", "us", "mine", "ours", "here")
        add("say top 3, highest or lowest", "best", "worst", "first", "second", "third", "fourth")
        add(
            "say a number", "twice", "double", "triple", "half", "several", "few", "some", "many",
            "couple", "dozen", "dozens", "around", "approximately", "nearly", "almost", "about")
        add(
            "only metrics of the model are computed", "median", "percentile", "maximum", "minimum",
            "max", "min", "sum", "cumulative", "cumulated", "running", "rolling", "moving",
            "deviation", "variance", "correlation")
        add(
            "only what was measured is answered", "why", "will", "would", "could", "should",
            "might",
            "forecast", "predict", "expected", "because", "tomorrow", "if")
        add(
            "say: growth, or compared with the week before", "increase", "increased", "decrease",
            "decreased", "rise", "rose", "fall", "fell", "grow", "grew", "grown", "drop", "dropped",
            "more", "less", "better", "worse", "difference", "gain", "loss", "decline")
        add(
            "say: excluding, and what", "no", "non", "never", "neither", "nor", "nothing", "none",
            "minus", "others", "other", "another", "rest", "remaining", "else", "unless")
        add("say: last weekend, or on weekends", "weekend")
        for day in ["mon", "tues", "wednes", "thurs", "fri", "satur", "sun"] {
            add("say: last \(day)day, or on \(day)days", day + "day")
        }
        add(
            "say the hours: before 9 am, between 9:00 and 17:00", "morning", "evening", "night",
            "noon", "midnight", "afternoon", "tonight", "overnight")
        add("say one number", "to", "than", "as")
        add("say: top 3 … in each …, or say it in two questions", "both", "either", "when", "while")
        add("say: number of", "count", "counts")
        return all
    }()
}
