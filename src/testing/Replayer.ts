/**
 * Replays histories on the code of today, and tells where it does not do what they say (row N7).
 *
 * ```
 *   a file of JSON ─┐
 *   a handle ───────┼──▶ History ──▶ replay on a fresh body ──▶ fine, or NondeterminismError | ReplayFailed
 *   a store ────────┘
 * ```
 *
 * No activity runs, no step, no timer, nothing is logged and nothing is written. Inputs are compared too: swapped calls of
 * one activity, which a live run would take, are reported.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Turn } from "../core/Event.js"
import * as Events from "../core/Event.js"
import { isImposed, Status } from "../core/family/Execution.js"
import { Limits } from "../core/Limits.js"
import { NondeterminismError } from "../core/Replay.js"
import * as RunStates from "../core/RunState.js"
import type { WorkflowHost } from "../dsl/Workflow.js"
import type { Run, StoreError } from "../persistence/Store.js"
import { Store } from "../persistence/Store.js"
import * as Replaying from "../runtime/execution/Replaying.js"
import * as Histories from "../runtime/Histories.js"
import { Hosts } from "../runtime/Hosts.js"
import { Interpreter } from "../runtime/interpreter/Interpreter.js"

/**
 * A run's history: complete, or of a run that is open.
 *
 * @category models
 * @since 0.1.0
 */
export interface History {
  readonly runId: string
  /** Where the run was, for bodies that ask. Default: `default`. */
  readonly namespace?: string | undefined
  readonly turns: ReadonlyArray<Turn>
}

/**
 * A history could not be replayed to its end: its workflow is not among those given, a turn of it fails with the code of
 * today, or it cannot be read.
 *
 * @category errors
 * @since 0.1.0
 */
export class ReplayFailed extends Schema.TaggedError<ReplayFailed>()("ReplayFailed", {
  runId: Schema.String,
  workflow: Schema.optionalWith(Schema.String, { exact: true }),
  reason: Schema.Literal("UnknownWorkflow", "TurnFailed", "Unreadable"),
  /** What the turn failed with, or what is wrong with the history. */
  detail: Schema.String
}) {
  override get message(): string {
    return `run ${this.runId}${
      this.workflow === undefined ? "" : ` of ${this.workflow}`
    }: ${this.reason}: ${this.detail}`
  }
}

/** What became of one history. @since 0.1.0 */
export interface Failed {
  readonly runId: string
  readonly error: NondeterminismError | ReplayFailed
}

/** What became of many. @since 0.1.0 */
export interface Report {
  readonly replayed: number
  readonly failed: ReadonlyArray<Failed>
}

/**
 * The workflows to replay on, as `toLayer` made them. The activities that they call are not needed.
 *
 * @category models
 * @since 0.1.0
 */
export type Workflows = ReadonlyArray<Layer.Layer.Any>

/**
 * Replays one history; succeeds if the code still does all that it says.
 *
 * @category combinators
 * @since 0.1.0
 */
export const replay = (
  workflows: Workflows,
  history: History
): Effect.Effect<void, NondeterminismError | ReplayFailed> =>
  Effect.scoped(Effect.flatMap(hostsOf(workflows), (hosts) => replayOn(hosts, history)))

/**
 * Replays many histories, one after the other, and gathers those that failed.
 *
 * @category combinators
 * @since 0.1.0
 */
export const replayAll = (workflows: Workflows, histories: Iterable<History>): Effect.Effect<Report> =>
  Effect.scoped(Effect.gen(function*() {
    const hosts = yield* hostsOf(workflows)
    const failed: Array<Failed> = []
    let replayed = 0
    for (const history of histories) {
      const result = yield* Effect.either(replayOn(hosts, history))
      replayed++
      if (Either.isLeft(result)) failed.push({ runId: history.runId, error: result.left })
      // Others get a turn between two histories.
      yield* Effect.yieldNow()
    }
    return { replayed, failed }
  }))

/**
 * Which runs of a store to replay.
 *
 * @category models
 * @since 0.1.0
 */
export interface CheckOptions {
  readonly workflows: Workflows
  /** Closed runs to replay as well, in all: completed ones first, the newest of them first. Default 0. */
  readonly closed?: number | undefined
  /** Called after each run. */
  readonly onProgress?: ((sofar: Progress) => void) | undefined
}

/** How far a check has come. @since 0.1.0 */
export interface Progress {
  readonly replayed: number
  readonly failed: number
  readonly of: number
}

