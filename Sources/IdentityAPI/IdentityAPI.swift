// IdentityAPI: logging in, the OpenID Connect issuer, and the administration of people and keys.
//
//   BrowserRules           Host allow-list, Origin check, CSRF tokens, cookies, security fields: what
//                          every page of the product obeys; ConsoleAPI uses it too
//   RequestAuthenticator   session cookie, Bearer or Basic ─▶ RequestContext; challenges for 401
//   IdentityEndpoints      the routes:
//       /login /logout /device                    pages, plain HTML without script
//       /oidc/.well-known/openid-configuration    discovery; the issuer comes from configuration
//       /oidc/jwks /oidc/authorize /oidc/token /oidc/userinfo /oidc/introspect /oidc/revoke
//       /oidc/device_authorization /oidc/logout
//       /api/v1/users groups clients keys roles grants   JSON, bearer, basic or session
//
// The flow of a person who opens a tool:
//
//     tool ─▶ /oidc/authorize ─(no session)─▶ /login ─▶ /oidc/authorize ─▶ redirect with code
//     tool ─▶ /oidc/token with code and PKCE verifier ─▶ access, ID and refresh token
//
// Clients are registered by administrators of this appliance, so there is no consent page. Iceberg's
// own token endpoint is the same function under another path.
//
// Sources: OpenID Connect Core, Discovery and RP-Initiated Logout 1.0; RFC 6749, 6750, 7009, 7636,
// 7662, 8414, 8628, 8693, 9207; OWASP's cheat sheets on CSRF and sessions.
