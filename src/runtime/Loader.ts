/**
 * The loader: brings a run from the store into memory, by taking ownership and replaying its history.
 *
 * ```
 *   run row ──▶ ours to own? ──▶ history, page by page ──▶ replay ──▶ mailbox ──▶ Loaded
 *      │ closed       │ no, or held     │ unreadable      │ differs       │ unreadable
 *      ▼              ▼                 ▼                 ▼               ▼
 *    Closed        NotOurs            Broken            Broken          Broken
 *                     └─ out of time ──▶ Ended, before any of its code runs; so, by option, is one that differs
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Turn } from "../core/Event.js"
import * as Events from "../core/Event.js"
import * as Failures from "../core/Failure.js"
import { Limits } from "../core/Limits.js"
import { NondeterminismError } from "../core/Replay.js"
import type { Attention } from "../dsl/Client.js"
import * as Contract from "../dsl/Contract.js"
import { WorkflowHost } from "../dsl/Workflow.js"
import type { Mail, Run, Store, StoreError, WorkerId } from "../persistence/Store.js"
import { nothing } from "./execution/Consequences.js"
import { Execution } from "./execution/Execution.js"
import { traced } from "./execution/Replaying.js"
import type { Surroundings } from "./execution/Surroundings.js"
import * as Expiry from "./Expiry.js"
import type { Hosts } from "./Hosts.js"
import * as ImposedEnd from "./ImposedEnd.js"
import { BodyDefect } from "./interpreter/TurnFailure.js"
import type { Routes } from "./Routes.js"

/**
 * What became of a load.
 *
 * @category models
 * @since 0.1.0
 */
export type Loaded = Data.TaggedEnum<{
  /** Replayed, with its mail, ready to resume. */
  Loaded: { readonly execution: Execution; readonly mail: ReadonlyArray<Mail> }
  /** Owned, and its body could not be brought back: the reason is to be written. */
  Broken: { readonly execution: Execution; readonly error: unknown }
  /** Closed, and replayed for queries only; undefined where the worker has no code for it. */
  Closed: { readonly execution: Execution | undefined; readonly error: unknown }
  /** Owned, and to be ended without its body: out of time, or its code differs and that is to fail it. */
  Ended: ImposedEnd.ImposedEnd
  /** Unknown, of another queue or version, owned by another worker, or not to begin yet. */
  NotOurs: { readonly heldUntil: number | undefined }
}>
/** @since 0.1.0 */
export const Loaded = Data.taggedEnum<Loaded>()

const notOurs = Loaded.NotOurs({ heldUntil: undefined })

/** @since 0.1.0 */
export class Loader {
  constructor(
    private readonly store: Context.Tag.Service<typeof Store>,
    private readonly hosts: Hosts,
    private readonly taskQueue: string,
    private readonly workerId: () => WorkerId,
    private readonly routes: Routes,
    private readonly around: Surroundings<Execution>
  ) {}

  /** Loads a run; a closed one is replayed only if queries wait for it. */
  load(runId: string, known: Run | undefined, queried: boolean): Effect.Effect<Loaded, StoreError> {
    return Effect.gen(this, function*() {
      const found = known === undefined ? yield* this.store.findRun(runId) : Option.some(known)
      if (Option.isNone(found) || found.value.taskQueue !== this.taskQueue) return notOurs
      const now = this.around.now()
      const { startAt, turn } = found.value
      if (found.value.status === "Running" && turn === 0 && startAt !== undefined && startAt > now) {
        if (!Expiry.isExpired(found.value, now)) return Loaded.NotOurs({ heldUntil: startAt })
      }
      if (found.value.status !== "Running") return yield* this.loadClosed(found.value, queried)
      const isOurs = found.value.owner === this.workerId()
      if (!this.routes.takes(found.value)) {
        if (isOurs) yield* this.release(found.value)
        return notOurs
      }
      const owned = isOurs ? found : yield* this.store.claimRun(this.workerId(), runId, this.routes.share)
      if (Option.isNone(owned)) return notOurs
      const run = owned.value
      if (Expiry.isExpired(run, now)) return yield* this.ended(run, Expiry.timedOut(now), now)
      const host = this.hosts.workflow(run.workflow)
      if (host === undefined) return Loaded.Broken({ execution: this.make(run, unknownHost), error: this.unknown(run) })
      const execution = this.make(run, host)
      const error = yield* this.replayAll(execution)
      if (error !== undefined) {
        execution.evict()
        return error instanceof NondeterminismError && execution.interpreter.options.failOnNondeterminism === true
          ? yield* this.ended(run, diverged(error), now)
          : Loaded.Broken({ execution, error })
      }
      const mail = yield* this.store.mail(runId, 0)
      // Ended from outside while it was brought back: the history has it, or the mailbox, which the poll may have read.
      const ended = execution.state.closed !== undefined || mail.some(({ kind }) => kind === "Terminated")
      if (!ended) return Loaded.Loaded({ execution, mail })
      execution.evict()
      return notOurs
    })
  }