/**
 * Replays all open runs of a store, and some of the closed ones, with the code of today: the question to ask before it is
 * deployed. Changes nothing in the store, and may run beside its workers: what they add meanwhile is not looked at.
 * `DeployGate.check` does the same on all cores, with a module in place of Layers.
 *
 * @category combinators
 * @since 0.1.0
 */
export const check = (options: CheckOptions): Effect.Effect<Report, StoreError, Store> =>
  Effect.scoped(Effect.gen(function*() {
    const replayStored = yield* replayerOf(options.workflows)
    const runIds = yield* runsToCheck(options.closed ?? 0)
    const failed: Array<Failed> = []
    let replayed = 0
    for (const runId of runIds) {
      const error = yield* replayStored(runId)
      replayed++
      if (error !== undefined) failed.push({ runId, error })
      options.onProgress?.({ replayed, failed: failed.length, of: runIds.length })
    }
    return { replayed, failed }
  }))

/** All open runs that have a history, and so many closed ones. @since 0.1.0 */
export const runsToCheck = (closed: number): Effect.Effect<ReadonlyArray<string>, StoreError, Store> =>
  Effect.gen(function*() {
    const open = yield* runsOf("Running", Infinity)
    const rest: Array<string> = []
    for (const status of closedStatuses) rest.push(...(yield* runsOf(status, closed - rest.length)))
    return [...open, ...rest]
  })

/** How to replay a run of a store; gives what is wrong with it. @since 0.1.0 */
export const replayerOf = (
  workflows: Workflows
): Effect.Effect<
  (runId: string) => Effect.Effect<Failed["error"] | undefined, StoreError, Store>,
  never,
  Scope.Scope
> =>
  Effect.map(hostsOf(workflows), (hosts) => (runId) =>
    Effect.gen(function*() {
      const history = yield* readHistory(runId)
      // Others get a turn between two runs.
      yield* Effect.yieldNow()
      if (Either.isLeft(history)) return history.left
      const result = yield* Effect.either(replayOn(hosts, history.right))
      return Either.isLeft(result) ? result.left : undefined
    }))

/**
 * The text of a history, to be kept in a file.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toJson = (history: History): string =>
  JSON.stringify(
    { format: Events.format, runId: history.runId, namespace: history.namespace, turns: history.turns },
    undefined,
    2
  )

/**
 * Reads what `toJson` made, or an archive (row X1), of this version of perdure or an earlier one. An archive of a store
 * with payload codecs is decoded before: `Archive.decode`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromJson = (text: string): Either.Either<History, ReplayFailed> => {
  const unreadable = (detail: string, runId = "?") =>
    Either.left(new ReplayFailed({ runId, reason: "Unreadable", detail }))
  const file = decodeFile(text)
  if (Either.isLeft(file)) return unreadable(`not a history: ${file.left.message}`)
  const { format, namespace, runId, turns } = file.right
  const read: Array<Turn> = []
  for (const { at, events, format: own, turn } of turns) {
    const decoded = Events.decode({ turn, format: own ?? format, events: JSON.stringify(events) })
    if (Either.isLeft(decoded)) return unreadable(decoded.left.message, runId)
    read.push({ turn, at, events: decoded.right })
  }
  return Either.right({ runId, ...(namespace === undefined ? {} : { namespace }), turns: read })
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const decodeFile = Schema.decodeUnknownEither(
  Schema.parseJson(Schema.Struct({
    format: Schema.Number,
    runId: Schema.String,
    namespace: Schema.optionalWith(Schema.String, { exact: true }),
    turns: Schema.Array(Schema.Struct({
      turn: Schema.Number,
      at: Schema.Number,
      // Archived as it was written, perhaps by an earlier version.
      format: Schema.optionalWith(Schema.Number, { exact: true }),
      events: Schema.Array(Schema.Unknown)
    }))
  }))
)

/** What the Layers would need to run activities is not asked for: nothing of that runs. @internal */
export const hostsOf = (workflows: Workflows): Effect.Effect<Hosts, never, Scope.Scope> =>
  Effect.gen(function*() {
    const hosts = new Hosts()
    for (const layer of workflows) {
      hosts.add((yield* Layer.build(layer as Layer.Layer<never>)) as Context.Context<never>)
    }
    return hosts
  })

