// Authority: who asks, for what, and the one decision point (DESIGN section 2, number 4).
//
// Every verb of a domain (layer L3) takes a `RequestContext` as its first argument and asks its
// `Authorizer` before it touches anything, so that jobs, Kafka and SQL cannot forget to. The types
// are pure values; the decisions over grants and policies are made in `Identity`.
//
//     door (HTTP, SQL, job) ──▶ RequestContext ──▶ domain verb ──▶ authorizer.decide(action, resource)
//                                                                   └▶ Decision: allow with row filter
//                                                                      and masks, or deny with a reason
//
// There are no task-locals: worker threads of the engine would not see them.
