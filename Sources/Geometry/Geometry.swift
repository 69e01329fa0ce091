// Geometry: a thin, safe face of GEOS, the library of planar geometry.
//
//     bytes (EWKB) ──▶ GeometryContext.parse ──▶ ParsedGeometry ──relate, combine, measure──▶ bytes, numbers
//
// GEOS is loaded when a query first needs it (`libgeos_c.so.1`, package libgeos-c1v5 of Debian), as libpq
// is: the binary starts as fast as without it and runs where it is not installed; what needs no library
// (points, texts, coordinates, boxes, distances on the sphere) is `SQLFunctions`' own. GEOS is under the
// LGPL 2.1 and is not part of the binary.
//
// A context and what it parsed belong to one thread. GEOS reports failures by a message handler, which
// becomes a `GeometryError`. Source: GEOS C API, `geos_c.h` (3.11), the reentrant functions.
