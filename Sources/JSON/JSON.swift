// JSON: texts in, values out, and back, with numbers kept exactly as written.
//
//     [UInt8] ──JSONParser──▶ JSONValue ──accessors──▶ Swift values, or JSONError naming `$.a[3].b`
//     Swift values ──JSONWriter──▶ [UInt8]            (no tree in between: query results)
//     JSONValue ──write──▶ JSONWriter
//
// An object keeps the order of its members; of members with the same name the last one is found.
// A number is its text: `Int64`, `Double` and decimal digits are read out of it when asked for, so
// that 38-digit decimals and 64-bit ids pass through unharmed. Depth and size have limits. Source:
// RFC 8259.
