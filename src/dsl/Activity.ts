/**
 * Activities: the steps of a workflow that touch the world. A definition is a contract of schemas; its body is given
 * apart, as a Layer, and may use any Effect service.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ActivityScheduled, CancellationType } from "../core/family/Activity.js"
import type { Headers } from "../core/Headers.js"
import { none as noHeaders } from "../core/Headers.js"
import { Limits } from "../core/Limits.js"
import * as RetryPolicy from "../core/RetryPolicy.js"
import type { ActivityInfo, CancellationDetails } from "./ActivityContext.js"
import { ActivityContext } from "./ActivityContext.js"
import type { ActivityError } from "./ActivityError.js"
import type { ApplicationError } from "./ApplicationError.js"
import { headersOf, refusedId } from "./Call.js"
import type { AnySchema, PayloadInput, PayloadType, TypeOf } from "./Contract.js"
import * as Contract from "./Contract.js"
import { through } from "./Hooks.js"
import type { Codecs, Hosted } from "./HostedActivity.js"
import { decodeFailure, hosting, hostTag } from "./HostedActivity.js"
import { reserved } from "./Names.js"
import * as Place from "./Place.js"
import * as Summary from "./Summary.js"
import type { ActivityCall, ActivityOutcome } from "./WorkflowContext.js"
import { WorkflowContext } from "./WorkflowContext.js"

/**
 * Timeouts, retries and cancellation of one call, and what it is for. Those of the definition hold where a call names none.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Longest time of one attempt, from its start (row A11). Default: schedule-to-close. One of the two is required. */
  readonly startToCloseTimeout?: Duration.DurationInput | undefined
  /** Longest time in the queue, for each attempt; never retried (row A12). */
  readonly scheduleToStartTimeout?: Duration.DurationInput | undefined
  /** Longest time in all, retries and delays included (row A13). */
  readonly scheduleToCloseTimeout?: Duration.DurationInput | undefined
  /** Longest time between two heartbeats (row A4). Default: none, and no check that the attempt is alive. */
  readonly heartbeatTimeout?: Duration.DurationInput | undefined
  /** Default: 1 second, doubling, at most 100 seconds, without end (row R1). */
  readonly retry?: RetryPolicy.Options | undefined
  /** What interrupting the awaiting fiber does. Default "TryCancel" (rows C5 to C7). */
  readonly cancellation?: CancellationType | undefined
  /** What it is for, in a line of at most 400 characters, for who looks at the run (row W20). */
  readonly summary?: string | undefined
}

/**
 * Options of one call.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallOptions extends Options {
  /** Default: its number within the run. Must be unique among the activities pending in the run. */
  readonly activityId?: string | undefined
}

/**
 * An activity that was started and is awaited apart.
 *
 * @category models
 * @since 0.1.0
 */
export interface ActivityHandle<out Success, out Error> {
  readonly activityId: string
  /** Its outcome. Interrupting this wait does not cancel the activity. */
  readonly result: Effect.Effect<Success, Error | ActivityError, WorkflowContext>
  /** Asks for its cancellation, which `result` shows by its cancellation type. */
  readonly cancel: Effect.Effect<void, never, WorkflowContext>
}

/**
 * An activity's contract.
 *
 * @category models
 * @since 0.1.0
 */
export interface Activity<Name extends string, Payload, Success, Error> {
  readonly name: Name
  /**
   * Runs the activity and waits for its outcome.
   *
   * With a `taskQueue`, workers of that queue run it, and no Layer is asked for here.
   */
  readonly execute: {
    (
      payload: Payload,
      options?: CallOptions & { readonly taskQueue?: undefined }
    ): Effect.Effect<Success, Error | ActivityError, WorkflowContext | Hosted<Name>>
    (
      payload: Payload,
      options: CallOptions & { readonly taskQueue: string }
    ): Effect.Effect<Success, Error | ActivityError, WorkflowContext>
  }
  /** Starts the activity and gives a handle, to await or cancel it apart. */
  readonly start: {
    (
      payload: Payload,
      options?: CallOptions & { readonly taskQueue?: undefined }
    ): Effect.Effect<ActivityHandle<Success, Error>, never, WorkflowContext | Hosted<Name>>
    (
      payload: Payload,
      options: CallOptions & { readonly taskQueue: string }
    ): Effect.Effect<ActivityHandle<Success, Error>, never, WorkflowContext>
  }
  /**
   * Gives the activity its body. Fails with declared errors or `ApplicationError`; anything thrown counts as a failure
   * of its class name (row R7). Each attempt has a Scope of its own, and is interrupted on timeout and cancellation.
   */
  readonly toLayer: <R>(
    body: (payload: Payload) => Effect.Effect<Success, Error | ApplicationError, R>
  ) => Layer.Layer<Hosted<Name>, never, Exclude<R, ActivityContext | Scope.Scope>>
  /** The codecs, for the runtime and for tests. */
  readonly codecs: Codecs
}

