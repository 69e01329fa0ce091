// Connectors: SQL catalogs that are no warehouses: generated data, other databases, files in buckets.
//
//     CREATE CATALOG shop USING postgresql WITH (…)       configuration: catalogs.shop.connector: postgresql
//            │                                                     │
//            ▼                                                     ▼
//     CatalogRegistry (connectors.sqlite; secrets sealed) ◀────────┘
//            │  `CatalogDoor` of SQLEngine: names, rights, declarations without secrets
//            ▼
//     Connector ──opens──▶ ConnectedCatalog ──▶ tables ──▶ morsels of chunks
//        tpch                 TPCHCatalog        made while they are read
//        sqlite               SQLiteCatalog      one file, read only
//        postgresql           PostgresCatalog    one database, by libpq
//        files                FilesCatalog       Parquet, CSV, JSON lines below a prefix of a bucket
//
// A connector lists its properties with what they take, and which of them are secrets; the registry checks
// a declaration before it keeps it. Catalogs of the configuration are there as long as it names them, and
// cannot be dropped; `tpch` and `files` are there from the beginning.
//
// What a remote database computes itself is decided in `Remote/`: a plan over tables of one source becomes
// one SELECT of its dialect where, and only where, the answer is surely the one we would have computed:
// same types, same order of texts, same rounding, same overflow. Everything else stays here. Conditions of
// scans go over as well, as a wider net if need be; the engine tests again what was not surely exact.
