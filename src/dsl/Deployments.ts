/**
 * What operators see and say of the versions of workers (row V6).
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Override, Version } from "../core/family/Version.js"
import type { StoreUnavailable } from "./WorkflowFailure.js"

/**
 * What takes the place of the behaviour that a workflow's code says: its run stays with a build, or moves to whichever is
 * current.
 *
 * @category models
 * @since 0.1.0
 */
export type Versioning = "AutoUpgrade" | { readonly pinned: Version }

/** @since 0.1.0 */
export const overrideOf = (versioning: Versioning): Override =>
  versioning === "AutoUpgrade" ? { behavior: versioning } : { behavior: "Pinned", version: versioning.pinned }

/**
 * A build of a deployment.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeploymentVersion {
  readonly buildId: string
  /**
   * - Current, Ramping: it gets new runs, and those that move.
   * - Draining: it gets none, and open runs are pinned to it: its workers are still needed.
   * - Drained: it gets none, and none is pinned to it. Queries of closed runs that were pinned to it still ask for it.
   */
  readonly status: "Current" | "Ramping" | "Draining" | "Drained"
  /** Those on which it has had workers. */
  readonly taskQueues: ReadonlyArray<string>
  /** Open runs that are pinned to it. */
  readonly pinned: number
  /** Workers of it that are registered now; one that was killed counts until others have found it gone. */
  readonly workers: number
  /** When its first worker came, in epoch milliseconds. */
  readonly firstSeenAt: number
}

/** @category models @since 0.1.0 */
export interface DeploymentDescription {
  readonly deployment: string
  /** The build that new runs begin on; undefined: workers without a version have them. */
  readonly current: string | undefined
  readonly ramping: { readonly buildId: string; readonly percentage: number } | undefined
  /** When `current` or `ramping` was last set, in epoch milliseconds; 0: never. */
  readonly changedAt: number
  /** The last one that came first. */
  readonly versions: ReadonlyArray<DeploymentVersion>
}

/**
 * A deployment cannot be told that.
 *
 * @category errors
 * @since 0.1.0
 */
export class DeploymentError extends Schema.TaggedError<DeploymentError>()("DeploymentError", {
  deployment: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `deployment ${this.deployment}: ${this.reason}`
  }
}

/** @category models @since 0.1.0 */
export interface RouteOptions {
  /** A build of which no worker was ever seen is taken all the same: runs wait for one. Default false. */
  readonly allowUnknown?: boolean | undefined
}

/**
 * The deployments of a store. Workers hear of a change with their next poll: a few milliseconds, as a rule.
 *
 * @category models
 * @since 0.1.0
 */
export interface Deployments {
  /**
   * Sends new runs, and all that are not pinned, to a build, and ends a ramp to it; undefined: to workers without a version.
   * Fails with `DeploymentError` where no worker of the build was ever seen.
   */
  readonly setCurrent: (
    deployment: string,
    buildId: string | undefined,
    options?: RouteOptions
  ) => Effect.Effect<void, DeploymentError | StoreUnavailable>
  /**
   * Sends a part of them to another build: `percentage` of all workflow ids, 0 to 100 with two decimals, by a hash that is the
   * same for ever, so that whoever is in stays in as it rises. Undefined ends the ramp.
   */
  readonly setRamping: (
    deployment: string,
    ramping: { readonly buildId: string; readonly percentage: number } | undefined,
    options?: RouteOptions
  ) => Effect.Effect<void, DeploymentError | StoreUnavailable>
  /** Where it sends runs, and its builds with what is still pinned to each. Fails where there is none of that name. */
  readonly describe: (deployment: string) => Effect.Effect<DeploymentDescription, DeploymentError | StoreUnavailable>
  /** All deployments by name, without their builds. */
  readonly list: Effect.Effect<ReadonlyArray<Omit<DeploymentDescription, "versions">>, StoreUnavailable>
}
