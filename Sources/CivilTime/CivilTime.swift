// CivilTime: calendar days, times of day, timestamps, intervals and zones as plain integers.
//
// Everything is a number and a pure function on it, so that kernels may call it a row:
//
//   date        Int32 days since 1970-01-01, proleptic Gregorian      (Calendar.swift)
//   time        Int64 picoseconds or microseconds of the day           (CivilFormat, CivilParse)
//   timestamp   Int64 microseconds since 1970-01-01 00:00:00, and 0..<1,000,000 picoseconds beside
//               them where a column has more than six digits
//   with zone   the same, in UTC, and a `TimeZoneKey` of 16 bits
//   intervals   Int64 months, or Int64 milliseconds                    (Intervals.swift)
//
// Three layers:
//
//   Calendar, DateUnit      days <-> year, month, day; ISO weeks; truncate, add, difference
//   CivilFormat, CivilParse text in Trino's forms; every formatter writes into a caller's buffer
//   TimeZoneKey, TimeZones  names <-> keys (a fixed table: a key means the same in every process);
//                           rules from TZif bytes that a loader closure supplies: no I/O here
//
// Local times that do not exist or exist twice follow java.time: in a gap the local time moves forward
// by the gap, in an overlap the earlier offset counts. Years reach from -5,877,641 to 5,881,580 for
// dates and +-292,277 for timestamps; arithmetic that would leave them returns nil, it never traps.
//
// Specs: RFC 9636 (TZif), RFC 3339, RFC 9110 section 5.6.7 (HTTP dates), ISO 8601; Trino's
// documentation of date and time types. The day arithmetic is Neri and Schneider's, and Hinnant's.