export type { ActivityInfo, CancellationDetails } from "./ActivityContext.js"
export { dynamic } from "./DynamicActivity.js"
export type { Codecs, Hosted } from "./HostedActivity.js"

/**
 * Any activity's contract.
 *
 * @category models
 * @since 0.1.0
 */
export interface Any {
  readonly name: string
}

/**
 * Defines an activity.
 *
 * Throws `RetryPolicyError` on a retry policy that means nothing, and `ContractError` on a name that is empty, reserved
 * or too long (row D9): a definition that cannot work fails where it is written.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  const Name extends string,
  P extends PayloadInput | undefined = undefined,
  S extends AnySchema | undefined = undefined,
  E extends AnySchema | undefined = undefined
>(name: Name, options: Options & {
  readonly payload?: P
  readonly success?: S
  readonly error?: E
} = {}): Activity<Name, PayloadType<P>, TypeOf<S, void>, TypeOf<E, never>> => {
  checkName("activity", name)
  const payload = Contract.codec(Contract.payloadSchema(options.payload), `payload of activity ${name}`)
  const success = Contract.codec(options.success ?? Schema.Void, `result of activity ${name}`)
  const error = Contract.codec(options.error ?? Contract.neverSchema, `error of activity ${name}`)
  const defaults = encodeOptions(options)
  const tooLong = Summary.refused(`activity ${name}`, options.summary)
  if (tooLong !== undefined) throw tooLong
  const tag = hostTag(name)

  const optionsOf = (options: CallOptions & { readonly taskQueue?: string | undefined }) => {
    const encoded = {
      ...defaults,
      ...encodeOptions(options),
      ...(options.taskQueue === undefined ? {} : { taskQueue: options.taskQueue }),
      ...(options.activityId === undefined ? {} : { id: options.activityId })
    }
    const reason = encoded.startToCloseMillis === undefined && encoded.scheduleToCloseMillis === undefined
      ? "needs a startToCloseTimeout or a scheduleToCloseTimeout, in its definition or at the call"
      : refusedId("taskQueue", options.taskQueue) ?? refusedId("activityId", options.activityId)
    const subject = `activity ${name}`
    const refused = reason === undefined
      ? Summary.refused(subject, options.summary)
      : new Contract.ContractError({ subject, reason })
    return refused === undefined ? Either.right(templates(name, encoded)) : Either.left(refused)
  }
  const plain = optionsOf({})

  const call = (value: unknown, options: Given | undefined, headers: Headers) => {
    const encoded = payload.encode(value)
    if (Either.isLeft(encoded)) return encoded
    const made = options === undefined ? plain : optionsOf(options)
    if (Either.isLeft(made)) return made
    const { bare, withInput } = made.right
    const input = encoded.right
    if (headers !== noHeaders) {
      return Either.map(
        headersOf(`activity ${name}`, headers),
        (field): ActivityCall => (seq) => ({ ...bare, seq, ...(input === undefined ? {} : { input }), ...field })
      )
    }
    return Either.right<ActivityCall>(
      input === undefined ? (seq) => ({ ...bare, seq }) : (seq) => ({ ...withInput, seq, input })
    )
  }

  const decode = (
    context: Context.Tag.Service<WorkflowContext>,
    outcome: ActivityOutcome,
    id: string | undefined
  ): Effect.Effect<unknown, unknown> => {
    if (outcome._tag === "ActivityCompleted") {
      const value = success.decode(outcome.result)
      return Either.isLeft(value) ? context.unreadable(outcome, value.left) : Effect.succeed(value.right)
    }
    return Effect.fail(decodeFailure(error, name, id ?? String(outcome.seq), outcome))
  }

  const executing = (
    context: Context.Tag.Service<WorkflowContext>,
    value: unknown,
    options: Given | undefined,
    headers: Headers,
    place: string | undefined
  ): Effect.Effect<unknown, unknown> => {
    const made = call(value, options, headers)
    if (Either.isLeft(made)) return Effect.die(made.left)
    const id = options?.activityId
    return Effect.flatMap(context.executeActivity(made.right, place), (outcome) => decode(context, outcome, id))
  }

  // Not a generator, and the context read off the fiber: this is the hot path of every replayed step.
  const execute = (value: unknown, options?: Given) => {
    const place = Place.capture(execute)
    return Effect.withFiberRuntime<unknown, unknown>((fiber) => {
      const context = Context.unsafeGet(fiber.currentContext as Context.Context<WorkflowContext>, WorkflowContext)
      const hook = context.hooks.executeActivity
      return hook === undefined
        ? executing(context, value, options, noHeaders, place)
        : through(
          hook,
          callOf(name, value, options),
          (call) => executing(context, call.payload, call.options, call.headers, place)
        )
    })
  }

  const start = (value: unknown, options?: Given) => {
    const place = Place.capture(start)
    return Effect.flatMap(
      WorkflowContext,
      (context) =>
        through(context.hooks.startActivity, callOf(name, value, options), ({ headers, options, payload }) => {
          const made = call(payload, options, headers)
          if (Either.isLeft(made)) return Effect.die(made.left)
          return Effect.map(context.startActivity(made.right, place), (started) => ({
            activityId: started.id,
            result: Effect.flatMap(started.await, (outcome) => decode(context, outcome, started.id)),
            cancel: started.cancel
          }))
        })
    )
  }

  const codecs: Codecs = { payload, success, error }
  const toLayer = <R>(body: (payload: never) => Effect.Effect<unknown, unknown, R>) =>
    Layer.effect(tag, hosting(name, codecs, body))

  return { name, execute, start, toLayer, codecs } as unknown as Activity<
    Name,
    PayloadType<P>,
    TypeOf<S, void>,
    TypeOf<E, never>
  >
}

/**
 * What the running attempt knows of itself, the idempotency key among it (rows A1, A2).
 *
 * @category services
 * @since 0.1.0
 */
