/**
 * What a running activity attempt may ask of its host.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Headers } from "../core/Headers.js"
import type { Payload } from "../core/Payload.js"
import type { RetryPolicy } from "../core/RetryPolicy.js"
import type { ContractError } from "./Contract.js"

/**
 * What an attempt knows of itself (row A1).
 *
 * @category models
 * @since 0.1.0
 */
export interface ActivityInfo {
  readonly activity: string
  readonly activityId: string
  /** Counts from 1. */
  readonly attempt: number
  /** Names this attempt to whoever completes it from outside, in any process on the same store (rows A9, A10). */
  readonly taskToken: string
  /** The same for every attempt of this activity, and for no other: give it to services that take one (row A2). */
  readonly idempotencyKey: string
  readonly workflow: string
  readonly workflowId: string
  readonly runId: string
  readonly taskQueue: string
  /** That of the run's store (row X1). */
  readonly namespace: string
  /** What interceptors gave the call along with the payload: the same for each attempt (row N6). */
  readonly headers: Headers
  /** When the activity was first scheduled, in epoch milliseconds. */
  readonly scheduledAt: number
  /** When this attempt was scheduled. */
  readonly attemptScheduledAt: number
  readonly startedAt: number
  readonly startToCloseMillis: number | undefined
  readonly scheduleToCloseMillis: number | undefined
  readonly heartbeatMillis: number | undefined
  readonly retry: RetryPolicy
}

/**
 * Why an attempt was asked to end (row A8). The first reason is set, and stays.
 *
 * @category models
 * @since 0.1.0
 */
export interface CancellationDetails {
  /** Nobody waits for it any more: its run is closed, or the attempt was given to somebody else. */
  readonly notFound: boolean
  /** Its workflow asked for its cancellation. */
  readonly cancelRequested: boolean
  /** An operator paused it (row A15). */
  readonly paused: boolean
  /** An operator reset it (row A15). */
  readonly reset: boolean
  /** One of its timeouts struck. */
  readonly timedOut: boolean
  /** Its worker shuts down, and has waited as long as it does (row A16). */
  readonly workerShutdown: boolean
}

/** The details of one reason. @since 0.1.0 */
export const cancellationDetails = (reason: keyof CancellationDetails): CancellationDetails => ({
  notFound: false,
  cancelRequested: false,
  paused: false,
  reset: false,
  timedOut: false,
  workerShutdown: false,
  [reason]: true
})

/**
 * @category services
 * @since 0.1.0
 */
export class ActivityContext extends Context.Tag("perdure/ActivityContext")<ActivityContext, {
  readonly info: ActivityInfo
  /** The details last recorded by an earlier attempt (row A5); undefined on the first. */
  readonly lastHeartbeat: Payload
  /** Records details, throttled (row A3). Interrupts the attempt when its cancellation was asked for. */
  readonly heartbeat: (details: Payload) => Effect.Effect<void, ContractError>
  /** Whether the worker has begun to shut down (row A16). */
  readonly shuttingDown: Effect.Effect<boolean>
  /** Returns when it has. */
  readonly awaitShutdown: Effect.Effect<void>
  /** Why the attempt was, or is to be, interrupted (row A8); undefined while nobody asked. */
  readonly cancellationDetails: Effect.Effect<CancellationDetails | undefined>
  /** Ends the attempt's code and leaves its outcome to whoever has its token (row A9). */
  readonly completeAsync: Effect.Effect<never>
}>() {}
