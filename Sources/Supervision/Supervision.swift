// Supervision: what lives long is a `Service`; the appliance is one ordered list of them.
//
//     start:    first ─▶ last      a failure stops those already started, last to first, and is told
//     drain:    last ─▶ first      stop accepting, finish, flush; all under one deadline
//     stop:     last ─▶ first      whatever still runs ends now
//
// Services are synchronous and bring their own threads (`Platform.Thread`): `start` returns when the
// service works, `drain` and `stop` when it has ended. Nothing here runs on Swift's cooperative pool.
// A service that breaks later calls `Supervisor.fail`, which ends the appliance; `end` asks for an
// orderly end (SIGTERM). `HealthRegistry` knows what is ready: `/healthz` says that the process turns,
// `/readyz` that every service said ready.
//
// Order of locks where two can meet: a service's own lock before the health registry's; the registry calls
// nobody while it holds its lock.
