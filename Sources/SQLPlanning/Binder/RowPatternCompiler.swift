import SQLFunctions
import SQLSyntax

/// Turns a written row pattern into steps.
///
///     a*    L: split(B, X)   B: enter  a  check(X)  jump L   X:
///     a|b   split(A, B)  A: a  jump X  B: b  X:
///     a{2,3}  a a split(A, X)  A: a  X:
///     permute(a, b)  a b | b a, in the order of the places
struct RowPatternCompiler {
    let labels: [String: Int]
    private(set) var program = RowPatternProgram()
    private(set) var hasExclusion = false

    init(labels: [String: Int]) { self.labels = labels }

    /// Compiles the whole pattern. Throws INVALID_ROW_PATTERN for one that grows too large.
    mutating func compile(_ pattern: RowPattern, _ node: any SyntaxNode) throws(QueryFault) {
        try add(pattern, node)
        try step(.accept, node)
    }

    @discardableResult
    private mutating func step(
        _ step: RowPatternProgram.Step, _ node: any SyntaxNode
    ) throws(QueryFault) -> Int {
        guard let place = program.add(step) else {
            throw .analysis(
                .invalidRowPattern,
                "The row pattern is too large: more than \(RowPatternProgram.stepLimit) steps",
                node.span, hint: "write smaller quantifiers, or PERMUTE with fewer elements")
        }
        return place
    }

    private mutating func add(
        _ pattern: RowPattern, _ node: any SyntaxNode
    ) throws(QueryFault) {
        switch pattern {
        case .variable(let name):
            guard let label = labels[name.canonical] else {
                throw .analysis(.invalidLabel, "Unknown label: \(name.text)", name.span)
            }
            try step(.label(label), node)
        case .empty: break
        case .start: try step(.start, node)
        case .end: try step(.end, node)
        case .sequence(let parts): for part in parts { try add(part, node) }
        case .alternation(let choices): try alternatives(choices, node)
        case .permute(let parts):
            try alternatives(try Self.permutations(parts, node).map { .sequence($0) }, node)
        case .excluded(let inner):
            hasExclusion = true
            try step(.excludeBegin, node)
            try add(inner, node)
            try step(.excludeEnd, node)
        case .repeated(let inner, let least, let most, let isReluctant):
            try repetition(inner, least, most, isReluctant, node)
        }
    }

    private mutating func alternatives(
        _ choices: [RowPattern], _ node: any SyntaxNode
    ) throws(QueryFault) {
        var jumps: [Int] = []
        for (index, choice) in choices.enumerated() {
            guard index < choices.count - 1 else {
                try add(choice, node)
                break
            }
            let split = try step(.split(0, 0), node)
            try add(choice, node)
            jumps.append(try step(.jump(0), node))
            program.replace(split, .split(split + 1, program.nextPlace))
        }
        for jump in jumps { program.replace(jump, .jump(program.nextPlace)) }
    }

    private mutating func repetition(
        _ inner: RowPattern, _ least: Int, _ most: Int?, _ isReluctant: Bool,
        _ node: any SyntaxNode
    ) throws(QueryFault) {
        if let most {
            guard most >= 1 else {
                throw .analysis(
                    .invalidRowPattern,
                    "Pattern quantifier upper bound must be greater than or equal to 1", node.span)
            }
            guard least <= most else {
                throw .analysis(
                    .invalidRowPattern,
                    "Pattern quantifier lower bound must not exceed upper bound",
                    node.span)
            }
        }
        guard least <= RowPatternProgram.stepLimit, (most ?? 0) <= RowPatternProgram.stepLimit
        else {
            throw .analysis(
                .invalidRowPattern,
                "Pattern quantifiers go up to \(RowPatternProgram.stepLimit)", node.span)
        }
        for _ in 0..<least { try add(inner, node) }
        func split(_ on: Int, _ out: Int) -> RowPatternProgram.Step {
            isReluctant ? .split(out, on) : .split(on, out)
        }
        guard let most else {
            let loop = program.newLoop()
            let begin = try step(.split(0, 0), node)
            try step(.enterLoop(loop), node)
            try add(inner, node)
            let check = try step(.checkLoop(loop, exit: 0), node)
            try step(.jump(begin), node)
            let exit = program.nextPlace
            program.replace(begin, split(begin + 1, exit))
            program.replace(check, .checkLoop(loop, exit: exit))
            return
        }
        var splits: [Int] = []
        for _ in least..<most {
            splits.append(try step(.split(0, 0), node))
            try add(inner, node)
        }
        for place in splits { program.replace(place, split(place + 1, program.nextPlace)) }
    }

    /// All orders of the parts, those first that keep what was written.
    private static func permutations(
        _ parts: [RowPattern], _ node: any SyntaxNode
    ) throws(QueryFault) -> [[RowPattern]] {
        guard parts.count <= 6 else {
            throw .analysis(
                .invalidRowPattern, "PERMUTE takes up to 6 elements", node.span)
        }
        if parts.count <= 1 { return [parts] }
        var orders: [[RowPattern]] = []
        for index in parts.indices {
            var rest = parts
            let first = rest.remove(at: index)
            for order in try permutations(rest, node) { orders.append([first] + order) }
        }
        return orders
    }
}

extension RowPattern {
    /// The variables, in the order in which they are written.
    var variables: [Identifier] {
        switch self {
        case .variable(let name): [name]
        case .empty, .start, .end: []
        case .sequence(let parts), .alternation(let parts), .permute(let parts):
            parts.flatMap(\.variables)
        case .excluded(let inner), .repeated(let inner, _, _, _): inner.variables
        }
    }
}
