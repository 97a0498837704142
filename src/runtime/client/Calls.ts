/**
 * What all calls of a client share: the store, the engine of this process where there is one, finding runs, posting
 * messages, waiting for what others write.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Stored } from "../../core/Message.js"
import * as Messages from "../../core/Message.js"
import type { Hooks } from "../../dsl/Hooks.js"
import type * as Workflow from "../../dsl/Workflow.js"
import { CallTimeout, StoreUnavailable, WorkflowClosed, WorkflowNotFound } from "../../dsl/WorkflowFailure.js"
import type { MailKind, PostResult, Run, Store, StoreError } from "../../persistence/Store.js"
import type { Engine } from "../Engine.js"

/**
 * The execution that a handle means.
 *
 * @category models
 * @since 0.1.0
 */
export interface Target {
  readonly workflow: Workflow.Any
  readonly workflowId: string
  readonly runId: string | undefined
  /** The first run of the chain that it is bound to, whichever of its runs is open (row U10); undefined: to none. */
  readonly chain?: string | undefined
  /** What is sent goes with a start: a first turn that is held begins with it (row X7). */
  readonly begins?: true
}

/** How errors name it. @since 0.1.0 */
export const nameOf = (target: Target) => ({
  workflow: target.workflow.name,
  workflowId: target.workflowId,
  ...(target.runId === undefined ? {} : { runId: target.runId })
})

/** How interceptors see it. @since 0.1.0 */
export const executionOf = ({ runId, workflow, workflowId }: Target) => ({ workflow: workflow.name, workflowId, runId })

/** Options of a call that waits for an answer. @since 0.1.0 */
export interface TimeoutOption {
  readonly timeout?: Duration.DurationInput | undefined
}

/** @since 0.1.0 */
export const timeoutOf = (options: TimeoutOption | undefined): Duration.Duration =>
  Duration.decode(options?.timeout ?? "10 seconds")

/** Bounds a call. @since 0.1.0 */
export const within = <A, E>(
  target: Target,
  call: string,
  timeout: Duration.Duration,
  effect: Effect.Effect<A, E>
): Effect.Effect<A, E | CallTimeout> =>
  Effect.timeoutFail(effect, {
    duration: timeout,
    onTimeout: () => new CallTimeout({ ...nameOf(target), call, afterMillis: Duration.toMillis(timeout) })
  })

/** Kept short of a second: a change that was announced is seen at once, this is what stands behind it. */
const slowPoll = Duration.millis(500)

/** Beyond so many runs, all are forgotten: all but the last few were taken in long ago. */
const mailedMax = 10_000

/** @since 0.1.0 */
export class Calls {
  /** Runs to which this client wrote by mail: what it says to the engine then must not overtake that (row S1). */
  private readonly mailed = new Set<string>()

  constructor(
    readonly store: Context.Tag.Service<typeof Store>,
    readonly engine: Engine | undefined,
    readonly now: () => number,
    readonly hooks: Hooks["client"]
  ) {}