export const info: Effect.Effect<ActivityInfo, never, ActivityContext> = Effect.map(
  ActivityContext,
  (context) => context.info
)

/**
 * Says that the attempt is alive, and records details for the next attempt should this one fail (rows A3 to A5).
 *
 * The first call is recorded at once, later ones at most every 0.8 heartbeat timeouts, the latest details winning.
 * Details must be JSON. Interrupts the attempt when its cancellation was asked for or its run is over.
 *
 * @category combinators
 * @since 0.1.0
 */
export const heartbeat = (details?: unknown): Effect.Effect<void, never, ActivityContext> =>
  Effect.flatMap(ActivityContext, (context) => Effect.orDie(context.heartbeat(details)))

/**
 * The details that an earlier attempt recorded last, read by a schema; none on the first attempt or when nothing was
 * recorded (row A5). Fails with `ContractError` when they do not fit the schema.
 *
 * @category combinators
 * @since 0.1.0
 */
export const lastHeartbeat = <A, I>(
  schema: Schema.Schema<A, I>
): Effect.Effect<A | undefined, Contract.ContractError, ActivityContext> => {
  const codec = Contract.codec(schema, "last heartbeat")
  return Effect.flatMap(ActivityContext, (context) =>
    context.lastHeartbeat === undefined
      ? Effect.succeed(undefined)
      : codec.decode(context.lastHeartbeat) as Either.Either<A, Contract.ContractError>)
}

