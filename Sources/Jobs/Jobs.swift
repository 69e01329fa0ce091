// Jobs: pipelines of steps that run by time, by event, after one another, or by hand.
//
//     pipeline.yml ─▶ PipelineDocument ─▶ JobScheduler.declare ─▶ jobs.sqlite: pipelines
//                                                                      │ due, event, `after`, manual
//       object store's outbox ─▶ EventSource ─┐                        ▼
//       clock ──────────────────────────────▶ scheduler thread ─▶ runs ─▶ steps ─▶ attempts ─▶ logs
//                                             │  claims steps whose needs are done
//                                             ▼
//                                       worker threads ─▶ JobHandler of the step's kind
//
// A run has the pipeline's steps copied at its start, so that a changed declaration touches later runs
// only. A step waits for its `needs`, is queued, runs in attempts, and succeeds, fails, or is skipped
// because what it needs failed. States move in transactions of `jobs.sqlite`; workers hold nothing that
// a crash would lose: at the start attempts of former processes become `lost` and their steps are tried
// again, while a step that has finished is never run again.
//
// At least once, with effects once: a handler gets the run's and step's id, leaves them in what it commits
// (`lakehouse.run-id`, `lakehouse.step-id` in the snapshot's summary) and looks for them before it works;
// `StepRun.once` remembers the parts of a step. A trigger has a key (the event's number, the due time)
// that is unique, so that one event makes one run however often it is read.
//
// A pipeline with `branch` runs write, audit, publish: all its steps work on a branch of their own run, and
// a step of kind `publish` merges it when every other step has succeeded (`RunBranch.swift`).
//
// Nobody polls: the scheduler thread sleeps until the next due time, retry or timeout, and is woken
// by events, by finished steps and by people. Every change of a run is an event in the outbox of
// `jobs.sqlite` (`job.run.changed`), whose signal is what a console listens to.
//
// Runs act with the present rights of the pipeline's owner or of its `run-as`, whoever started them, and are
// refused when that account is gone or shut out; starting, seeing and editing are actions of their own. Cron follows Debian's cron, with its rule for daylight saving.
