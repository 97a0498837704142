/**
 * What a running activity attempt may ask of its host.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
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
  /** The same for every attempt of this activity, and for no other: give it to services that take one (row A2). */
  readonly idempotencyKey: string
  readonly workflow: string
  readonly workflowId: string
  readonly runId: string
  readonly taskQueue: string
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
}>() {}
