import Vectors

extension KernelCall {
    /// Builds an array or map for each active row: `body` appends to the builder's children and says
    /// false for NULL.
    func lists(_ body: (Int, ColumnBuilder) throws -> Bool) {
        let builder = ColumnBuilder(resultType, Output(self))
        forEachRow { row in
            builder.skip(to: row)
            guard let place = builder.reserve() else { return }
            let start = builder.children[0].count
            do {
                let isPresent = try body(row, builder)
                builder.put(builder.entry(from: start), place)
                if !isPresent { builder.setNull(place) }
            } catch {
                fail(error)
                builder.setNull(place)
            }
        }
        builder.finish(self)
    }
}
