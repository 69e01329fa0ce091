package import Authority

/// Makes warehouses, as far as SQL asks for them: `CREATE CATALOG name USING iceberg`. `Appliance`
/// supplies it, for a warehouse needs a bucket, which the engine knows nothing of.
package protocol WarehouseDoor: Sendable {
    /// Makes a warehouse; without a location it lies in a bucket of its name. The bucket is made where
    /// it is missing. Throws what the domains throw for those without the right.
    func createWarehouse(_ context: RequestContext, name: String, location: String?) throws
}

extension QueryEngine {
    /// Lets CREATE CATALOG make warehouses.
    package func attach(warehouses: any WarehouseDoor) { doors.warehouses = warehouses }
}
