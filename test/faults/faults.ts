/**
 * Deliberate faults of the engine: each breaks one promise by one change of the sources, and the tests named with it must
 * turn red. `npm run faults` applies them one at a time.
 *
 * @see run.ts
 */

/** One fault. The text to be replaced stands in the file exactly once. */
export interface Fault {
  readonly name: string
  /** What it breaks: an invariant of the engine, or a row of the semantics. */
  readonly breaks: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** Paths of tests, as for `npm test -- PATH`: what must catch it. */
  readonly tests: ReadonlyArray<string>
}

export const faults: ReadonlyArray<Fault> = [
  {
    name: "who asks the store in a loop leaves nobody else a turn",
    breaks: "N1, I5",
    file: "src/persistence/sql/Database.ts",
    from: "const askedMax = 32",
    to: "const askedMax = Infinity",
    tests: ["runtime/worker.test"]
  },
  {
    name: "a message reaches a run of another namespace",
    breaks: "X1",
    file: "src/persistence/sql/Mailbox.ts",
    from: "SELECT run_id, status, owner FROM perdure_runs WHERE +namespace = :namespace AND run_id IN (",
    to: "SELECT run_id, status, owner FROM perdure_runs WHERE run_id IN (",
    tests: ["persistence/namespaces"]
  },
  {
    name: "activities are claimed from queues of another namespace",
    breaks: "X1",
    file: "src/persistence/sql/Tasks.ts",
    from: "AND namespace = :namespace AND task_queue = ? AND pinned_to = ?${part}\n      AND due_at <= ?",
    to: "AND task_queue = ? AND pinned_to = ?${part}\n      AND due_at <= ?",
    tests: ["persistence/namespaces"]
  },
  {
    name: "rows are written into the first namespace, whichever the store is of",
    breaks: "X1",
    file: "src/persistence/sql/Namespaces.ts",
    from: "sql.replaceAll(\":namespace\", String(Math.trunc(id)))",
    to: "sql.replaceAll(\":namespace\", String(Math.trunc(id) && 1))",
    tests: ["persistence/namespaces"]
  },
  {
    name: "a start goes into a namespace that was deleted",
    breaks: "X1",
    file: "src/persistence/sql/Starts.ts",
    from: "yield* exists(tx)",
    to: "yield* Effect.void",
    tests: ["persistence/namespaces"]
  },
  {
    name: "a namespace with workers is deleted",
    breaks: "X1",
    file: "src/persistence/sql/Namespaces.ts",
    from: "  [\"workers\", \"perdure_workers\"],\n",
    to: "",
    tests: ["persistence/namespaces"]
  },
  {
    name: "a run is deleted though its archive failed",
    breaks: "X1",
    file: "src/persistence/sql/Retention.ts",
    from: "{ onFailure: ({ reason }) => reason,",
    to: "{ onFailure: () => undefined,",
    tests: ["persistence/namespaces", "persistence/archive"]
  },
  {
    name: "runs are deleted before their time",
    breaks: "X1",
    file: "src/persistence/sql/Retention.ts",
    from: "tx(old, [now - found.retention,",
    to: "tx(old, [now,",
    tests: ["persistence/namespaces"]
  },
  {
    name: "the rest of a long history is forgotten",
    breaks: "X1",
    file: "src/persistence/sql/Retention.ts",
    from: "if ((yield* tx(rest, [runId])).length === 0) {",
    to: "if ((yield* tx(rest, [runId])).length >= 0) {",
    tests: ["persistence/namespaces"]
  },
  {
    name: "a worker without an archive deletes what is to be archived",
    breaks: "X1",
    file: "src/persistence/sql/Retention.ts",
    from: "if (found.archived && archive === undefined) {",
    to: "if (found.archived && archive !== undefined) {",
    tests: ["persistence/namespaces"]
  },
  {
    name: "sweeping takes all the time that there is",
    breaks: "X1",
    file: "src/runtime/Sweeping.ts",
    from: "Math.max(Limits.sweepPauseMillis, took * Limits.sweepRestShare)",
    to: "0 * took * Limits.sweepRestShare",
    tests: ["runtime/retention"]
  },
  {
    name: "a start in the caller's transaction is committed on its own",
    breaks: "X2",
    file: "src/persistence/sql/Database.ts",
    from: "if (callers === undefined) return reserved(",
    to: "if (callers === undefined || operation === \"create\") return reserved(",
    tests: ["runtime/transaction-client"]
  },
  {
    name: "a start takes part in a transaction of another database",
    breaks: "X2",
    file: "src/persistence/sql/Database.ts",
    from: "if (row?.place === place) return",
    to: "if (row !== undefined) return",
    tests: ["runtime/transaction-client"]
  },
  {
    name: "a call that cannot be made in a transaction is tried again and again",
    breaks: "X2",
    file: "src/persistence/sqlite/SqliteDialect.ts",
    from: "[\"SQLITE_BUSY_SNAPSHOT\", \"Locked\", false]",
    to: "[\"SQLITE_BUSY_SNAPSHOT\", \"Locked\", true]",
    tests: ["runtime/transaction-client"]
  },
  {
    name: "a worker takes what is pinned to another build",
    breaks: "V6",
    file: "src/persistence/sql/Claims.ts",
    from: "AND +namespace = :namespace AND pinned_to IN ('', ?) AND run_id IN (`,",
    to: "AND +namespace = :namespace AND ? IS NOT NULL AND run_id IN (`,",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "a run in memory stays where it is when another build is made current",
    breaks: "V6",
    file: "src/runtime/execution/Execution.ts",
    from: "if (this.routed !== this.around.routes.generation && this.isMisplaced()) return this.giveUp()",
    to: "if (this.routed < 0 && this.isMisplaced()) return this.giveUp()",
    tests: ["runtime/versions"]
  },
  {
    name: "a run that is given up keeps its epoch",
    breaks: "V6, I4",
    file: "src/persistence/sql/Releasing.ts",
    from: "SET owner = NULL, epoch = epoch + 1, wake_at = ?",
    to: "SET owner = NULL, wake_at = coalesce(wake_at, ?)",
    tests: ["persistence/SqliteStore", "runtime/versions"]
  },
  {
    name: "a turn does not record the build that took it",
    breaks: "V6, I6",
    file: "src/runtime/execution/Assignment.ts",
    from: "events.length === 0 || Versions.same(state.version, assigned.version)",
    to: "events.length >= 0 || Versions.same(state.version, assigned.version)",
    tests: ["runtime/versions"]
  },
  {
    name: "activities of a pinned run go to anybody",
    breaks: "V6",
    file: "src/runtime/execution/Consequences.ts",
    from: "pinnedTo: taskQueue === run.taskQueue\n",
    to: "pinnedTo: taskQueue !== run.taskQueue\n",
    tests: ["runtime/versions"]
  },
  {
    name: "a supplier of slots hears of no end",
    breaks: "N3",
    file: "src/runtime/Slots.ts",
    from: "for (; this.held > used; this.held--) this.ask(",
    to: "for (; this.held > used; this.held--) void (",
    tests: ["runtime/slots"]
  },
  {
    name: "a supplier of slots that failed is not asked again",
    breaks: "N3",
    file: "src/runtime/Slots.ts",
    from: "this.timer = undefined\n      more()",
    to: "this.timer = undefined",
    tests: ["runtime/slots"]
  },
  {
    name: "a ramp is another one at each look",
    breaks: "V6",
    file: "src/core/Routing.ts",
    from: "hash = Math.imul(hash, 0x7feb352d)",
    to: "hash = Math.imul(hash, 0x7feb352f)",
    tests: ["core/Routing"]
  },
  {
    name: "what comes to a copy on its way out brings the run back too early",
    breaks: "S1, I2",
    file: "src/runtime/execution/Execution.ts",
    from: "if (this.isStopped) return this.around.tooLate(item)",
    to: "if (this.isStopped) return this.around.drop(this, [item], \"Refused\")",
    tests: ["simulation/found"]
  },
  {
    name: "a child takes the workflow id of a chain that goes on",
    breaks: "I3, K2, K10",
    file: "src/persistence/sql/Turns.ts",
    from: "if (creation.run.runId === turn.close?.next) {",
    to: "if (creation.run.runId === \"\") {",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "a list moves what closes while it is read",
    breaks: "X13",
    file: "src/persistence/sql/Listing.ts",
    from: "found.push(...[...open, ...closedSince].sort(newestFirst).slice(0, limit))",
    to: "found.push(...open)",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "a reset does not see what came meanwhile",
    breaks: "C11, I3",
    file: "src/persistence/sql/Resetting.ts",
    from: "if (from.turn !== of.turn || last",
    to: "if (from.turn < of.turn || last",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "a reset run draws what the old one drew",
    breaks: "C11, W2",
    file: "src/runtime/interpreter/Interpreter.ts",
    from: "        this.seedRunId = event.runId\n",
    to: "",
    tests: ["runtime/reset"]
  },
  {
    name: "a reset forgets the mail that no turn has seen",
    breaks: "C11, S1",
    file: "src/persistence/sql/Resetting.ts",
    from: "[...reset.mail, ...kept.map((mail) => ({ ...mail, runId }))]",
    to: "[...reset.mail]",
    tests: ["runtime/reset"]
  },
  {
    name: "a cron goes on after a cancel request",
    breaks: "X10",
    file: "src/core/Succession.ts",
    from: "if (started.cron === undefined || cancelRequested) return undefined",
    to: "if (started.cron === undefined) return undefined",
    tests: ["runtime/cron"]
  },
  {
    name: "a turn that was cut leaves its fiber behind",
    breaks: "W10, I7",
    file: "src/runtime/interpreter/Blocking.ts",
    from: "    currentFiber.set(Option.getOrNull(before))\n",
    to: "    void before\n",
    tests: ["interpreter/Runaway"]
  },
  {
    name: "effects before their commit",
    breaks: "I2",
    file: "src/runtime/Committer.ts",
    from: "    this.turns.push({ commit, done, trouble })\n",
    to: "    this.turns.push({ commit, done: () => {}, trouble })\n    done(undefined)\n",
    tests: ["proofs/kill", "proofs/crash"]
  },
  {
    name: "a task token outlives its attempt",
    breaks: "A10",
    file: "src/persistence/sql/OutsideTasks.ts",
    from: "const underWay = `run_id = ? AND seq = ? AND attempt = ?",
    to: "const underWay = `run_id = ? AND seq = ? AND attempt >= 0 * ?",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "an outcome from outside is not mailed with the end of its task",
    breaks: "A9, I3",
    file: "src/persistence/sql/OutsideTasks.ts",
    from: "              yield* mailbox.post(tx, [change.mail], now)\n",
    to: "",
    tests: ["runtime/activity-async"]
  },
  {
    name: "the timeouts of an attempt that was handed over stop",
    breaks: "A9, I5",
    file: "src/persistence/sql/Tasks.ts",
    from: "WHERE state IN ('queued', 'handed', 'paused') AND namespace = :namespace AND expires_at <= ?",
    to: "WHERE state IN ('queued', 'paused') AND namespace = :namespace AND expires_at <= ?",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "an attempt begins on what was known before an operator's command",
    breaks: "A15",
    file: "src/persistence/sql/TaskChanges.ts",
    from: "state = 'queued' AND revision = v.column6 AND",
    to: "v.column6 >= 0 AND",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "a failed attempt of a paused activity is followed by another one",
    breaks: "A15",
    file: "src/persistence/sql/TaskChanges.ts",
    from: "`state = CASE WHEN paused = 1 THEN 'paused' ELSE 'queued' END,",
    to: "`state = 'queued',",
    tests: ["runtime/activity-control"]
  },
  {
    name: "a start that is reserved does not count against the rate",
    breaks: "A17",
    file: "src/runtime/ActivityRunner.ts",
    from: "    this.slots.uses(this.used)\n    this.limits.take(1)\n    return true\n",
    to: "    this.slots.uses(this.used)\n    return true\n",
    tests: ["runtime/activity-rates"]
  },
  {
    name: "each worker has the queue's rate for itself",
    breaks: "A17",
    file: "src/persistence/sql/StartRates.ts",
    from: "          if (granted > 0) yield* tx(set, [queue, Math.ceil(after * 1_000)])\n",
    to: "",
    tests: ["runtime/activity-rates"]
  },
  {
    name: "the dynamic activity goes before those of their own name",
    breaks: "D6",
    file: "src/runtime/Hosts.ts",
    from: "this.activities.get(name) ?? (reserved(name) === undefined ? this.anyActivity : undefined)",
    to: "(reserved(name) === undefined ? this.anyActivity : undefined) ?? this.activities.get(name)",
    tests: ["runtime/dynamic"]
  },
  {
    name: "what a transactional activity writes is committed apart from its outcome",
    breaks: "I9",
    file: "src/persistence/sql/OutsideTasks.ts",
    from: "            const mail = yield* work\n",
    to: "            const mail = yield* work\n            yield* tx(\"COMMIT\", [])\n" +
      "            yield* Effect.sleep(20)\n            yield* tx(db.dialect.begin, [])\n",
    tests: ["proofs/transactional-kill"]
  },
  {
    name: "a timeout settles a transactional attempt before its transaction has ended",
    breaks: "I9",
    file: "src/runtime/activity/RunningAttempt.ts",
    from: "    if (this.transactional) {\n",
    to: "    if (this.struck !== undefined) {\n",
    tests: ["runtime/transactional"]
  },
  {
    name: "a benign failure is a warning as any other",
    breaks: "R9",
    file: "src/runtime/activity/AttemptLogs.ts",
    from: "benign ? Effect.logDebug(message) : Effect.logWarning(message)",
    to: "Effect.logWarning(message)",
    tests: ["runtime/activity-logs"]
  },
  {
    name: "a step that waited goes on at its first attempt",
    breaks: "L1",
    file: "src/core/family/Step.ts",
    from: "    step.attempt = event.attempt + 1\n",
    to: "    step.attempt = 1\n",
    tests: ["runtime/step-backoff"]
  },
  {
    name: "nothing wakes a run whose step waits for its next attempt",
    breaks: "L1, I5",
    file: "src/core/RunState.ts",
    from: "earlier(Timer.next(state)?.dueAt, stepDueAt(state))",
    to: "Timer.next(state)?.dueAt",
    tests: ["runtime/step-backoff"]
  },
  {
    name: "a timer does not take over what its surroundings say it is for",
    breaks: "W20",
    file: "src/runtime/interpreter/Steps.ts",
    from: "    const summary = own ?? fiber.getFiberRef(Summary.current)\n",
    to: "    const summary = own ?? (fiber.id() === undefined ? Summary.current.initial : undefined)\n",
    tests: ["runtime/summaries"]
  },
  {
    name: "a child is started after a closed one of its id that must not be repeated",
    breaks: "K2",
    file: "src/persistence/sql/Creating.ts",
    from: "found.status !== \"Running\" && refuses(reuse, found.status)",
    to: "found.status === \"Running\" && refuses(reuse, found.status)",
    tests: ["runtime/summaries"]
  },
  {
    name: "a run whose history is full stays open",
    breaks: "K11, I10",
    file: "src/runtime/execution/Execution.ts",
    from: "        const end = HistoryLimits.exceeded(this.state)\n",
    to: "        const end = this.epoch < 0 ? HistoryLimits.exceeded(this.state) : undefined\n",
    tests: ["runtime/long-histories"]
  },
  {
    name: "a run that is brought back does not know how large its history is",
    breaks: "K11",
    file: "src/runtime/Loader.ts",
    from: ", bytes: row.events.length })",
    to: ", bytes: 0 })",
    tests: ["runtime/long-histories"]
  },
  {
    name: "a signal-with-start leaves a run held",
    breaks: "X7",
    file: "src/persistence/sql/Mailbox.ts",
    from: "        yield* Batch.run(tx, releaseFirst, [...beginning], [now, now])\n",
    to: "",
    tests: ["runtime/start-delay"]
  },
  {
    name: "a turn may leave any number of steps pending",
    breaks: "X17, I10",
    file: "src/runtime/execution/Intake.ts",
    from: "  if (reason !== undefined) throw new BodyDefect",
    to: "  if (reason === \"\") throw new BodyDefect",
    tests: ["runtime/limits"]
  },
  {
    name: "a large payload is recorded without a word",
    breaks: "X17",
    file: "src/core/HistoryLimits.ts",
    from: "  const large = (turn.bytes ?? 0) > Limits.payloadBytesWarned\n",
    to: "  const large = (turn.bytes ?? 0) > Limits.payloadBytesMax\n",
    tests: ["runtime/limits"]
  },
  {
    name: "what failed by a cancellation further in counts as canceled",
    breaks: "R12",
    file: "src/dsl/Cancellation.ts",
    from: "const isCancellation = ({ _tag }: Failure): boolean => _tag === \"Canceled\"\n",
    to:
      "const isCancellation = (failure: Failure): boolean =>\n  failure._tag === \"Canceled\" || \"cause\" in failure && failure.cause?._tag === \"Canceled\"\n",
    tests: ["dsl/canceled"]
  },
  {
    name: "a run that never began does not say what was started",
    breaks: "C10, X11",
    file: "src/core/Message.ts",
    from: "  if (_tag !== \"Start\") return events\n",
    to: "  if (_tag !== undefined) return events\n",
    tests: ["runtime/describe"]
  },
  {
    name: "a run that was ended before it began is replayed",
    breaks: "C10",
    file: "src/core/family/Execution.ts",
    from: "second !== undefined && events.length === 2",
    to: "second !== undefined && events.length === 3",
    tests: ["runtime/describe"]
  },
  {
    name: "a thread that crashed is used again",
    breaks: "D5",
    file: "src/threads/Threads.ts",
    from: "thread.gone || !over ? Effect.scoped(Pool.invalidate(pool, thread)) : Effect.void",
    to: "Effect.void",
    tests: ["runtime/threads.test"]
  },
  {
    name: "no fence: any epoch may write",
    breaks: "I4",
    file: "src/persistence/sql/Verdict.ts",
    from: "closed.has(runId) || facts.epochs.get(runId) !== turn.epoch",
    to: "closed.has(runId)",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "a worker that was taken over goes on claiming",
    breaks: "I4, I5",
    file: "src/persistence/sql/Leases.ts",
    from: "(rows) => rows.length > 0)\n}\n",
    to: "(rows) => rows.length >= 0)\n}\n",
    tests: ["persistence/SqliteStore", "simulation/found"]
  },
  {
    name: "wake-ups are not written",
    breaks: "I5",
    file: "src/runtime/execution/Execution.ts",
    from: "        wake: this.wakeUp.after(this.state, at),\n",
    to: "        wake: undefined,\n",
    tests: ["proofs/crash"]
  },
  {
    name: "tasks go missing from the commit of their turn",
    breaks: "I3",
    file: "src/runtime/execution/Execution.ts",
    from: "        tasksAdded: consequences.tasksAdded,\n",
    to: "        tasksAdded: [],\n",
    tests: ["proofs/crash"]
  },
  {
    name: "messages stay in the mailbox after their turn",
    breaks: "I3",
    file: "src/runtime/execution/Execution.ts",
    from: "        consumed: Items.mailIds(taken, dropped),\n",
    to: "        consumed: [],\n",
    tests: ["runtime/client.test"]
  },
  {
    name: "a mailbox row is handed in at every poll",
    breaks: "S1",
    file: "src/runtime/execution/Execution.ts",
    from: "    if (this.mail.has(item.mailId)) return false\n",
    to: "",
    tests: ["runtime/client.test"]
  },
  {
    name: "the last message first",
    breaks: "I1, S1",
    file: "src/runtime/execution/Execution.ts",
    from: "end === undefined ? this.inbox.shift() : undefined",
    to: "end === undefined ? this.inbox.pop() : undefined",
    tests: ["proofs/batching", "runtime/client.test"]
  },
  {
    name: "cancel requests do not reach activities",
    breaks: "C5, A6",
    file: "src/runtime/Engine.ts",
    from: "        if (!this.activities.cancel(runId, seq)) this.cancelElsewhere(runId, seq)\n",
    to: "",
    tests: ["runtime/activity-cancel"]
  },
  {
    name: "cancel requests do not reach the body",
    breaks: "C1",
    file: "src/runtime/interpreter/Interpreter.ts",
    from: "      this.requests.strike()\n",
    to: "",
    tests: ["interpreter/Cancel"]
  },
  {
    name: "the outcome of an activity counts twice",
    breaks: "I9",
    file: "src/core/family/Activity.ts",
    from: "state.activities.has(message.outcome.seq)\n",
    to: "state.activities.has(message.outcome.seq) || true\n",
    tests: ["core/family/Activity"]
  },
  {
    name: "a replay does not compare which activity it is",
    breaks: "I6",
    file: "src/core/family/Activity.ts",
    from: "recorded.seq === attempted.seq && recorded.name === attempted.name && recorded.id === attempted.id",
    to: "recorded.seq === attempted.seq",
    tests: ["proofs/probes"]
  },
  {
    name: "a run ends over the head of signals that wait",
    breaks: "S3",
    file: "src/runtime/execution/Consequences.ts",
    from: "    refuseIfMail: state.closed._tag !== \"ExecutionTerminated\",",
    to: "    refuseIfMail: false,",
    tests: ["runtime/end-undone", "simulation/found"]
  },
  {
    name: "signals that wait in memory do not undo an end",
    breaks: "S3",
    file: "src/runtime/execution/Execution.ts",
    from: "if (ending && this.mustRedo()) {",
    to: "if (ending && this.mustRedo() && false) {",
    tests: ["runtime/end-undone"]
  },
  {
    name: "real time gets into a turn",
    breaks: "I6, I8",
    file: "src/runtime/interpreter/BodyServices.ts",
    from: "    return this.body.time\n",
    to: "    return performance.timeOrigin + performance.now()\n",
    tests: ["interpreter/Services", "proofs/prefix"]
  },
  {
    name: "a failed turn fails the run",
    breaks: "I7",
    file: "src/runtime/interpreter/Interpreter.ts",
    from: "return failsTurn(cause, this.options)",
    to: "return false",
    tests: ["interpreter/Turns", "runtime/worker-faults"]
  },
  {
    name: "a query may write",
    breaks: "I11",
    file: "src/runtime/interpreter/Steps.ts",
    from: "    if (this.body.isReadOnly) {\n",
    to: "    if (this.body.isReadOnly && false) {\n",
    tests: ["interpreter/Handlers"]
  },
  {
    name: "an evicted body runs its finalizers",
    breaks: "DETERMINISM 4",
    file: "src/runtime/interpreter/FiberTracker.ts",
    from: "    for (const fiber of this.alive) roots.delete(fiber)\n",
    to: "    for (const fiber of this.alive) fiber.unsafeInterruptAsFork(fiber.id())\n",
    tests: ["interpreter/Eviction"]
  },
  {
    name: "a lost attempt does not count",
    breaks: "A11, I9",
    file: "src/runtime/Poller.ts",
    from: "    if (task.state === \"lost\") return engine.activities.fail(attempt, Attempts.lost)\n",
    to: "",
    tests: ["proofs/crash", "runtime/processes", "simulation/found"]
  },
  {
    name: "compensations run in the order of their steps",
    breaks: "saga",
    file: "src/runtime/interpreter/Compensations.ts",
    from: "const undo = this.undos.pop()",
    to: "const undo = this.undos.shift()",
    tests: ["interpreter/Saga"]
  },
  {
    name: "an old history takes the new way at a patch",
    breaks: "V1",
    file: "src/runtime/interpreter/Patches.ts",
    from: "    const answer = replaying\n",
    to: "    const answer = replaying && recorded.length > 9\n",
    tests: ["interpreter/Patches"]
  },
  {
    name: "a patch is answered anew each time",
    breaks: "V1",
    file: "src/runtime/interpreter/Patches.ts",
    from: "    if (before !== undefined) return before\n",
    to: "",
    tests: ["interpreter/Patches"]
  },
  {
    name: "code may do without any marker",
    breaks: "V2",
    file: "src/core/family/Patch.ts",
    from: "mayLack: (event: PatchMarked): boolean => event.deprecated === true",
    to: "mayLack: (_: PatchMarked): boolean => true",
    tests: ["core/family/Patch", "interpreter/Patches"]
  },
  {
    name: "every run gets the behaviours of today",
    breaks: "V5",
    file: "src/runtime/interpreter/Interpreter.ts",
    from: "    return this.flags.has(flag.number)\n",
    to: "    return flag.number > 0\n",
    tests: ["interpreter/Flags"]
  },
  {
    name: "a dynamic handler gets reserved names",
    breaks: "D9",
    file: "src/runtime/interpreter/Handlers.ts",
    from:
      "    const dynamic = this.set.dynamic.signals\n    if (dynamic === undefined || reserved(name) !== undefined) return undefined\n",
    to: "    const dynamic = this.set.dynamic.signals\n    if (dynamic === undefined) return undefined\n",
    tests: ["interpreter/Dynamic"]
  },
  {
    name: "signals that wait for a handler that is set late are lost",
    breaks: "S2, W18",
    file: "src/runtime/interpreter/Handlers.ts",
    from: "(this.canHandle(each.event) ? ready : this.waiting).push(each)",
    to: "if (this.canHandle(each.event)) this.waiting.push(each)",
    tests: ["interpreter/Dynamic"]
  },
  {
    name: "nobody says that handlers were cut short",
    breaks: "S8",
    file: "src/runtime/execution/Execution.ts",
    from: "    consequences.unfinished = output.unfinished\n",
    to: "",
    tests: ["runtime/messages"]
  },
  {
    name: "a signal that today's schema does not read is lost on replay",
    breaks: "D7",
    file: "src/runtime/interpreter/Handlers.ts",
    from: "        if (this.body.replaying) return this.body.fail",
    to: "        if (this.body.replaying && number < 0) return this.body.fail",
    tests: ["interpreter/Evolution"]
  },
  {
    name: "a signal that could not be read comes back with another schema",
    breaks: "S4, I6",
    file: "src/runtime/interpreter/Handlers.ts",
    from: "    if (event.dropped === true) return\n",
    to: "",
    tests: ["interpreter/Evolution"]
  },
  {
    name: "a commit whose answer was lost is written again",
    breaks: "I2, N1",
    file: "src/runtime/Committer.ts",
    from: "{ ...commit, again: true }",
    to: "{ ...commit, again: false }",
    tests: ["simulation/found"]
  },
  {
    name: "a commit that failed is not tried again",
    breaks: "N1",
    file: "src/runtime/Committer.ts",
    from: "      if (this.stopped) return Effect.interrupt\n",
    to: "      return Effect.interrupt\n",
    tests: ["simulation/found"]
  },
  {
    name: "an answer is given after a commit whose result is unknown",
    breaks: "I2",
    file: "src/runtime/Committer.ts",
    from: "for (const queued of turns) queued.trouble?.(error) }",
    to: "for (const queued of turns) queued.done(undefined) }",
    tests: ["simulation/found"]
  },
  {
    name: "what waits for its commit outlives the lease",
    breaks: "I4, I5",
    file: "src/runtime/Committer.ts",
    from: "    const { tasks, turns } = this\n    this.turns = []\n",
    to: "    const { tasks, turns } = this\n",
    tests: ["runtime/committer"]
  },
  {
    name: "a copy whose turn was fenced goes on",
    breaks: "I4",
    file: "src/runtime/execution/Execution.ts",
    from: "        if (refusal !== undefined) return this.refused(refusal, letters, starts)\n",
    to: "",
    tests: ["simulation/found"]
  },
  {
    name: "taking over leaves the runs to the worker that is gone",
    breaks: "I5",
    file: "src/persistence/sql/Leases.ts",
    from: "              yield* tx(freeRuns, [worker])\n",
    to: "",
    tests: ["simulation/found"]
  },
  {
    name: "mail that could not be taken in is not shown again",
    breaks: "S1, I5",
    file: "src/runtime/Poller.ts",
    from: "    this.lastMailId = 0\n    this.dueAt(at)\n",
    to: "    this.dueAt(at)\n",
    tests: ["runtime/worker-faults"]
  },
  {
    name: "an upsert replaces the whole memo",
    breaks: "W12",
    file: "src/core/family/Notes.ts",
    from: "  const merged = new Map(before.map((one) => [one.name, one]))\n",
    to: "  const merged = new Map<string, A>()\n",
    tests: ["core/family/Notes", "runtime/notes"]
  },
  {
    name: "search attributes are not kept for the list",
    breaks: "W13, I3",
    file: "src/persistence/sql/Turns.ts",
    from: "        steps.push(attributes.set(tx, rows.attributes))\n",
    to: "",
    tests: ["runtime/notes"]
  },
  {
    name: "metrics count on replay",
    breaks: "W3",
    file: "src/runtime/interpreter/Interpreter.ts",
    from: "Metrics.silence(input.replaying)",
    to: "Metrics.silence(false)",
    tests: ["interpreter/Metrics"]
  },
  {
    name: "metrics stay silent after a replay",
    breaks: "W3",
    file: "src/runtime/interpreter/Interpreter.ts",
    from: "      Metrics.silence(silent)\n",
    to: "",
    tests: ["interpreter/Metrics"]
  },
  {
    name: "a handler does not know its update",
    breaks: "U11",
    file: "src/runtime/interpreter/Handlers.ts",
    from: "ofUpdate(event, handler)",
    to: "handler",
    tests: ["interpreter/CurrentUpdate"]
  },
  {
    name: "the run that follows is not in the commit of the end",
    breaks: "K10, I3",
    file: "src/runtime/execution/Execution.ts",
    from: "        creates,\n",
    to: "        creates: Consequences.nothing.creates,\n",
    tests: ["runtime/chain.test"]
  },
  {
    name: "what waits unseen stays with the run that ends",
    breaks: "U7",
    file: "src/persistence/sql/Turns.ts",
    from: "        steps.push(mailbox.move(tx, rows.moves))\n",
    to: "",
    tests: ["runtime/chain.test"]
  },
  {
    name: "compensations run though the run is continued",
    breaks: "K10",
    file: "src/runtime/interpreter/Program.ts",
    from: "this.continuing !== undefined || this.body.failsTurn(exit.cause)",
    to: "this.body.failsTurn(exit.cause)",
    tests: ["runtime/chain.test"]
  },
  {
    name: "a result stays with the run that was started",
    breaks: "K12",
    file: "src/runtime/client/Ending.ts",
    from: "    const runId = followerOf(end)\n",
    to: "    const runId = followerOf(end) && undefined\n",
    tests: ["runtime/chain.test"]
  },
  {
    name: "a run that is out of its time is brought back",
    breaks: "X8",
    file: "src/runtime/Loader.ts",
    from: "if (Expiry.isExpired(run, now)) return",
    to: "if (Expiry.isExpired(run, -now)) return",
    tests: ["runtime/run-terms"]
  },
  {
    name: "nothing wakes a run at the end of its time",
    breaks: "X8, I5",
    file: "src/core/RunState.ts",
    from: ", Succession.expiresAt(state.started))",
    to: ", undefined)",
    tests: ["core/Succession"]
  },
  {
    name: "a signal ends the wait of a held start",
    breaks: "X7",
    file: "src/persistence/sql/Mailbox.ts",
    from: "(start_at IS NULL OR start_at <= ?)",
    to: "(start_at IS NULL OR start_at <> ?)",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "a run is tried again after a cancel request",
    breaks: "X9",
    file: "src/core/Succession.ts",
    from: "    cancelRequested: ending.cancelRequested,\n",
    to: "    cancelRequested: false,\n",
    tests: ["core/Succession"]
  },
  {
    name: "a message that comes with a start is posted after it",
    breaks: "S10, U13",
    file: "src/persistence/sql/Starts.ts",
    from: "          yield* mailbox.post(tx, options.mail ?? [], startedAt)\n",
    to: "",
    tests: ["proofs/with-start"]
  },
  {
    name: "a first turn leaves the signal that came with its start for later",
    breaks: "S10",
    file: "src/runtime/Engine.ts",
    from: "    execution.inbox.push(...others)\n    execution.post(Items.letter(start, settled))\n",
    to: "    execution.post(Items.letter(start, settled))\n    for (const other of others) execution.post(other)\n",
    tests: ["proofs/with-start"]
  },
  {
    name: "a signal that is sent again is taken in again",
    breaks: "S1",
    file: "src/core/family/Signal.ts",
    from: "state.signalRequests?.has(message.requestId) === true",
    to: "state.signalRequests?.has(message.requestId) === null",
    tests: ["core/family/Signal", "proofs/with-start"]
  },
  {
    name: "the request of a start is forgotten",
    breaks: "X6",
    file: "src/persistence/sql/Starts.ts",
    from: "            yield* requests.remember(tx, workflowId, requestId, runId)\n",
    to: "",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "a deleted run leaves its history",
    breaks: "C12",
    file: "src/persistence/sql/Deleting.ts",
    from: "const parts = [history, ...belongings,",
    to: "const parts = [...belongings,",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "answers to callers are written in the clear",
    breaks: "N5",
    file: "src/persistence/codec/EncodedStore.ts",
    from: "        replies: yield* Effect.forEach(commit.replies, reply),\n",
    to: "        replies: commit.replies,\n",
    tests: ["runtime/codecs"]
  },
  {
    name: "memos are written in the clear",
    breaks: "N5",
    file: "src/persistence/codec/EncodedStore.ts",
    from: "        notes: yield* optional(commit.notes, (text) => coding.encode(text, owner)),\n",
    to: "",
    tests: ["runtime/codecs"]
  },
  {
    name: "a commit that is asked for again is encoded anew",
    breaks: "N5, I2",
    file: "src/persistence/codec/EncodedStore.ts",
    from: "Effect.tap(encode(value), (encoded) => void known.set(value, encoded))",
    to: "encode(value)",
    tests: ["persistence/EncodedStore"]
  },
  {
    name: "the outcome of a child is not told to its parent",
    breaks: "I3, K3",
    file: "src/runtime/execution/Consequences.ts",
    from: "  if (told !== undefined) out.add(\"outgoing\", told)\n",
    to: "",
    tests: ["runtime/children"]
  },
  {
    name: "nobody is told whether a child was created",
    breaks: "I3, I5, K2",
    file: "src/persistence/sql/Creating.ts",
    from: "[...starts, ...reportsOf(creations, conflicts, refused)]",
    to: "starts",
    tests: ["runtime/children"]
  },
  {
    name: "a child's outcome is told for each run of its chain",
    breaks: "K3",
    file: "src/core/family/Child.ts",
    from: "  if (followerOf(closing) !== undefined) return undefined\n",
    to: "",
    tests: ["core/family/Child", "runtime/children"]
  },
  {
    name: "a child forgets its parent when it goes on as another run",
    breaks: "K3, I5",
    file: "src/core/Succession.ts",
    from: "  ...(started.parent === undefined ? {} : { parent: started.parent }),\n",
    to: "",
    tests: ["runtime/children"]
  },
  {
    name: "the close policies of children are not applied",
    breaks: "K4",
    file: "src/persistence/sql/Turns.ts",
    from: "        steps.push(children.closeWith(tx, rows.parents, now))\n",
    to: "",
    tests: ["runtime/children"]
  },
  {
    name: "a termination from outside leaves the children alone",
    breaks: "K4",
    file: "src/persistence/sql/Imposing.ts",
    from: "        yield* children.closeWith(tx, [runId], now)\n",
    to: "",
    tests: ["runtime/children"]
  },
  {
    name: "the cancel request for a child is forgotten",
    breaks: "K5",
    file: "src/runtime/execution/Consequences.ts",
    from: "        out.add(\"outgoing\", Relations.childCancel(event, situation.run.runId))\n",
    to: "",
    tests: ["runtime/children"]
  },
  {
    name: "nobody is told what became of a message to another run",
    breaks: "K8, I5",
    file: "src/persistence/sql/Outgoing.ts",
    from: "        yield* mailbox.post(tx, told, now)\n",
    to: "",
    tests: ["runtime/externals"]
  },
  {
    name: "a taken workflow id counts as a child that was created",
    breaks: "K2",
    file: "src/persistence/sql/Creating.ts",
    from: ": { _tag: \"AlreadyRunning\", runId: existing }\n    ))",
    to: ": { _tag: \"Created\" }\n    ))",
    tests: ["runtime/children"]
  },
  {
    name: "messages to other executions are written in the clear",
    breaks: "N5",
    file: "src/persistence/codec/EncodedStore.ts",
    from: "        body: yield* coding.encode(one.body, owner),\n",
    to: "",
    tests: ["runtime/codecs"]
  },
  {
    name: "a read of mail brings what was taken in meanwhile",
    breaks: "S1",
    file: "src/runtime/MailReads.ts",
    from: "this.gone.size === 0 ? all : all.filter(({ id }) => !this.gone.has(id))",
    to: "all",
    tests: ["simulation/found"]
  },
  {
    name: "a run that was ended while it was brought back stays in memory",
    breaks: "C10",
    file: "src/runtime/Loader.ts",
    from: "execution.state.closed !== undefined || mail.some(",
    to: "mail.some(",
    tests: ["simulation/found"]
  },
  {
    name: "a message that the last turn took in waits for the run that follows as well",
    breaks: "U7, I3",
    file: "src/persistence/sql/Turns.ts",
    from: "    for (const id of turn.consumed) {\n",
    to: "    for (const id of turn.close?.next === undefined ? turn.consumed : []) {\n",
    tests: ["durable/chains", "durable/entities"]
  },
  {
    name: "a child whose parent closed is not asked to cancel",
    breaks: "K4",
    file: "src/persistence/sql/Children.ts",
    from: "const mail = asked.map(",
    to: "const mail = asked.slice(1).map(",
    tests: ["durable/children"]
  },
  {
    name: "a child that is to be left alone goes with its parent",
    breaks: "K4",
    file: "src/persistence/sql/Children.ts",
    from: "filter(({ close }) => close === \"Terminate\")",
    to: "filter(({ close }) => close !== \"RequestCancel\")",
    tests: ["durable/children"]
  },
  {
    name: "a rollover begins anew",
    breaks: "P1",
    file: "src/dsl/Entity.ts",
    from: "codec.encode(yield* state.get)",
    to: "codec.encode(options.initial(key))",
    tests: ["durable/entities"]
  },
  {
    name: "runs of yesterday's code take the new way of a patch",
    breaks: "V1",
    file: "src/runtime/interpreter/Patches.ts",
    from: "? recorded.some((event) => event._tag === \"PatchMarked\" && event.id === id)",
    to: "? true",
    tests: ["durable/deployments"]
  },
  {
    name: "a check takes the end of the first run for that of the chain",
    breaks: "Durable.check: chains",
    file: "src/testing/durable/Runs.ts",
    from: "chain.at(-1)!",
    to: "chain[0]!",
    tests: ["durable/chains"]
  },
  {
    name: "a check compares no two runs",
    breaks: "Durable.check: Kin",
    file: "src/testing/durable/Kin.ts",
    from: "const found: Array<string> = []\n",
    to: "const found: Array<string> = []\n  if (runs.length > 0) return found\n",
    tests: ["durable/Kin"]
  },
  {
    name: "a check does not see what is there twice",
    breaks: "Durable.check: Twice",
    file: "src/testing/durable/Finding.ts",
    from: "if (count > most && key",
    to: "if (count > most + 9 && key",
    tests: ["durable/Kin"]
  },
  {
    name: "a deployment goes on with the code of before",
    breaks: "Durable.check: Deployment",
    file: "src/testing/durable/Explore.ts",
    from: "life === 1 ? before(world)",
    to: "life > 0 ? before(world)",
    tests: ["durable/deployments"]
  },
  {
    name: "a run that a commit without an answer created is brought in twice",
    breaks: "I4",
    file: "src/runtime/Engine.ts",
    from: "      load: (runId, items) => this.bring(runId, items),\n",
    to: "      load: (runId, items) => this.load(runId, items),\n",
    tests: ["simulation/found"]
  },
  {
    name: "a claimed attempt begins again with its own start",
    breaks: "A11, I9",
    file: "src/runtime/ActivityRunner.ts",
    from: "const stale = refused || beginning.claimed\n",
    to: "const stale = refused\n",
    tests: ["runtime/activity-runner", "simulation/found"]
  },
  {
    name: "the end of a child is kept from its parent, in the proofs",
    breaks: "I3, K3",
    file: "src/runtime/execution/Consequences.ts",
    from: "  const told = parent === undefined ? undefined : Relations.toParent(parent, state.runId, closing)\n",
    to:
      "  const told = parent === undefined || at % 2 === 0 ? undefined : Relations.toParent(parent, state.runId, closing)\n",
    tests: ["proofs/prefix"]
  },
  {
    name: "children outlive their parents, in the simulation",
    breaks: "K4",
    file: "src/persistence/sql/Children.ts",
    from: "      const ended = children.filter(({ close }) => close === \"Terminate\")\n",
    to: "      const ended = children.filter(({ close, owner }) => close === \"Terminate\" && owner === undefined)\n",
    tests: ["simulation/found"]
  },
  {
    name: "a cancel request of a close policy goes astray, in the simulation",
    breaks: "K4",
    file: "src/persistence/sql/Children.ts",
    from: "      const asking = Effect.asVoid(mailbox.post(tx, mail, now))\n",
    to: "      const asking = Effect.asVoid(mailbox.post(tx, mail.slice(1), now))\n",
    tests: ["simulation/found"]
  },
  {
    name: "a message to another run is delivered twice, in the proofs",
    breaks: "K8, I9",
    file: "src/persistence/sql/Outgoing.ts",
    from: "            posting.push([message, { runId: run.runId, kind, body }])\n",
    to: "            posting.push([message, { runId: run.runId, kind, body }])\n" +
      "            if (kind === \"Signal\") posting.push([{ ...message, acknowledge: undefined }, { runId: run.runId, kind, body }])\n",
    tests: ["proofs/prefix"]
  },
  {
    name: "a run that continues begins with the input of before, in the proofs",
    breaks: "K10",
    file: "src/core/Succession.ts",
    from: "    ...(closing.input === undefined ? {} : { input: closing.input }),\n",
    to: "    ...(started.input === undefined ? {} : { input: started.input }),\n",
    tests: ["proofs/prefix"]
  },
  {
    name: "attempts of a run are not counted, in the proofs",
    breaks: "X9",
    file: "src/core/Succession.ts",
    from: "      attempt: attempt + 1,\n",
    to: "      attempt: Math.min(attempt + 1, 2),\n",
    tests: ["proofs/prefix"]
  },
  {
    name: "a run of the old way takes the new one when it is replayed, in the proofs",
    breaks: "V1",
    file: "src/runtime/interpreter/Patches.ts",
    from: "? recorded.some((event) => event._tag === \"PatchMarked\" && event.id === id)",
    to: "? recorded.length > 0",
    tests: ["proofs/prefix", "simulation/found"]
  },
  {
    name: "a patch that is asked for live leaves no marker, in the proofs",
    breaks: "V1",
    file: "src/runtime/interpreter/Patches.ts",
    from: "    if (answer) this.body.issue({ _tag: \"MarkPatch\", id, deprecated }, place)\n",
    to: "    if (answer && replaying) this.body.issue({ _tag: \"MarkPatch\", id, deprecated }, place)\n",
    tests: ["proofs/prefix", "simulation/found"]
  },
  {
    name: "the last interceptor listed is the outermost",
    breaks: "N6",
    file: "src/dsl/Interceptor.ts",
    from: "of [...interceptors].reverse()) {",
    to: "of [...interceptors]) {",
    tests: ["runtime/interceptors"]
  },
  {
    name: "an attempt is not told the headers of its call",
    breaks: "N6",
    file: "src/runtime/activity/Attempt.ts",
    from: "headers: scheduled.headers ?? noHeaders",
    to: "headers: noHeaders",
    tests: ["runtime/interceptors"]
  },
  {
    name: "the next run of a chain has no headers",
    breaks: "N6, K10",
    file: "src/core/Succession.ts",
    from: "...headersOf(closing.headers ?? started.headers)",
    to: "...headersOf(closing.headers)",
    tests: ["runtime/interceptors"]
  },
  {
    name: "a child is not told the headers of its start",
    breaks: "N6",
    file: "src/runtime/execution/Relations.ts",
    from: "      ...(headers === undefined ? {} : { headers }),\n",
    to: "",
    tests: ["runtime/interceptors"]
  },
  {
    name: "an interceptor draws the body's random numbers",
    breaks: "N6, W2",
    file: "src/runtime/interpreter/Interpreter.ts",
    from: "    let seeded = BodyServices.seeded(seed, name)",
    to: "    let seeded = this.generator()",
    tests: ["runtime/interceptors"]
  },
  {
    name: "headers are written in the clear",
    breaks: "N5, N6",
    file: "src/persistence/codec/Coding.ts",
    from: "  \"value\",\n  \"headers\"\n",
    to: "  \"value\"\n",
    tests: ["runtime/codecs"]
  },
  {
    name: "a run that differs stays open, whatever its options say",
    breaks: "W16",
    file: "src/runtime/Loader.ts",
    from: "options.failOnNondeterminism === true",
    to: "options.failOnNondeterminism === undefined",
    tests: ["runtime/run-options"]
  },
  {
    name: "what a worker says of defects does not count",
    breaks: "W16",
    file: "src/dsl/RunOptions.ts",
    from: "failOnDefect: either(one.failOnDefect, other.failOnDefect)",
    to: "failOnDefect: one.failOnDefect",
    tests: ["runtime/run-options"]
  },
  {
    name: "an error of a dynamic workflow's options is left aside",
    breaks: "D4",
    file: "src/runtime/interpreter/Interpreter.ts",
    from: "if (Exit.isFailure(exit)) this.fail(defect(`options of workflow ${this.definition.name}`, exit.cause))",
    to: "if (Exit.isFailure(exit)) return",
    tests: ["runtime/run-options"]
  },
  {
    name: "nothing is watched any more after a block that is not",
    breaks: "D10, I8",
    file: "src/runtime/interpreter/Guard.ts",
    from: "  } finally {\n    resume()\n  }",
    to: "  } finally {\n    guard.paused = undefined\n  }",
    tests: ["runtime/run-options"]
  },
  {
    name: "a codec is not told whose result it is",
    breaks: "N4",
    file: "src/persistence/codec/Coding.ts",
    from: "  \"ActivityCompleted\",\n",
    to: "",
    tests: ["runtime/codecs"]
  },
  {
    name: "the outcome of a transactional activity is written in the clear",
    breaks: "N5, I9",
    file: "src/persistence/codec/EncodedStore.ts",
    from: "(one) => Effect.map(coding.encode(one.body, owner), (body) => ({ ...one, body }))",
    to: "(one) => Effect.succeed(one)",
    tests: ["persistence/EncodedStore"]
  },
  {
    name: "an entity forgets what came before a rollover, in the simulation",
    breaks: "P1",
    file: "src/dsl/Entity.ts",
    from: "codec.encode(yield* state.get)",
    to: "codec.encode(traffic.messages % 3 === 0 ? options.initial(key) : yield* state.get)",
    tests: ["simulation/found"]
  },
  {
    name: "a rollover cuts handlers short, in the simulation",
    breaks: "P1, S8",
    file: "src/dsl/Entity.ts",
    from: "const settled = Body.condition(Body.allHandlersFinished)\n",
    to: "const settled = Effect.void\n",
    tests: ["simulation/found"]
  },
  {
    name: "a calendar is read by the clocks of before a change",
    breaks: "H6",
    file: "src/core/schedule/CalendarTimes.ts",
    from: "if (local !== undefined && local - offset < until) return",
    to: "if (local !== undefined) return",
    tests: ["core/schedule/ScheduleTimes"]
  },
  {
    name: "a calendar looks no further than the next change of the clocks",
    breaks: "H6",
    file: "src/core/schedule/CalendarTimes.ts",
    from: "second = local === undefined || !far ? until : ",
    to: "second = local === undefined ? until : ",
    tests: ["core/schedule/ScheduleTimes"]
  },
  {
    name: "a day of the month or else of the week will do",
    breaks: "H4",
    file: "src/core/schedule/CalendarTimes.ts",
    from: "if ((matcher.dayOfMonth & 1 << found) !== 0 && dayMatches",
    to: "if ((matcher.dayOfMonth & 1 << found) !== 0 || dayMatches",
    tests: ["core/schedule/ScheduleTimes"]
  },
  {
    name: "a skip calendar goes on after the clocks have changed",
    breaks: "H6",
    file: "src/core/schedule/CalendarTimes.ts",
    from: "return Math.min(until, second + endOf(skip, local) - local)",
    to: "return second + endOf(skip, local) - local",
    tests: ["core/schedule/ScheduleTimes"]
  },
  {
    name: "a change of the clocks is found by the day",
    breaks: "H6",
    file: "src/core/schedule/ZoneOffset.ts",
    from: "while (after - before > 1) {",
    to: "while (after - before > 86_400) {",
    tests: ["core/schedule/ScheduleTimes"]
  },
  {
    name: "intervals are counted from when they are asked for",
    breaks: "H3",
    file: "src/core/schedule/ScheduleTimes.ts",
    from: "Math.ceil((second - offset) / every) * every + offset",
    to: "second + every - 1",
    tests: ["core/schedule/ScheduleTimes"]
  },
  {
    name: "the end of a schedule's time is not one of its times",
    breaks: "H6",
    file: "src/core/schedule/ScheduleTimes.ts",
    from: "nominal > spec.endAt",
    to: "nominal >= spec.endAt",
    tests: ["core/schedule/ScheduleTimes"]
  },
  {
    name: "jitter goes beyond the next time",
    breaks: "H6",
    file: "src/core/schedule/ScheduleTimes.ts",
    from: "Math.min(spec.jitterMillis, (following - second) * 1_000)",
    to: "spec.jitterMillis",
    tests: ["core/schedule/ScheduleTimes"]
  },
  {
    name: "six fields begin with the seconds",
    breaks: "H5",
    file: "src/core/schedule/CronString.ts",
    from: "parts.length === 7 ? parts : [\"0\", ...parts]",
    to: "parts.length >= 6 ? parts : [\"0\", ...parts]",
    tests: ["core/schedule/CronString"]
  },
  {
    name: "a time of a schedule is decided again",
    breaks: "H7, I1",
    file: "src/core/schedule/Advance.ts",
    from: "    draft.consideredUntil = time.nominal\n",
    to: "    draft.consideredUntil = time.nominal - (time.nominal % 7_000 === 0 ? 1 : 0)\n",
    tests: ["core/schedule/AdvanceModel"]
  },
  {
    name: "an action starts before the one that it replaces has ended",
    breaks: "H7",
    file: "src/core/schedule/Advance.ts",
    from: "      cancel(draft)\n      draft.waiting.unshift(time)\n      return\n",
    to: "      cancel(draft)\n      return start(draft, time, false)\n",
    tests: ["core/schedule/AdvanceModel"]
  },
  {
    name: "times that wait are without bound",
    breaks: "H7, I10",
    file: "src/core/schedule/Advance.ts",
    from: "if (draft.waiting.length < Limits.scheduleWaitingMax) draft.waiting.push(time)",
    to: "if (draft.waiting.length < Infinity) draft.waiting.push(time)",
    tests: ["core/schedule/AdvanceModel"]
  },
  {
    name: "an action that is replaced before it began is spent",
    breaks: "H7",
    file: "src/core/schedule/Advance.ts",
    from: "    if (!manual && draft.remaining !== undefined) draft.remaining++\n",
    to: "",
    tests: ["core/schedule/Advance.test"]
  },
  {
    name: "a trigger spends one of the actions",
    breaks: "H11",
    file: "src/core/schedule/Advance.ts",
    from: "  if (!manual && draft.remaining !== undefined) draft.remaining--\n",
    to: "  if (draft.remaining !== undefined) draft.remaining--\n",
    tests: ["core/schedule/AdvanceModel"]
  },
  {
    name: "a time is acted on however late it is",
    breaks: "H8",
    file: "src/core/schedule/Advance.ts",
    from: "if (now - time.at > policy.catchupWindowMillis) draft.counts.missed++",
    to: "if (now < 0) draft.counts.missed++",
    tests: ["core/schedule/AdvanceModel"]
  },
  {
    name: "a paused schedule acts by its spec",
    breaks: "H10",
    file: "src/core/schedule/Advance.ts",
    from: "manual || !paused && remaining !== 0",
    to: "manual || remaining !== 0",
    tests: ["core/schedule/AdvanceModel"]
  },
  {
    name: "what was not done for want of room is forgotten",
    breaks: "H7, I5",
    file: "src/core/schedule/Advance.ts",
    from: "draft.more ? moment.now : next",
    to: "next",
    tests: ["core/schedule/AdvanceModel"]
  },
  {
    name: "a backfill leaves out its first time",
    breaks: "H12",
    file: "src/core/schedule/Advance.ts",
    from: "ScheduleTimes.next(schedule.spec, id, request.from - 1)",
    to: "ScheduleTimes.next(schedule.spec, id, request.from)",
    tests: ["core/schedule/Advance.test"]
  },
  {
    name: "an end that is told twice pauses twice",
    breaks: "H9",
    file: "src/core/schedule/Advance.ts",
    from: "  if (running === undefined && recent === undefined) return\n",
    to: "",
    tests: ["core/schedule/Advance.test"]
  },
  {
    name: "AllowAll hands results on",
    breaks: "W17",
    file: "src/core/schedule/Advance.ts",
    from: "...(beside ? {} : draft.last) })",
    to: "...draft.last })",
    tests: ["core/schedule/Advance.test"]
  },
  {
    name: "a refused start is spent",
    breaks: "H7",
    file: "src/core/schedule/Advance.ts",
    from: "remainingActions === undefined || start.manual ? {}",
    to: "remainingActions === undefined || !start.manual ? {}",
    tests: ["core/schedule/AdvanceModel"]
  },
  {
    name: "unpause makes up for the pause",
    breaks: "H10",
    file: "src/core/schedule/Schedule.ts",
    from: "state.paused ? passed(id, spec, state.consideredUntil, now) : state.consideredUntil",
    to: "state.consideredUntil",
    tests: ["core/schedule/Schedule.test"]
  },
  {
    name: "an update fires what was considered",
    breaks: "H13",
    file: "src/core/schedule/Schedule.ts",
    from: "  if (now <= consideredUntil) return consideredUntil\n",
    to: "  if (now <= consideredUntil) return now\n",
    tests: ["core/schedule/AdvanceModel"]
  },
  {
    name: "two triggers of a second have one workflow id",
    breaks: "H11",
    file: "src/core/schedule/Schedule.ts",
    from: "    if (taken.has(second)) continue\n",
    to: "",
    tests: ["core/schedule/Schedule.test"]
  },
  {
    name: "a schedule is written over what somebody else wrote",
    breaks: "H13, I3",
    file: "src/persistence/sql/Schedules.ts",
    from: "if (known.get(write.scheduleId) !== write.revision) return changed",
    to: "if (!known.has(write.scheduleId)) return changed",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "the end of an action wakes no schedule",
    breaks: "H7, I5",
    file: "src/persistence/sql/Closing.ts",
    from: "Effect.zipRight(waking)",
    to: "Effect.zipRight(Effect.void)",
    tests: ["runtime/schedules.test"]
  },
  {
    name: "what is decided of a schedule knows nothing of an end meanwhile",
    breaks: "H7, I3",
    file: "src/persistence/sql/ScheduleWaking.ts",
    from: "SET revision = revision + 1, held_until = NULL,",
    to: "SET held_until = NULL,",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "a turn that ends an action does not say so to its schedule",
    breaks: "H7",
    file: "src/runtime/execution/Consequences.ts",
    from: "scheduled: state.started?.scheduled !== undefined && followerOf(state.closed) === undefined",
    to: "scheduled: false",
    tests: ["runtime/schedules.test"]
  },
  {
    name: "an action that is out of its time is in the way of its schedule for ever",
    breaks: "H7",
    file: "src/runtime/ImposedEnd.ts",
    from: "scheduled: run.scheduled !== undefined && next === undefined",
    to: "scheduled: false",
    tests: ["runtime/schedules.test"]
  },
  {
    name: "an action of a schedule is its first run, and not its chain",
    breaks: "H7",
    file: "src/persistence/sql/Schedules.ts",
    from: "coalesce(l.first_run_id, l.run_id) = v.column2",
    to: "l.run_id = v.column2",
    tests: ["runtime/schedules.test"]
  },
  {
    name: "who dies with a claim keeps a schedule for ever",
    breaks: "H8, I5",
    file: "src/persistence/sql/Schedules.ts",
    from: "(held_until IS NULL OR held_until <= ?)",
    to: "(held_until IS NULL OR ? < 0)",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "an action of a schedule counts though an execution had its workflow id",
    breaks: "H2",
    file: "src/persistence/sql/Schedules.ts",
    from: "if (met.size > 0) return",
    to: "if (met.size > 9) return",
    tests: ["runtime/schedules.test"]
  },
  {
    name: "a pause takes what was due before it from a schedule",
    breaks: "H10",
    file: "src/runtime/client/Scheduling.ts",
    from: "const isDue = first.nextAt !== undefined && first.nextAt <= now",
    to: "const isDue = first.nextAt === -1",
    tests: ["runtime/schedules-crash"]
  },
  {
    name: "where a schedule stands is kept in the clear",
    breaks: "N5",
    file: "src/persistence/codec/EncodedSchedules.ts",
    from: "state: yield* coding.encode(one.state, owner)",
    to: "state: one.state",
    tests: ["runtime/schedules-store"]
  },
  {
    name: "a schedule that nobody looks at is nobody's fault",
    breaks: "I5",
    file: "src/runtime/schedule/ScheduleLiveness.ts",
    from: "if (row.nextAt === undefined && (starts.length > 0",
    to: "if (row.nextAt === -1 && (starts.length > 0",
    tests: ["runtime/schedules-store"]
  },
  {
    name: "the next time of a schedule is not waited for",
    breaks: "H1",
    file: "src/runtime/schedule/Scheduler.ts",
    from: "this.dueAt(next.value)",
    to: "void this.dueAt",
    tests: ["runtime/schedules.test"]
  },
  {
    name: "a run says when its schedule started it, and not for which time",
    breaks: "H2",
    file: "src/runtime/schedule/Deciding.ts",
    from: "scheduled: { by, at: start.nominal }",
    to: "scheduled: { by, at: now }",
    tests: ["runtime/schedules.test"]
  },
  {
    name: "a worker carries on the schedules of another namespace",
    breaks: "X1",
    file: "src/persistence/sql/Schedules.ts",
    from: "WHERE namespace = :namespace AND next_at <= ?",
    to: "WHERE next_at <= ?",
    tests: ["persistence/namespaces"]
  },
  {
    name: "who continues a chain is not canceled in its schedule's name",
    breaks: "H7",
    file: "src/persistence/sql/Schedules.ts",
    from: "return run?.firstRunId === firstRunId ? run : undefined",
    to: "return run?.runId === firstRunId ? run : undefined",
    tests: ["persistence/SqliteStore"]
  },
  {
    name: "an update-with-start that is sent again is refused by its own run, in the simulation",
    breaks: "U13",
    file: "src/runtime/client/WithStart.ts",
    from: "options.idConflict === \"Fail\" && !waiting)",
    to: "options.idConflict === \"Fail\")",
    tests: ["simulation/found"]
  },
  {
    name: "a message with a start gives up where its run ends, in the simulation",
    breaks: "S10, U13",
    file: "src/runtime/client/WithStart.ts",
    from: "({ WorkflowClosed: () => attempt, WorkflowNotFound: () => attempt })",
    to: "({ WorkflowNotFound: () => attempt })",
    tests: ["simulation/found"]
  },
  {
    name: "a reset by workflow id takes the place of another one's run, in the simulation",
    breaks: "C11, I2",
    file: "src/runtime/client/Resetting.ts",
    from: "target.runId === undefined, made",
    to: "false, made",
    tests: ["simulation/found"]
  },
  {
    name: "a reset that keeps a step has nothing that brings it back",
    breaks: "C11, I5",
    file: "src/runtime/client/Resetting.ts",
    from: "? RunStates.onTakeover : undefined",
    to: "? undefined : undefined",
    tests: ["runtime/reset"]
  },
  {
    name: "a run may have started before the one that it follows",
    breaks: "K10, X11",
    file: "src/runtime/execution/Successor.ts",
    from: "at < startedAt ? startedAt + 1 : at",
    to: "at",
    tests: ["runtime/chain.test"]
  },
  {
    name: "a claim that is answered too late begins its attempts",
    breaks: "I9",
    file: "src/runtime/Poller.ts",
    from: "const isLost = () => this.workerId() !== worker",
    to: "const isLost = () => this.stopped && this.workerId() !== worker",
    tests: ["runtime/worker-faults"]
  },
  {
    name: "a schedule is written over what somebody else wrote, in the simulation",
    breaks: "H13, I3",
    file: "src/persistence/sql/Schedules.ts",
    from: "if (known.get(write.scheduleId) !== write.revision) return changed",
    to: "if (!known.has(write.scheduleId)) return changed",
    tests: ["simulation/found"]
  },
  {
    name: "an action begins beside the one that it was to terminate, in the simulation",
    breaks: "H7",
    file: "src/persistence/sql/Schedules.ts",
    from: "if (run !== undefined) yield* imposing.end(tx, run, end, now)",
    to: "",
    tests: ["simulation/found"]
  },
  {
    name: "a turn is before what is due in it",
    breaks: "W4",
    file: "src/runtime/execution/WakeUp.ts",
    from: "at = Math.max(at, next.dueAt)",
    to: "at = Math.max(at, now)",
    tests: ["runtime/wake-up"]
  }
]
