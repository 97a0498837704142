/**
 * Activities on threads of their own: for work that keeps the processor, or blocks (rows D5, A6).
 *
 * ```
 *   attempt ──▶ a free thread ──Run──▶ the body, there ──Heartbeat──▶ recorded here; interrupts when it should end
 *      └─ interrupted ──Cancel──▶ interrupts the body ──▶ it ends in time, or its thread is ended
 *   a thread that crashes: a failed attempt, and a fresh thread for the next one
 * ```
 *
 * The thread's module gives the bodies with `serve`. Not on @effect/platform's pool of workers: that keeps its threads to
 * itself, and a body that never yields can only be stopped with its thread.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Pool from "effect/Pool"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import type { Failure } from "../core/Failure.js"
import type { Payload } from "../core/Payload.js"
import type { Activity } from "../dsl/Activity.js"
import type { CancellationDetails } from "../dsl/ActivityContext.js"
import { ActivityContext } from "../dsl/ActivityContext.js"
import { Interceptors } from "../dsl/Hooks.js"
import type { Hosted } from "../dsl/HostedActivity.js"
import { ActivityHost, decodeFailure, hosting, hostTag } from "../dsl/HostedActivity.js"
import type { Order, Report } from "./Protocol.js"

export { serve } from "./Serving.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The module that the threads run; it calls `serve`. */
  readonly module: URL
  /** Threads at most; they are started as they are needed. Default: the processors less one, and at least one. */
  readonly size?: number | undefined
  /** How long a body may take to end once it was interrupted, before its thread is ended. Default 5 seconds. */
  readonly grace?: Duration.DurationInput | undefined
  /** Arguments of Node for the threads. Default: those of this process. */
  readonly execArgv?: ReadonlyArray<string> | undefined
}

/**
 * Runs an activity on a pool of threads of its own.
 *
 * Its contract is on both sides: values cross encoded. In the thread `Activity.info`, `heartbeat`, `lastHeartbeat`,
 * `shuttingDown` and `cancellationDetails` work as usual; `completeAsync` does not, and fails the attempt.
 *
 * A thread that crashes, or exits, is a failed attempt of type `ThreadCrashed`, which the retry policy decides on. An
 * attempt that is canceled or times out is interrupted in its thread; a body that does not yield to that within `grace`
 * is ended with its thread, finalizers and all.
 *
 * @category layers
 * @since 0.1.0
 */
export const toLayer = <Name extends string, Input, Success, Error>(
  activity: Activity<Name, Input, Success, Error>,
  options: Options
): Layer.Layer<Hosted<Name>> =>
  Layer.scoped(
    hostTag(activity.name),
    Effect.gen(function*() {
      const { codecs, name } = activity
      const pool = yield* Pool.make({
        acquire: start(options),
        size: options.size ?? Math.max(1, availableParallelism() - 1)
      })
      const graceMillis = Duration.toMillis(options.grace ?? "5 seconds")
      const run = (input: Payload) =>
        Effect.scoped(Effect.flatMap(Pool.get(pool), (thread) => attempt(thread, pool, name, input, graceMillis)))
      const body = (payload: never) =>
        Effect.flatMap(codecs.payload.encode(payload), (input) =>
          run(input).pipe(
            Effect.mapError((failure) =>
              decodeFailure(codecs.error, name, "", {
                _tag: "ActivityFailed",
                seq: 0,
                attempt: 1,
                failure,
                retryState: "InProgress"
              })
            ),
            Effect.flatMap(codecs.success.decode)
          ))
      // Values cross the threads encoded: they are decoded on this side only where an interceptor is to see them.
      const { activity: { execute } } = yield* Interceptors
      if (execute !== undefined) return yield* hosting(name, codecs, body)
      return new ActivityHost(name, yield* Effect.context<never>(), (input) => run(input), { ...codecs, body })
    })
  )

// internal -----------------------------------------------------------------------------------------------------------

type Heard = Report | { readonly _tag: "Crashed"; readonly number: undefined; readonly reason: string }

