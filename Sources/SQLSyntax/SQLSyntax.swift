// SQLSyntax: the text of a statement to a tree, and the tree back to text.
//
//   text --Lexer--> tokens --Parser--> Statement / Query / Expression / TypeName --SQLFormatter--> text
//
// `SQLParser` is the door in, `SQLFormatter` the door out. The dialect is Trino's; what people bring
// from other systems (`::`, ILIKE, QUALIFY, LIMIT before OFFSET, back-quotes) is recognised and
// answered with its equivalent (`sql.foreign_dialect`). Every node knows its `span`; comparison and
// hashing ignore it and the case of names, so that `GROUP BY A + 1` finds `a+1` in SELECT.
//
// Invariants:
// - The parser never backtracks (a look at the closing parenthesis decides what an opening one begins),
//   so that time is linear; nesting, chains of operators and lists have limits (`Limits`).
// - `SQLParser.statement(SQLFormatter.format(tree))` equals the tree.
// - Names are not resolved and types not checked: that is the binder's work. COALESCE, NULLIF, IF and
//   TRY arrive as calls; POSITION and SUBSTRING's FROM form as calls of strpos and substring.
//
// Errors read `line L:C: mismatched input 'x'. Expecting: ..`, as Trino's do, with a hint where a word
// is nearly right. Source: Trino's SqlBase grammar and its documentation of the SQL language.
