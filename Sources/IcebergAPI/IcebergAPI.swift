// IcebergAPI: the Iceberg REST catalog, at `/iceberg/v1`.
//
//     Request ─▶ bearer token ─▶ Principal ─▶ IcebergEndpoint ─▶ Catalog verb (asks the Authorizer)
//                                                             └▶ JSON, or {error: {message, type, code}}
//
// `IcebergService.routes` is what the appliance mounts. A warehouse is a client's `prefix`: `silver`,
// or `silver@etl` for one of its references. Who sends a token is decided by a `BearerAuthenticator`;
// what storage credentials a table's reader gets, by a `CredentialVendor`; `/v1/oauth/tokens` is
// answered by a handler of the identity API: all three are given by the appliance.
//
// A table that the caller sees through a row filter or masks is described, but no storage credentials
// are given for it. Source: Apache Iceberg, open-api/rest-catalog-open-api.yaml.
