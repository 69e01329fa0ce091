import Vectors

/// A list of words; its memory lives as long as the process.
struct WordList: Sendable {
    let words: [String]
    /// A view a word.
    let views: [StringView]

    init(_ words: [String]) {
        self.words = words
        views = words.map { word in
            let utf8 = Array(word.utf8)
            let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: max(utf8.count, 1))
            bytes.initialize(from: utf8, count: utf8.count)
            return StringView(bytes, count: utf8.count)
        }
    }

    init(_ text: String) { self.init(text.split(separator: "|").map(String.init)) }

    /// Every combination of the parts, the last one running fastest.
    init(product parts: [String]...) {
        self.init(
            parts.reduce([""]) { heads, tails in
                heads.flatMap { head in tails.map { head.isEmpty ? $0 : "\(head) \($0)" } }
            })
    }
}

/// The lists that columns draw from. Source: the generator's `dists.dss`; see NOTICE.
enum WordLists {
    static let regions = WordList("AFRICA|AMERICA|ASIA|EUROPE|MIDDLE EAST")
    static let nations = WordList(
        "ALGERIA|ARGENTINA|BRAZIL|CANADA|EGYPT|ETHIOPIA|FRANCE|GERMANY|INDIA|INDONESIA|IRAN|IRAQ|"
            + "JAPAN|JORDAN|KENYA|MOROCCO|MOZAMBIQUE|PERU|CHINA|ROMANIA|SAUDI ARABIA|VIETNAM|RUSSIA|"
            + "UNITED KINGDOM|UNITED STATES")
    /// The region of each nation.
    static let nationRegions: [Int64] = [
        0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1,
    ]
    static let segments = WordList("AUTOMOBILE|BUILDING|FURNITURE|HOUSEHOLD|MACHINERY")
    static let priorities = WordList("1-URGENT|2-HIGH|3-MEDIUM|4-NOT SPECIFIED|5-LOW")
    static let instructions = WordList("DELIVER IN PERSON|COLLECT COD|TAKE BACK RETURN|NONE")
    static let modes = WordList("REG AIR|AIR|RAIL|TRUCK|MAIL|FOB|SHIP")
    static let returned = WordList("R|A|N")
    static let orderStatus = WordList("F|O|P")
    static let containers = WordList(
        product: ["SM", "LG", "MED", "JUMBO", "WRAP"],
        ["CASE", "BOX", "BAG", "JAR", "PACK", "PKG", "CAN", "DRUM"])
    static let types = WordList(
        product: ["STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"],
        ["ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"],
        ["TIN", "NICKEL", "BRASS", "STEEL", "COPPER"])
    static let colors = WordList(
        "almond|antique|aquamarine|azure|beige|bisque|black|blanched|blue|blush|brown|burlywood|"
            + "burnished|chartreuse|chiffon|chocolate|coral|cornflower|cornsilk|cream|cyan|dark|deep|"
            + "dim|dodger|drab|firebrick|floral|forest|frosted|gainsboro|ghost|goldenrod|green|grey|"
            + "honeydew|hot|indian|ivory|khaki|lace|lavender|lawn|lemon|light|lime|linen|magenta|"
            + "maroon|medium|metallic|midnight|mint|misty|moccasin|navajo|navy|olive|orange|orchid|"
            + "pale|papaya|peach|peru|pink|plum|powder|puff|purple|red|rose|rosy|royal|saddle|salmon|"
            + "sandy|seashell|sienna|sky|slate|smoke|snow|spring|steel|tan|thistle|tomato|turquoise|"
            + "violet|wheat|white|yellow")

    /// A weighted list of the prose: `word*weight`, weight 1 where none is said.
    static func weighted(_ text: String) -> [(word: String, weight: Int)] {
        text.split(separator: "|").map { entry in
            let parts = entry.split(separator: "*").map(String.init)
            return (parts[0], parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
        }
    }

    static let articles = weighted("the*50|a*20|an*5")
    static let nouns = weighted(
        "packages*40|requests*40|accounts*40|deposits*40|foxes*20|ideas*20|theodolites*20|"
            + "pinto beans*20|instructions*20|dependencies*10|excuses*10|platelets*10|asymptotes*10|"
            + "courts*5|dolphins*5|multipliers|sauternes|warthogs|frets|dinos|attainments|somas|"
            + "Tiresias|patterns|forges|braids|frays|warhorses|dugouts|notornis|epitaphs|pearls|"
            + "tithes|waters|orbits|gifts|sheaves|depths|sentiments|decoys|realms|pains|grouches|"
            + "escapades|hockey players")
    static let verbs = weighted(
        "sleep*20|wake*20|are*20|cajole*20|haggle*20|nag*10|use*10|boost*10|affix*5|detect*5|"
            + "integrate*5|maintain|nod|was|lose|sublate|solve|thrash|promise|engage|hinder|print|"
            + "x-ray|breach|eat|grow|impress|mold|poach|serve|run|dazzle|snooze|doze|unwind|kindle|"
            + "play|hang|believe|doubt")
    static let adverbs = weighted(
        "sometimes|always|never|furiously*50|slyly*50|carefully*50|blithely*40|quickly*30|"
            + "fluffily*20|slowly|quietly|ruthlessly|thinly|closely|doggedly|daringly|bravely|"
            + "stealthily|permanently|enticingly|idly|busily|regularly|finally|ironically|evenly|"
            + "boldly|silently")
    static let adjectives = weighted(
        "special*20|pending*20|unusual*20|express*20|furious|sly|careful|blithe|quick|fluffy|slow|"
            + "quiet|ruthless|thin|close|dogged|daring|brave|stealthy|permanent|enticing|idle|busy|"
            + "regular*50|final*40|ironic*40|even*30|bold*20|silent*10")
    static let prepositions = weighted(
        "about*50|above*50|according to*50|across*50|after*50|against*40|along*40|alongside of*30|"
            + "among*30|around*20|at*10|atop|before|behind|beneath|beside|besides|between|beyond|by|"
            + "despite|during|except|for|from|in place of|inside|instead of|into|near|of|on|outside|"
            + "over|past|since|through|throughout|to|toward|under|until|up|upon|whithout|with|within"
    )
    static let auxiliaries = weighted(
        "do|may|might|shall|will|would|can|could|should|ought to|must|will have to|shall have to|"
            + "could have to|should have to|must have to|need to|try to")
    static let terminators = weighted(".*50|;|:|?|!|--")
    static let sentences = weighted("N V T*3|N V P T*3|N V N T*3|N P V N T|N P V P T")
    static let nounPhrases = weighted("N*10|J N*20|J, J N*10|D J N*50")
    static let verbPhrases = weighted("V*30|X V|V D*40|X V D")
}
