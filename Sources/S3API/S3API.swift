// S3API: the S3 protocol over `DiskObjectStorage`.
//
//     Request ─▶ S3Target (bucket, key; path style or virtual host)
//             ─▶ operation by method, what is addressed, and the subresource (`s3Operations`)
//             ─▶ SignatureClaim (version 4 or 2, in header or query): who, by `S3CredentialSource`
//             ─▶ the operation: decode, call the store (which asks the Authorizer), encode
//             ─▶ Response, or an XML error (`S3Error`)
//
// A body is read through `PayloadReader`, which undoes `aws-chunked`, verifies chunk signatures, trailers and
// the payload's hash, and hands pieces on: nothing is held but a piece. The store commits only after the
// reader came to a good end, so a forged or broken body leaves nothing. An operation that refuses before it
// reads sends no `100 Continue`.
//
// Who may: the operation's action goes into the context's `RequestFacts`; `S3Call.allow` compares it with what
// the credential is limited to (areas, a session's policy), the store with the bucket's policy, and the
// `Authorizer` decides over both and the grants of roles. A request that nobody signed is `.anonymous`'s.
//
//     POST /           ─▶ `TokenService` (STS): identities, sessions, roles
//     POST /bucket     ─▶ `PostObject`: a form with a signed policy
//     OPTIONS          ─▶ `CrossOrigin`
//
// One file an operation, or a few that belong together, in `Operations/`; the support table in the console is `s3Operations`. What S3 has and
// this server has not is answered `NotImplemented` by its S3 name.
//
// Source: Amazon S3 API Reference; "Authenticating Requests (AWS Signature Version 4)".
// Version 2 of the signatures: `SignatureV2`, for the URLs and forms that boto3 and aws sign unless told otherwise.
