/// A type as written; the binder resolves it.
package struct TypeName: SyntaxNode {
    /// The forms of a type (`SqlBase.g4`, rule `type`).
    package indirect enum Kind: Sendable, Hashable {
        /// `bigint`, `varchar(10)`, `decimal(12, 2)`, `array(T)`, `map(K, V)`; the name in lower case.
        ///
        /// `double precision` arrives as `double`, `int` stays `int`, `T array` arrives as `array(T)`.
        case named(String, [Argument])
        case row([Field])
        /// `time` and `timestamp`.
        case dateTime(DateTimeKind, precision: Argument?, withTimeZone: Bool)
        case intervalYearToMonth
        case intervalDayToSecond
    }

    /// TIME or TIMESTAMP, each with or without a time zone.
    package enum DateTimeKind: Sendable, Hashable {
        case time, timestamp
    }

    /// What stands in the parentheses of a type.
    package enum Argument: Sendable, Hashable {
        case type(TypeName)
        case number(Int)
    }

    /// A field of `row(...)`.
    package struct Field: Sendable, Hashable {
        package let name: Identifier?
        package let type: TypeName
    }

    package let kind: Kind
    package let place: Place

    package init(_ kind: Kind, place: Place) {
        self.kind = kind
        self.place = place
    }
}