const replayOn = (
  hosts: Hosts,
  { namespace, runId, turns }: History
): Effect.Effect<void, NondeterminismError | ReplayFailed> =>
  Effect.suspend((): Effect.Effect<void, NondeterminismError | ReplayFailed> => {
    const start = turns[0]?.events[0]
    // Ended from outside before it began: there is nothing of a body in it.
    if (isImposed(turns[0]?.events ?? [])) return Effect.void
    if (start?._tag !== "ExecutionStarted") {
      return new ReplayFailed({ runId, reason: "Unreadable", detail: "it does not begin with its start" })
    }
    const { taskQueue, workflow, workflowId } = start
    const host = hosts.workflow(workflow)
    if (host === undefined) {
      const given = [...hosts.workflows.keys()].join(", ") || "none"
      return new ReplayFailed({ runId, workflow, reason: "UnknownWorkflow", detail: `given are: ${given}` })
    }
    const attempt = () =>
      replayTurns(host, { runId, workflowId, workflow, taskQueue, namespace }, turns, () => undefined)
    const error = attempt()
    if (error === undefined) return Effect.void
    if (error instanceof NondeterminismError) return located(error, attempt)
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return new ReplayFailed({ runId, workflow, reason: "TurnFailed", detail })
  })

/**
 * With the line of the author's code, which costs too much to be taken each time: replayed again for it. A body that then
 * does something else depends on more than its history.
 */
const located = (error: NondeterminismError, attempt: () => unknown): NondeterminismError => {
  let found = error
  let unstable = false
  for (let again = 0; again < againMax && found.place === undefined; again++) {
    const next = Replaying.traced(attempt)
    if (next instanceof NondeterminismError) found = next
    unstable ||= !(next instanceof NondeterminismError) || next.attempted !== error.attempted
    if (!unstable) break
  }
  return unstable ? new NondeterminismError({ ...found, unstable }) : found
}

/** Times until a body that does now this and now that has shown where. */
const againMax = 4

/**
 * What a history's run answers to a query at its end, encoded, as a client would be told. The left side says why it does
 * not answer.
 *
 * @internal
 */
export const query = (
  hosts: Hosts,
  { namespace, runId, turns }: History,
  name: string,
  payload: unknown
): Either.Either<unknown, string> => {
  const start = turns[0]?.events[0]
  if (start?._tag !== "ExecutionStarted") return Either.left("its first turn was never taken")
  const { taskQueue, workflow, workflowId } = start
  const host = hosts.workflow(workflow)
  if (host === undefined) return Either.left(`${workflow} is not among the hosts`)
  let answer: Either.Either<unknown, string> | undefined
  const error = replayTurns(host, { runId, workflowId, workflow, taskQueue, namespace }, turns, (interpreter) => {
    answer = interpreter.query(name, payload)
  })
  return answer ?? Either.left(error instanceof Error ? error.message : String(error))
}

/** What stopped it, if anything did; else what `then` gives of the body at its end. */
const replayTurns = (
  host: WorkflowHost,
  run: Pick<Run, "runId" | "workflowId" | "workflow" | "taskQueue"> & Pick<History, "namespace">,
  turns: ReadonlyArray<Turn>,
  then: (interpreter: Interpreter) => void
): unknown => {
  let late: unknown
  const interpreter = new Interpreter({
    host,
    ...run,
    onLate: (place) => {
      late = new Error(`something that no event records woke the body${place === undefined ? "" : ` (${place})`}`)
    }
  })
  try {
    Replaying.replay(turns, { run, state: RunStates.empty(run.runId), interpreter, strict: true })
    then(interpreter)
    return late
  } catch (error) {
    return error
  } finally {
    interpreter.evict()
  }
}

const readHistory = (runId: string): Effect.Effect<Either.Either<History, ReplayFailed>, StoreError, Store> =>
  Effect.flatMap(
    Store,
    (store) =>
      Effect.map(
        Histories.read(store, runId),
        (turns) => Either.right({ runId, namespace: store.about.namespace, turns })
      )
  ).pipe(
    Effect.catchTag(
      "UnreadableTurn",
      ({ message }) => Effect.succeed(Either.left(new ReplayFailed({ runId, reason: "Unreadable", detail: message })))
    )
  )

const closedStatuses = Status.literals.filter((status) => status !== "Running")

/** An open run without a first turn has nothing to replay. */
const runsOf = (status: Status, most: number): Effect.Effect<ReadonlyArray<string>, StoreError, Store> =>
  Effect.gen(function*() {
    const store = yield* Store
    const found: Array<string> = []
    let seen = 0
    let afterRunId: string | undefined
    while (seen < most) {
      const limit = Math.min(Limits.claimRowsMax, most - seen)
      const runs = yield* store.runs({ status, afterRunId, limit })
      for (const { runId, turn } of runs) if (turn > 0) found.push(runId)
      seen += runs.length
      if (runs.length < limit) break
      afterRunId = runs[runs.length - 1]!.runId
    }
    return found
  })