  /** Another version is to have it (row V6). */
  private release(run: Run): Effect.Effect<void> {
    return Effect.async((resume) =>
      this.around.commit(
        { ...nothing, runId: run.runId, epoch: run.epoch, release: true },
        // Refused: somebody else has it already.
        () => resume(Effect.void),
        // The commit is tried again, and answered then.
        () => {}
      )
    )
  }

  private ended(run: Run, reason: ImposedEnd.Reason, now: number): Effect.Effect<Loaded, StoreError> {
    return Effect.map(ImposedEnd.of(this.store, run, reason, now, this.around), Loaded.Ended)
  }

  /** A closed run takes no messages; its queries are answered from its history (row Q2). */
  private loadClosed(run: Run, queried: boolean): Effect.Effect<Loaded, StoreError> {
    const host = this.hosts.workflow(run.workflow)
    if (run.pinnedTo !== "" && run.pinnedTo !== this.routes.share.pinnedTo) return Effect.succeed(notOurs)
    if (host === undefined || !queried) return Effect.succeed(Loaded.Closed({ execution: undefined, error: undefined }))
    const execution = this.make(run, host)
    return Effect.map(this.replayAll(execution), (error) => Loaded.Closed({ execution, error }))
  }

  private make(run: Run, host: WorkflowHost): Execution {
    return new Execution(run, host, this.around, {
      epoch: run.epoch,
      wakeAt: run.wakeAt,
      attention: run.attention === undefined ? undefined : JSON.parse(run.attention) as Attention
    })
  }

  private unknown(run: Run): BodyDefect {
    return new BodyDefect({
      in: `workflow ${run.workflow}`,
      reason: `it is not registered with this worker; registered are: ${
        [...this.hosts.workflows.keys()].join(", ") || "none"
      }`
    })
  }

  /** Replays page by page; what stopped it, if anything did. */
  private replayAll(execution: Execution): Effect.Effect<unknown, StoreError> {
    return Effect.gen(this, function*() {
      for (;;) {
        const page = yield* this.page(execution.runId, execution.state.turn)
        if (Either.isLeft(page)) return page.left
        if (page.right.length === 0) return undefined
        try {
          execution.replay(page.right)
        } catch (error) {
          return error instanceof NondeterminismError ? yield* this.locate(execution, error) : error
        }
        if (page.right.length < Limits.historyPageTurns) return undefined
        // Others get a turn between two pages of a long history.
        yield* Effect.yieldNow()
      }
    })
  }

  private page(runId: string, afterTurn: number) {
    return Effect.map(
      this.store.history(runId, afterTurn, Limits.historyPageTurns),
      (rows): Either.Either<ReadonlyArray<Turn>, Events.UnreadableTurn> => {
        const turns: Array<Turn> = []
        for (const row of rows) {
          const events = Events.decode(row)
          if (Either.isLeft(events)) return Either.left(events.left)
          turns.push({ turn: row.turn, at: row.at, events: events.right, bytes: row.events.length })
        }
        return Either.right(turns)
      }
    )
  }

  /** A divergence is replayed once more, this time with the author's lines taken. */
  private locate(execution: Execution, error: NondeterminismError): Effect.Effect<unknown, StoreError> {
    const again = new Execution(execution.run, execution.host, this.around, {
      epoch: 0,
      wakeAt: undefined,
      attention: undefined
    })
    const replay: Effect.Effect<unknown, StoreError> = Effect.flatMap(
      Effect.suspend(() => this.page(execution.runId, again.state.turn)),
      (page) => {
        if (Either.isLeft(page) || page.right.length === 0) return Effect.succeed(error)
        try {
          traced(() => again.replay(page.right))
          return replay
        } catch (located) {
          return Effect.succeed(located)
        }
      }
    )
    return Effect.ensuring(replay, Effect.sync(() => again.evict()))
  }
}

/** The end of a run whose code does something else than it did (row W16). */
const diverged = (error: NondeterminismError): ImposedEnd.Reason => ({
  status: "Failed",
  closing: () => ({ _tag: "ExecutionFailed", failure: Failures.fromUnknown(error) })
})

const codec = Contract.codec(Schema.Unknown, "unknown")

/** Stands for a workflow that this worker does not know; it never takes a turn. */
const unknownHost = new WorkflowHost(
  {
    name: "unknown",
    options: {},
    codecs: {
      payload: codec,
      success: codec,
      error: codec,
      signals: new Map(),
      queries: new Map(),
      updates: new Map(),
      dynamic: new Set()
    }
  },
  () => Effect.never,
  Context.empty()
)