  /** Names the call that the store failed. */
  of<A>(call: string, effect: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreUnavailable> {
    return Effect.mapError(effect, (error) => unavailable(call, error))
  }

  /** The run that a handle means: the last of its chain, the one it names, else the open one of its id, else the latest. */
  find(target: Target, call: string): Effect.Effect<Run, WorkflowNotFound | StoreUnavailable> {
    const found = target.chain !== undefined || target.runId === undefined
      ? this.store.findLatest(target.workflowId, target.chain)
      : this.store.findRun(target.runId)
    return Effect.flatMap(
      this.of(call, found),
      Option.match({ onNone: () => Effect.fail(new WorkflowNotFound(nameOf(target))), onSome: Effect.succeed })
    )
  }

  /** The open run of a workflow id, else its latest one. */
  latest(workflowId: string, call: string): Effect.Effect<Run | undefined, StoreUnavailable> {
    return Effect.map(this.of(call, this.store.findLatest(workflowId)), Option.getOrUndefined)
  }

  /** Puts a message into a run's mailbox. */
  post(
    runId: string,
    message: Stored & { readonly _tag: MailKind },
    call: string,
    begins?: true
  ): Effect.Effect<PostResult, StoreUnavailable> {
    if (this.engine !== undefined) {
      if (this.mailed.size >= mailedMax) this.mailed.clear()
      this.mailed.add(runId)
    }
    const mail = { runId, kind: message._tag, body: Messages.encode(message), begins }
    return this.of(call, this.store.post(mail, this.now()))
  }

  /** The run that a handle means, by its id alone. One that this process has in memory is open, and nothing follows it. */
  runIdOf(target: Target, call: string): Effect.Effect<string, WorkflowNotFound | StoreUnavailable> {
    const { chain, runId } = target
    return runId !== undefined && (chain === undefined || this.engine?.isResident(runId) === true)
      ? Effect.succeed(runId)
      : Effect.map(this.find(target, call), (run) => run.runId)
  }

  /**
   * Runs a call on the run that a handle means. Where that one closes meanwhile, and the handle names no run, it is run
   * again on the one that took its place, if there is one (rows K12, U7).
   */
  onCurrent<A, E>(
    target: Target,
    call: string,
    use: (runId: string) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | WorkflowNotFound | StoreUnavailable> {
    const attempt = (runId: string): Effect.Effect<A, E | WorkflowNotFound | StoreUnavailable> =>
      target.runId !== undefined && target.chain === undefined
        ? use(runId)
        : Effect.catchIf(
          use(runId),
          isWorkflowClosed,
          (closed) =>
            Effect.flatMap(
              this.find(target, call),
              (run) => run.runId === runId || run.status !== "Running" ? Effect.fail(closed as E) : attempt(run.runId)
            )
        )
    return Effect.flatMap(this.runIdOf(target, call), attempt)
  }

  /** Says something to the engine after all that this client said to the same run by mail. */
  inOrder<A, E>(runId: string, call: string, said: Effect.Effect<A, E>): Effect.Effect<A, E | StoreUnavailable> {
    return this.mailed.has(runId) ? Effect.zipRight(this.catchUp(runId, call), said) : said
  }

  /** Hands the engine what waits in the mailbox of a run that it has. */
  catchUp(runId: string, call: string): Effect.Effect<void, StoreUnavailable> {
    const { engine } = this
    if (engine === undefined) return Effect.void
    return engine.mailReads.through(this.of(call, this.store.mail(runId, 0)), (waiting) => {
      this.mailed.delete(runId)
      // What it took in already it knows by its row. A query answers itself, and twice would be once too often.
      for (const mail of waiting) {
        // The store's own word: the run was ended from outside, and nothing behind it counts.
        if (mail.kind === "Terminated") return engine.terminated(runId, undefined)
        if (mail.kind !== "Query") engine.deliverMail(runId, mail)
      }
    })
  }

  /** Waits for a stored reply. */
  reply(requestId: string): Effect.Effect<unknown, StoreUnavailable> {
    return this.watch(this.takeReply(requestId))
  }

  takeReply(requestId: string): Effect.Effect<Option.Option<unknown>, StoreUnavailable> {
    return Effect.map(
      this.of("reply", this.store.takeReply(requestId)),
      Option.map((reply) => JSON.parse(reply.body) as unknown)
    )
  }

  /** Looks again after every change of the store that others made, until there is something. */
  watch<A, E>(look: Effect.Effect<Option.Option<A>, E>): Effect.Effect<A, E> {
    return Effect.scoped(Effect.gen(this, function*() {
      const changed = yield* Effect.makeLatch(true)
      yield* this.store.changes(() => changed.unsafeOpen())
      for (;;) {
        changed.unsafeClose()
        const found = yield* look
        if (Option.isSome(found)) return found.value
        yield* Effect.raceFirst(changed.await, Effect.sleep(slowPoll))
      }
    }))
  }
}

const isWorkflowClosed = (error: unknown): boolean => error instanceof WorkflowClosed

/** @since 0.1.0 */
export const unavailable = (call: string, error: { readonly message: string }): StoreUnavailable =>
  new StoreUnavailable({ call, detail: error.message })

/** Why the run, or the engine on its behalf, dropped a message: it is closed, or some limit was reached. @since 0.1.0 */
export const isClosed = (reason: string): boolean => reason === "closed" || reason.startsWith("the run is closed")
