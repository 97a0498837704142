/**
 * Deployments and their builds (row V6). Part of the Store port.
 *
 * @since 0.1.0
 */
import type { Routing } from "../core/Routing.js"

/**
 * Where a deployment sends what is not pinned.
 *
 * @category models
 * @since 0.1.0
 */
export interface Deployment extends Routing {
  readonly changedAt: number
}

/**
 * Where runs of a queue go that are not pinned, as a worker of it sees that.
 *
 * @category models
 * @since 0.1.0
 */
export interface Routed {
  /** Undefined: no deployment has workers there, or says so. */
  readonly routing: Routing | undefined
  /** Runs that an operator took from the worker. */
  readonly displaced: ReadonlyArray<string>
}

/** A build of a deployment. @category models @since 0.1.0 */
export interface Build {
  readonly buildId: string
  readonly taskQueues: ReadonlyArray<string>
  readonly firstAt: number
  /** Open runs that are pinned to it. */
  readonly pinned: number
  /** Workers of it that have a row. */
  readonly workers: number
}