interface Thread {
  readonly say: (order: Order) => void
  readonly heard: Array<Heard>
  readonly news: Effect.Latch
  readonly worker: Worker
  /** Attempts that it was given so far. */
  attempts: number
  /** It ended, or is to be ended. */
  gone: boolean
}

const start = ({ execArgv, module }: Options) =>
  Effect.acquireRelease(
    Effect.sync((): Thread => {
      const worker = new Worker(module, execArgv === undefined ? {} : { execArgv: [...execArgv] })
      // A thread that waits for work holds up nobody's end.
      worker.unref()
      const news = Effect.unsafeMakeLatch()
      const hear = (heard: Heard) => {
        thread.heard.push(heard)
        news.unsafeOpen()
      }
      const thread: Thread = {
        worker,
        news,
        heard: [],
        attempts: 0,
        gone: false,
        say: (order) => worker.postMessage(order)
      }
      const crashed = (reason: string) => {
        if (thread.gone) return
        thread.gone = true
        hear({ _tag: "Crashed", number: undefined, reason })
      }
      worker.on("message", hear)
      worker.on("error", (error: unknown) => crashed(error instanceof Error ? error.message : String(error)))
      worker.on("messageerror", (error) => crashed(error.message))
      worker.on("exit", (code) => crashed(`it exited with code ${code}`))
      return thread
    }),
    (thread) => Effect.promise(() => thread.worker.terminate())
  )

/**
 * Uninterruptible, and looks itself whether it should end: what the thread makes of that is the outcome, a success too
 * (row A6), where Effect would make an interruption of it.
 */
const attempt = (
  thread: Thread,
  pool: Pool.Pool<Thread>,
  activity: string,
  input: Payload,
  graceMillis: number
): Effect.Effect<Payload, Failure, ActivityContext> => {
  const number = ++thread.attempts
  let over = false
  return Effect.gen(function*() {
    const context = yield* ActivityContext
    const clock = yield* Effect.clock
    let saidShutDown = false
    let endBy: number | undefined
    const cancel = (details: CancellationDetails) => {
      if (endBy !== undefined) return
      endBy = clock.unsafeCurrentTimeMillis() + graceMillis
      thread.say({ _tag: "Cancel", number, details })
    }
    thread.say({ _tag: "Run", number, activity, input, info: context.info, lastHeartbeat: context.lastHeartbeat })
    for (;;) {
      const heard = thread.heard.shift()
      const details = yield* context.cancellationDetails
      const operator = details?.paused === true || details?.reset === true
      if (details !== undefined && !operator) cancel(details)
      if (!saidShutDown && (yield* context.shuttingDown)) {
        saidShutDown = true
        thread.say({ _tag: "ShutDown" })
      }
      if (heard !== undefined && heard.number !== undefined && heard.number !== number) continue
      over = heard !== undefined && heard._tag !== "Heartbeat"
      switch (heard?._tag) {
        case "Heartbeat":
          yield* Effect.orDie(context.heartbeat(heard.details))
          // An operator's word is told with a heartbeat (row A15).
          if (details !== undefined) cancel(details)
          break
        case "Completed":
          return heard.result
        case "Failed":
          return yield* Effect.fail(heard.failure)
        case "Interrupted":
          return yield* Effect.interrupt
        case "Crashed":
          return yield* Effect.fail<Failure>({
            _tag: "Application",
            type: "ThreadCrashed",
            message: `the thread that ran the attempt is gone: ${heard.reason}`
          })
        case undefined:
          if (endBy !== undefined && clock.unsafeCurrentTimeMillis() >= endBy) {
            thread.gone = true
            return yield* Effect.interrupt
          }
          thread.news.unsafeClose()
          yield* Effect.raceFirst(
            Effect.interruptible(thread.news.await),
            Effect.interruptible(Effect.sleep(lookMillis))
          )
      }
    }
  }).pipe(
    Effect.ensuring(
      // One that is given up runs on in its thread, which must not get another.
      Effect.suspend(() => thread.gone || !over ? Effect.scoped(Pool.invalidate(pool, thread)) : Effect.void)
    ),
    Effect.uninterruptible
  )
}

/** How often it is looked whether an attempt should end, whose thread says nothing. */
const lookMillis = 20
