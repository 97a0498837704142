/**
 * Deployments: where their runs go, and what their builds still have (row V6).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Routing from "../../core/Routing.js"
import type {
  DeploymentDescription,
  Deployments,
  DeploymentVersion,
  RouteOptions,
  Versioning
} from "../../dsl/Deployments.js"
import { DeploymentError, overrideOf } from "../../dsl/Deployments.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import { WorkflowClosed, WorkflowNotFound } from "../../dsl/WorkflowFailure.js"
import type { Build, Deployment } from "../../persistence/Store.js"
import type { Calls, Target } from "./Calls.js"
import { nameOf } from "./Calls.js"

/** @category constructors @since 0.1.0 */
export const make = (calls: Calls): Deployments => {
  const { store } = calls

  const route = (deployment: string, change: (before: Deployment) => Deployment) =>
    Effect.zipRight(
      calls.of("deployments", store.route(deployment, change, calls.now())),
      refreshed(calls)
    )

  const known = (deployment: string, buildId: string | undefined, { allowUnknown }: RouteOptions = {}) =>
    buildId === undefined || allowUnknown === true
      ? Effect.void
      : Effect.flatMap(
        calls.of("deployments", store.builds(deployment)),
        (builds) =>
          builds.some((build) => build.buildId === buildId)
            ? Effect.void
            : new DeploymentError({
              deployment,
              reason: `no worker of build ${buildId} was ever seen; seen are: ${
                builds.map((build) => build.buildId).join(", ") || "none"
              }. Start one first, or say allowUnknown`
            })
      )

  return {
    setCurrent: (deployment, buildId, options) =>
      Effect.zipRight(
        known(deployment, buildId, options),
        route(deployment, (before) => ({
          ...before,
          current: buildId,
          ...(before.ramping === buildId ? { ramping: undefined, ramp: 0 } : {})
        }))
      ),
    setRamping: (deployment, ramping, options) => {
      const { buildId, percentage = 0 } = ramping ?? {}
      return percentage >= 0 && percentage <= 100
        ? Effect.zipRight(
          known(deployment, buildId, options),
          route(deployment, (before) => ({
            ...before,
            ramping: buildId,
            ramp: Math.round(percentage * Routing.buckets / 100)
          }))
        )
        : new DeploymentError({ deployment, reason: `percentage must be 0 to 100, and is ${percentage}` })
    },
    describe: (deployment) =>
      Effect.gen(function*() {
        const all = yield* calls.of("deployments", store.deployments)
        const found = all.find((each) => each.deployment === deployment)
        if (found === undefined) {
          return yield* new DeploymentError({
            deployment,
            reason: `there is none of that name; there are: ${all.map((each) => each.deployment).join(", ") || "none"}`
          })
        }
        const builds = yield* calls.of("deployments", store.builds(deployment))
        return { ...shown(found), versions: builds.map((build) => versionOf(build, found)) }
      }),
    list: Effect.map(calls.of("deployments", store.deployments), (all) => all.map(shown))
  }
}

/** Pins an open run, or lets it move; undefined takes that back. @since 0.1.0 */
export const override = (
  calls: Calls,
  target: Target,
  versioning: Versioning | undefined
): Effect.Effect<void, WorkflowNotFound | WorkflowClosed | StoreUnavailable> =>
  Effect.flatMap(calls.runIdOf(target, "setVersioning"), (runId) =>
    Effect.flatMap(
      calls.of(
        "setVersioning",
        calls.store.overrideVersion(runId, versioning === undefined ? undefined : overrideOf(versioning), calls.now())
      ),
      (posted): Effect.Effect<void, WorkflowNotFound | WorkflowClosed | StoreUnavailable> => {
        if (posted === "NotFound") return new WorkflowNotFound(nameOf(target))
        if (posted === "Closed") return new WorkflowClosed({ ...nameOf(target), runId })
        return refreshed(calls)
      }
    ))

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** Whoever says so sees it at once in this process. */
const refreshed = (calls: Calls): Effect.Effect<void, StoreUnavailable> =>
  calls.engine === undefined ? Effect.void : calls.of("deployments", calls.engine.refreshRoutes)

const shown = (
  { changedAt, current, deployment, ramp, ramping }: Deployment
): Omit<DeploymentDescription, "versions"> => ({
  deployment,
  current,
  ramping: ramping === undefined ? undefined : { buildId: ramping, percentage: ramp * 100 / Routing.buckets },
  changedAt
})

const versionOf = (
  { buildId, firstAt, pinned, taskQueues, workers }: Build,
  { current, ramping }: Deployment
): DeploymentVersion => ({
  buildId,
  status: buildId === current ? "Current" : buildId === ramping ? "Ramping" : pinned > 0 ? "Draining" : "Drained",
  taskQueues,
  pinned,
  workers,
  firstSeenAt: firstAt
})
