// Cryptography: digests, signatures, sealing, password hashing, certificates and TLS, over OpenSSL.
//
// The only module that calls OpenSSL (linked statically). Nothing here reads a clock, a file or a
// socket: times come as seconds since 1970, certificates as PEM text, and TLS is a state machine
// between two byte buffers.
//
//   Digest, HMAC           incremental MD5, SHA-1, SHA-256, SHA-512 as plain values, no allocation;
//                          SigV4 signs each request with five HMACs, so these are the fast path
//   constantTimeEqual      the only way to compare a secret
//   PasswordHash           scrypt, its parameters stored beside the salt (RFC 7914)
//   SealingKey             AES-256-GCM for secrets that must be recovered, such as S3 secret keys
//   SigningKey, VerificationKey   RS256 and ES256, PEM, JWK members and thumbprints (RFC 7515, 7638)
//   CertificateAuthority   a local CA and the server certificates it issues (RFC 5280)
//   TLSContext, TLSSession the server's side of TLS 1.2 and 1.3; HTTPServer owns the socket:
//
//       socket bytes ─▶ receive ─▶ read ─▶ plaintext ─▶ HTTP parser
//       socket bytes ◀─ takeCiphertext ◀─ write ◀─ plaintext ◀─ response
//
// Randomness comes from OpenSSL's generator, which getrandom(2) seeds; callers that must be
// reproducible pass bytes of their own where a parameter allows.
