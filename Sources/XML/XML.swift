// XML: the subset that S3 speaks.
//
// `XMLElement(parsing:)` reads one document into a tree of elements: names without their namespace
// prefix, the text of leaves, attributes. Document type declarations are refused (no entity can be
// declared, so none can explode), nesting and the number of elements are limited, and nothing recurses.
// `XMLWriter` writes elements in order and escapes what must be.
//
// Source: W3C XML 1.0, fifth edition, without its DTD part.
