/**
 * What a worker holds of an activity, and how the values of its contract are written and read: on encoded values, with
 * the author's types gone.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { Failure } from "../core/Failure.js"
import * as Failures from "../core/Failure.js"
import type * as Payload from "../core/Payload.js"
import { ActivityContext } from "./ActivityContext.js"
import { ActivityError } from "./ActivityError.js"
import { ApplicationError, toFailure } from "./ApplicationError.js"
import type { Codec } from "./Contract.js"
import type { Hook, Hooks } from "./Hooks.js"
import { Interceptors, through } from "./Hooks.js"
import type { ActivityOutcome } from "./WorkflowContext.js"

/**
 * Says in types that a worker hosts the activity of this name. A body that calls it requires it, and only its Layer
 * provides it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hosted<Name extends string> {
  readonly _: unique symbol
  readonly activity: Name
}

/** Compiled once per definition. @since 0.1.0 */
export interface Codecs {
  readonly payload: Codec
  readonly success: Codec
  readonly error: Codec
}

/**
 * What a worker holds of an activity: its name, and how to run one attempt on encoded values.
 *
 * @category models
 * @since 0.1.0
 */
export class ActivityHost {
  /** Those of the interceptors that its Layer was built with. */
  readonly hooks: Hooks["activity"]

  constructor(
    readonly name: string,
    /** The services of its Layer, to which the host adds those of the attempt. */
    readonly services: Context.Context<never>,
    /** May throw what the author's function throws before it returns an effect. */
    readonly run: (input: Payload.Payload) => Effect.Effect<Payload.Payload, Failure, ActivityContext | Scope.Scope>,
    /** The same on decoded values, for tests that run it alone. */
    readonly authored: {
      readonly payload: Codec
      readonly success: Codec
      readonly error: Codec
      readonly body: (payload: never) => Effect.Effect<unknown, unknown, unknown>
    },
    /**
     * - Dynamic: serves all names that have no host of their own (row D6).
     * - Transactional: runs inside of the transaction that records its outcome (I9).
     */
    readonly kind: "Plain" | "Dynamic" | "Transactional" = "Plain"
  ) {
    this.hooks = Context.get(services, Interceptors).activity
  }
}

/** The tag under which a Layer provides an activity's body. @since 0.1.0 */
export const hostTag = <Name extends string>(name: Name): Context.Tag<Hosted<Name>, ActivityHost> =>
  Context.GenericTag<Hosted<Name>, ActivityHost>(`perdure/Activity/${name}`)

/** Stands for all names that have no host of their own. @internal */
export const dynamicName = "*"

/** Puts a body and its services together, as its Layer gives them. @internal */
export const hosting = <R>(
  name: string,
  codecs: Codecs,
  body: (payload: never) => Effect.Effect<unknown, unknown, R>,
  kind: ActivityHost["kind"] = "Plain"
): Effect.Effect<ActivityHost, never, Exclude<R, ActivityContext | Scope.Scope>> => {
  const { error, payload, success } = codecs
  const onFailure = (failed: unknown) => Effect.fail(encodeFailure(error, failed))
  const onSuccess = (value: unknown) => {
    const encoded = success.encode(value)
    return Either.isLeft(encoded)
      ? Effect.fail<Failure>({ ...Failures.fromUnknown(encoded.left), nonRetryable: true })
      : Effect.succeed(encoded.right)
  }
  return Effect.map(
    Effect.context<Exclude<R, ActivityContext | Scope.Scope>>(),
    (context) => {
      const hook = Context.get(context as Context.Context<never>, Interceptors).activity.execute
      const run = hook === undefined ? body : intercepted(hook, body)
      return new ActivityHost(
        name,
        context as Context.Context<never>,
        (input) => {
          const decoded = payload.decode(input)
          if (Either.isLeft(decoded)) {
            return Effect.fail(Failures.fromUnknown(decoded.left))
          }
          const attempt = run(decoded.right as never) as Effect.Effect<unknown, unknown>
          return Effect.matchEffect(attempt, { onFailure, onSuccess })
        },
        { payload, success, error, body: run },
        kind
      )
    }
  )
}

/** A body with the interceptors around it. */
const intercepted =
  (hook: Hook, body: (payload: never) => Effect.Effect<unknown, unknown, unknown>) =>
  (payload: never): Effect.Effect<unknown, unknown, unknown> =>
    Effect.flatMap(
      ActivityContext,
      ({ info }) =>
        through(hook, { info, payload, headers: info.headers }, (call) => Effect.suspend(() => body(call.payload)))
    )

/** A failed attempt's recorded form: a declared error by its schema, everything else as an application failure. @internal */
export const encodeFailure = (error: Codec, failed: unknown): Failure => {
  if (failed instanceof ApplicationError) return toFailure(failed)
  // Of a body that runs elsewhere, as an interceptor passes it on.
  if (failed instanceof ActivityError) return failed.failure
  const encoded = error.encode(failed)
  if (Either.isLeft(encoded)) return Failures.fromUnknown(failed)
  const plain = Failures.fromUnknown(failed)
  return {
    _tag: "Declared",
    type: plain.type,
    message: plain.message,
    error: encoded.right,
    ...(plain.stack === undefined ? {} : { stack: plain.stack })
  }
}

/** What the body sees of a failure: the declared error itself, or an ActivityError. @internal */
export const decodeFailure = (
  error: Codec,
  activity: string,
  activityId: string,
  outcome: Exclude<ActivityOutcome, { readonly _tag: "ActivityCompleted" }> | {
    readonly _tag: "StepFailed"
    readonly attempt: number
    readonly failure: Failure
    readonly retryState: Failures.RetryState
  }
): unknown => {
  if (outcome._tag === "ActivityCanceled") {
    return new ActivityError({
      activity,
      activityId,
      attempt: outcome.attempt,
      retryState: "CancelRequested",
      failure: { _tag: "Canceled", message: `activity ${activity} was canceled` }
    })
  }
  if (outcome.failure._tag === "Declared") {
    const decoded = error.decode(outcome.failure.error)
    // A declared error that no longer decodes is shown as it was recorded, not lost.
    if (Either.isRight(decoded)) return decoded.right
  }
  return new ActivityError({
    activity,
    activityId,
    attempt: outcome.attempt,
    retryState: outcome.retryState,
    failure: outcome.failure
  })
}
