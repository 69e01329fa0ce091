// Appliance: configuration, wiring, first start, the command line, the supervisor's list.
//
// `Appliance` opens the data directory and every domain in it; with `ApplianceServer` it also listens.
// The command line reaches the same `Appliance` in two ways: over `DIR/control.sock` when a server has
// the directory open, or one-shot under the directory's lock when none has (DESIGN section 1).
//
//     arguments ─▶ CommandLine ─▶ here: serve, config, version, sql over files
//                              └▶ with the data: control socket, or one-shot ─▶ Command.place
//
// The adapters between domains, which may not know each other, stand in `Wiring/`. The order of services
// is in `ApplianceServer`: what is started first is stopped last.
