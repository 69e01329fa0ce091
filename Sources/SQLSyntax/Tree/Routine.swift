/// `FUNCTION f(x bigint) RETURNS bigint .. body`.
package struct FunctionSpecification: SyntaxNode {
    package let name: QualifiedName
    package let parameters: [RoutineParameter]
    package let returns: TypeName
    package var characteristics = RoutineCharacteristics()
    package let body: RoutineBody
    package let place: Place
}

/// One parameter of a routine: its name, where it has one, and type.
package struct RoutineParameter: SyntaxNode {
    package let name: Identifier?
    package let type: TypeName
    package let place: Place
}

/// What is declared between RETURNS and the body.
package struct RoutineCharacteristics: Sendable, Hashable {
    package var language: Identifier?
    package var isDeterministic: Bool?
    /// RETURNS NULL ON NULL INPUT (false), CALLED ON NULL INPUT (true).
    package var isCalledOnNull: Bool?
    package var security: ViewSecurity?
    package var comment: String?
    package var properties: [Property] = []
}

/// An SQL control statement, or the text of another language.
package enum RoutineBody: Sendable, Hashable {
    case statement(RoutineStatement)
    /// `AS '..'` or `AS $$..$$`, in another language.
    case definition(String)
}

/// A statement of a SQL routine.
package struct RoutineStatement: SyntaxNode {
    /// The control statements (`SqlBase.g4`, rule `controlStatement`).
    package indirect enum Kind: Sendable, Hashable {
        case returns(Expression)
        case set(Identifier, Expression)
        case compound([RoutineVariable], [RoutineStatement])
        case ifThen([RoutineBranch], otherwise: [RoutineStatement]?)
        case caseOf(Expression?, [RoutineBranch], otherwise: [RoutineStatement]?)
        case loop(label: Identifier?, [RoutineStatement])
        case whileLoop(label: Identifier?, Expression, [RoutineStatement])
        case repeatLoop(label: Identifier?, [RoutineStatement], until: Expression)
        case iterate(Identifier)
        case leave(Identifier)
    }
    package let kind: Kind
    package let place: Place
}

/// `DECLARE a, b type [DEFAULT e]`.
package struct RoutineVariable: SyntaxNode {
    package let names: [Identifier]
    package let type: TypeName
    package let defaultValue: Expression?
    package let place: Place
}

/// `WHEN condition THEN ..`, and the branches of IF.
package struct RoutineBranch: SyntaxNode {
    package let condition: Expression
    package let statements: [RoutineStatement]
    package let place: Place
}
