// Models: trained models as objects of a catalog, made and used in SQL.
//
//     CREATE MODEL … AS SELECT …        ai_anomaly('silver.bank.fraud', amount, kmh)
//        │ SQLEngine runs the query        │ SQLPlanning finds the model while binding
//        ▼                                 ▼
//     ModelLibrary.begin ─▶ Trainer    ModelLibrary.model ─▶ LoadedModel: a kernel that holds the model
//        │ TrainingRows: rows as doubles   ▲
//        ▼ in canonical order              │ by digest, decoded once
//     ModelBody.train ─▶ canonical bytes ─▶ models.sqlite (a row a version, with outbox and owner)
//
// `ModelLibrary` is the engine's `ModelKeeper`. Every verb asks the authorizer: `model.create` (also for
// a new version), `model.use` for calls, `model.list` for listings, `model.drop` (or being the owner). A
// version is never changed; CREATE OR REPLACE adds one, and `name@2` means the second. A model belongs
// to a warehouse and is the same on all its branches.
//
// The same rows give the same digest, whatever their order, the number of threads or the machine:
//   1. Rows are put in the order of a hash of their values (ties by the values), which also shuffles.
//   2. Sums run over that order, one after another, in doubles without fused operations.
//   3. Logarithms and powers are our own (`StableMath`), made of exact IEEE operations only.
//   4. Randomness is SplitMix64 from the seed; each tree has a stream of its own.
// The digest is SHA-256 over the canonical serialization: algorithm, options, features, rows, what was
// learned. Name, version, owner, time and snapshots are not part of it.
//
// Sources: Liu, Ting, Zhou, "Isolation Forest" (ICDM 2008), as scikit-learn builds its trees; logistic
// regression by Newton steps with an L2 penalty; k-means++ (Arthur, Vassilvitskii, 2007) and Lloyd.
