/**
 * The version of a worker (row V6).
 *
 * @since 0.1.0
 */
import type { Behavior, Version, VersionAssigned } from "../core/family/Version.js"

/**
 * Which build of which deployment a worker runs, and what holds for workflows that do not say what becomes of their runs
 * when another build is made current.
 *
 * @category models
 * @since 0.1.0
 */
export interface WorkerVersion extends Version {
  /** Default: none, and each workflow must say it. */
  readonly defaultBehavior?: Behavior | undefined
}

/** What a turn on a worker records of it, for a workflow that says so, or not. @since 0.1.0 */
export const assignedBy = (
  worker: WorkerVersion | undefined,
  own: Behavior | undefined
): VersionAssigned => {
  if (worker === undefined) return none
  const { buildId, defaultBehavior, deployment } = worker
  const behavior = own ?? defaultBehavior
  return { _tag: "VersionAssigned", version: { deployment, buildId }, ...(behavior === undefined ? {} : { behavior }) }
}

const none: VersionAssigned = { _tag: "VersionAssigned" }
