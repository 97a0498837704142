/**
 * A worker with a version, as a process of its own.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Worker, Workflow } from "perdure"
import * as Process from "./Process.js"

const contract = {
  success: Schema.Array(Schema.String),
  signals: { step: {}, end: {} },
  queries: { seen: { success: Schema.Array(Schema.String) } }
} as const

/** Notes with each `step` which build took it, and which build's activity. */
export const Pinned = Workflow.make("Pinned", { ...contract, versioningBehavior: "Pinned" })
export const Moving = Workflow.make("Moving", { ...contract, versioningBehavior: "AutoUpgrade" })
const Where = Activity.make("Where", { success: Schema.String, startToCloseTimeout: "10 seconds" })

const live = (workflow: typeof Pinned) =>
  workflow.toLayer(() =>
    Effect.sync(() => {
      const seen: Array<string> = []
      let ended = false
      return workflow.of({
        signals: {
          step: () =>
            Effect.gen(function*() {
              const { deploymentVersion } = yield* Workflow.info
              seen.push(`${deploymentVersion?.buildId} ${yield* Where.execute()}`)
            }).pipe(Effect.orDie),
          end: () => Effect.sync(() => void (ended = true))
        },
        queries: { seen: () => Effect.succeed([...seen]) },
        run: Effect.as(Workflow.condition(() => ended), seen)
      })
    })
  )

if (process.argv[2] !== undefined && process.argv[1]?.endsWith("shop.ts") === true) {
  Process.run(({ buildId = "", lease, taskQueue }) =>
    Worker.layer({
      taskQueue,
      version: { deployment: "shop", buildId },
      lease: lease as Duration.DurationInput,
      hosts: [
        live(Pinned),
        live(Moving as unknown as typeof Pinned),
        Where.toLayer(() => Effect.succeed(buildId))
      ]
    })
  )
}
