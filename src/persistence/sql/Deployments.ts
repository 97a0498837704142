/**
 * Deployments: which builds there are, where runs go, and what is pinned (row V6).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Versions from "../../core/family/Version.js"
import * as Routing from "../../core/Routing.js"
import type { Build, Deployment, PostResult, Store } from "../Store.js"
import * as Batch from "./Batch.js"
import type { Changes } from "./Changes.js"
import type { Database } from "./Database.js"
import type * as Releasing from "./Releasing.js"
import * as Rows from "./Rows.js"
import { columns } from "./Runs.js"
import * as VersionRows from "./VersionRows.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  db: Database,
  releasing: Releasing.Statements,
  changes: Changes
): Pick<
  Store["Type"],
  "routing" | "displacedSeen" | "deployments" | "builds" | "route" | "overrideVersion" | "workersOf"
> => {
  const { lockRows, text } = db.dialect
  const fields = "d.name, d.current_build, d.ramping_build, d.ramp, d.changed_at"
  // A queue is one deployment's, as a rule; of several the one that was changed last has it.
  const ofQueue = text(
    `SELECT ${fields} FROM perdure_builds b
    JOIN perdure_deployments d ON d.namespace = b.namespace AND d.name = b.deployment
    WHERE b.namespace = :namespace AND b.task_queue = ? AND (d.current_build IS NOT NULL OR d.ramping_build IS NOT NULL)
    ORDER BY d.changed_at DESC, d.name LIMIT 1`
  )
  const ofName = text(`SELECT ${fields} FROM perdure_deployments d WHERE d.namespace = :namespace AND d.name = ?`)
  const names = text(
    "SELECT DISTINCT deployment AS name FROM perdure_builds WHERE namespace = :namespace ORDER BY deployment"
  )
  const all = text(`SELECT ${fields} FROM perdure_deployments d WHERE d.namespace = :namespace ORDER BY d.name`)
  const builds = text(
    `SELECT b.build_id, b.task_queue, b.first_at FROM perdure_builds b WHERE b.namespace = :namespace AND b.deployment = ?
    ORDER BY b.first_at DESC, b.build_id, b.task_queue`
  )
  const pinned = text(
    "SELECT count(*) AS count FROM perdure_runs WHERE status = 'Running' AND namespace = :namespace AND pinned_to = ? AND pinned_to <> ''"
  )
  const workers = text("SELECT count(*) AS count FROM perdure_workers WHERE +namespace = :namespace AND version = ?")
  const put = text(
    `INSERT INTO perdure_deployments (namespace, name, current_build, ramping_build, ramp, changed_at)
    VALUES (:namespace, ?, ?, ?, ?, ?)
    ON CONFLICT (namespace, name) DO UPDATE SET current_build = excluded.current_build, ramping_build = excluded.ramping_build,
      ramp = excluded.ramp, changed_at = excluded.changed_at`
  )
  const run = text(`SELECT ${columns} FROM perdure_runs r WHERE r.run_id = ? AND +r.namespace = :namespace${lockRows}`)
  const pin = text("UPDATE perdure_runs SET versioning_override = ?, pinned_to = ? WHERE run_id = ?")
  const pinTasks = text("UPDATE perdure_activity_tasks SET pinned_to = ? WHERE run_id = ? AND task_queue = ?")
  const displaced = text("SELECT run_id FROM perdure_displaced WHERE worker = ?")
  const displace = text(
    "INSERT INTO perdure_displaced (worker, run_id) VALUES (?, ?) ON CONFLICT (worker, run_id) DO NOTHING"
  )
  const seen = Batch.make(db.dialect, {
    before: "DELETE FROM perdure_displaced WHERE worker = ? AND run_id IN (",
    row: "?",
    after: ")"
  })
  const due = text(
    "UPDATE perdure_runs SET wake_at = ? WHERE owner IS NULL AND wake_at > ? AND start_at IS NULL AND run_id = ?"
  )

  return {
    routing: (worker, taskQueue) =>
      db.read("routing", (tx) =>
        Effect.zipWith(
          Effect.flatMap(tx(ofQueue, [taskQueue]), VersionRows.deployment),
          Effect.flatMap(tx(displaced, [worker]), Rows.runId),
          (found, displaced) => ({ routing: found[0], displaced })
        )),
    displacedSeen: (worker, runIds) =>
      Effect.asVoid(db.write("displacedSeen", (tx) => Batch.run(tx, seen, runIds, [worker]))),
    deployments: db.read("deployments", (tx) =>
      Effect.gen(function*() {
        const routed = yield* Effect.flatMap(tx(all, []), VersionRows.deployment)
        const known = yield* Effect.flatMap(tx(names, []), VersionRows.deploymentName)
        const found = new Map(routed.map((one) => [one.deployment, one]))
        for (const name of known) {
          if (!found.has(name)) {
            found.set(name, unrouted(name))
          }
        }
        return [...found.values()].sort((a, b) => a.deployment < b.deployment ? -1 : 1)
      })),
    builds: (deployment) =>
      db.read("builds", (tx) =>
        Effect.gen(function*() {
          const found = new Map<string, Build & { readonly taskQueues: Array<string> }>()
          for (const row of yield* Effect.flatMap(tx(builds, [deployment]), VersionRows.build)) {
            const known = found.get(row.buildId)
            if (known !== undefined) {
              known.taskQueues.push(row.taskQueue)
              continue
            }
            const key = Versions.keyOf({ deployment, buildId: row.buildId })
            const [open] = yield* Effect.flatMap(tx(pinned, [key]), Rows.count)
            const [live] = yield* Effect.flatMap(tx(workers, [key]), Rows.count)
            const { buildId, firstAt, taskQueue } = row
            found.set(buildId, { buildId, firstAt, taskQueues: [taskQueue], pinned: open!, workers: live! })
          }
          return [...found.values()]
        })),
    route: (deployment, change, now) =>
      Effect.tap(
        db.write("route", (tx) =>
          Effect.gen(function*() {
            const [before] = yield* Effect.flatMap(tx(ofName, [deployment]), VersionRows.deployment)
            const { current, ramp, ramping } = change(before ?? unrouted(deployment))
            yield* tx(put, [deployment, current ?? null, ramping ?? null, ramp, now])
            return { deployment, current, ramping, ramp, changedAt: now } satisfies Deployment
          })),
        () => changes.announce
      ),
    overrideVersion: (runId, override, now) =>
      Effect.tap(
        db.write("overrideVersion", (tx) =>
          Effect.gen(function*() {
            const [found] = yield* Effect.flatMap(tx(run, [runId]), Rows.run)
            if (found === undefined) {
              return "NotFound" satisfies PostResult
            }
            if (found.status !== "Running") {
              return "Closed" satisfies PostResult
            }
            if (override === undefined && found.override === undefined) {
              return "Posted" satisfies PostResult
            }
            const version = override?.version
            const to = Routing.pinnedTo(
              override === undefined
                ? { pinnedTo: "" }
                : { override: override.behavior, pinnedTo: version === undefined ? "" : Versions.keyOf(version) },
              found
            )
            yield* tx(pin, [override?.behavior ?? null, to, runId])
            // Those of other queues are of other workers, whose versions are their own.
            yield* tx(pinTasks, [to, runId, found.taskQueue])
            yield* releasing.release(tx, [runId], now)
            if (found.owner !== undefined) {
              yield* tx(displace, [found.owner, runId])
            }
            yield* tx(due, [now, now, runId])
            return "Posted" satisfies PostResult
          })),
        (result) => result === "Posted" ? changes.announce : Effect.void
      ),
    workersOf: (version) =>
      db.read(
        "workersOf",
        (tx) => Effect.map(Effect.flatMap(tx(workers, [Versions.keyOf(version)]), Rows.count), ([count]) => count!)
      )
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const unrouted = (deployment: string): Deployment => ({
  deployment,
  current: undefined,
  ramping: undefined,
  ramp: 0,
  changedAt: 0
})
