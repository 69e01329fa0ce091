// Platform: the operating system behind small, typed faces.
//
// With the C wrappers this is the only layer that calls the system. What a test must be able to
// replace is a protocol: `FileSystem` and `File` (a simulated disk), `MonotonicClock` and `WallClock`
// (`SettableClock`), `Entropy` (`SeededEntropy`). The rest is plain: threads and monitors, sockets
// and the poller, signals, the terminal, what the process uses.
//
//     Clocks, Entropy          time and randomness, passed through `init`
//     Files/                   open, positional reads and writes, sync, rename; `FileLock`
//     Threads/                 Thread, Monitor (lock and condition), ThreadPool, WorkerTeam
//     Sockets/                 addresses, listeners, streams, epoll; non-blocking unless said
//     Signals, Environment, Terminal
//
// Every failure is a `PlatformError` whose code callers may switch over; the system's own number is
// kept beside. A call interrupted by a signal is repeated here, never by callers.
//
// Durability is spelled out where it is needed: write, `sync`, `rename`, `syncDirectory`;
// `replaceDurably` is that recipe for small files.