/**
 * Ends the attempt's code without an outcome: whoever has its token (`Activity.info`) completes it from outside, with
 * `Client.activity`, in any process on the same store (row A9).
 *
 * The code stops here, its finalizers run, and the worker's slot is free again. All timeouts go on: give the activity a
 * start-to-close timeout that is long enough, and a heartbeat timeout if whoever completes it can send heartbeats. A
 * worker that ends or crashes from here on does the attempt no harm.
 *
 * @category combinators
 * @since 0.1.0
 */
export const completeAsync: Effect.Effect<never, never, ActivityContext> = Effect.flatMap(
  ActivityContext,
  (context) => context.completeAsync
)

/**
 * Why the attempt was, or with its next heartbeat will be, interrupted; undefined while nobody asked (row A8). For
 * finalizers: what to keep after a pause is not what to undo after a cancellation.
 *
 * @category services
 * @since 0.1.0
 */
export const cancellationDetails: Effect.Effect<CancellationDetails | undefined, never, ActivityContext> = Effect
  .flatMap(ActivityContext, (context) => context.cancellationDetails)

/**
 * Whether the worker has begun to shut down: a long activity may end early and be tried elsewhere (row A16).
 *
 * @category services
 * @since 0.1.0
 */
export const shuttingDown: Effect.Effect<boolean, never, ActivityContext> = Effect.flatMap(
  ActivityContext,
  (context) => context.shuttingDown
)

/**
 * Waits until the worker has begun to shut down (row A16). Race it against the work: what ends within the worker's
 * `shutdownGrace` is recorded as usual, heartbeats with it; what does not is interrupted, and tried elsewhere.
 *
 * @category services
 * @since 0.1.0
 */
export const awaitShutdown: Effect.Effect<void, never, ActivityContext> = Effect.flatMap(
  ActivityContext,
  (context) => context.awaitShutdown
)

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** @internal */
export const checkName = (kind: string, name: string): void => {
  const refuse = (reason: string): never => {
    throw new Contract.ContractError({ subject: `${kind} ${JSON.stringify(name)}`, reason })
  }
  if (name.length === 0) refuse("a name must not be empty")
  if (name.length > Limits.identifierCharsMax) refuse(`a name has at most ${Limits.identifierCharsMax} characters`)
  const taken = reserved(name)
  if (taken !== undefined) refuse(taken)
}

/** The options of one call, on its way. */
type Given = CallOptions & { readonly taskQueue?: string | undefined }

const callOf = (activity: string, payload: unknown, options: Given = {}) => ({
  activity,
  payload,
  options,
  headers: noHeaders
})

// JSON has no Infinity: an endless timeout is recorded as a very long one.
const millis = (input: Duration.DurationInput | undefined): number | undefined =>
  input === undefined ? undefined : Math.min(Duration.toMillis(input), Limits.durationMillisMax)

/** @internal */
export const encodeOptions = (options: Options) => {
  const startToCloseMillis = millis(options.startToCloseTimeout)
  const scheduleToStartMillis = millis(options.scheduleToStartTimeout)
  const scheduleToCloseMillis = millis(options.scheduleToCloseTimeout)
  const heartbeatMillis = millis(options.heartbeatTimeout)
  return {
    ...(startToCloseMillis === undefined ? {} : { startToCloseMillis }),
    ...(scheduleToStartMillis === undefined ? {} : { scheduleToStartMillis }),
    ...(scheduleToCloseMillis === undefined ? {} : { scheduleToCloseMillis }),
    ...(heartbeatMillis === undefined ? {} : { heartbeatMillis }),
    ...(options.retry === undefined ? {} : { retry: RetryPolicy.make(options.retry) }),
    ...(options.cancellation === undefined || options.cancellation === "TryCancel"
      ? {}
      : { cancellation: options.cancellation }),
    ...(options.summary === undefined ? {} : { summary: options.summary })
  }
}

/** The event of a call, but for what differs from one to the next: copied whole, which V8 does fastest. */
const templates = (name: string, options: Omit<ActivityScheduled, "_tag" | "seq" | "name" | "input">) => {
  const bare: ActivityScheduled = { _tag: "ActivityScheduled", seq: 0, name, ...options }
  return { bare, withInput: { ...bare, input: undefined } }
}
