/**
 * What the rows of deployments and builds hold.
 *
 * @since 0.1.0
 */
import type { Deployment } from "../Store.js"
import type { Decode } from "./Decode.js"
import { decode } from "./Decode.js"

/** @since 0.1.0 */
export const deployment: Decode<Deployment> = decode(
  "perdure_deployments",
  { name: "text", current_build: "text?", ramping_build: "text?", ramp: "integer", changed_at: "integer" },
  (row: DeploymentRow) => ({
    deployment: row.name,
    current: row.current_build ?? undefined,
    ramping: row.ramping_build ?? undefined,
    ramp: row.ramp,
    changedAt: row.changed_at
  })
)

/** @since 0.1.0 */
export const deploymentName: Decode<string> = decode(
  "perdure_builds",
  { name: "text" },
  (row: { readonly name: string }) => row.name
)

/** @since 0.1.0 */
export const build: Decode<{ readonly buildId: string; readonly taskQueue: string; readonly firstAt: number }> = decode(
  "perdure_builds",
  { build_id: "text", task_queue: "text", first_at: "integer" },
  (row: { readonly build_id: string; readonly task_queue: string; readonly first_at: number }) => ({
    buildId: row.build_id,
    taskQueue: row.task_queue,
    firstAt: row.first_at
  })
)

// internal -----------------------------------------------------------------------------------------------------------

interface DeploymentRow {
  readonly name: string
  readonly current_build: string | null
  readonly ramping_build: string | null
  readonly ramp: number
  readonly changed_at: number
}
