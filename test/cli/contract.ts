/**
 * A workflow that waits, as two deployments have it: `workflows.ts` and `reordered.ts`.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Workflow } from "perdure"

const options = { success: Schema.String, startToCloseTimeout: "5 seconds" } as const
export const Pack = Activity.make("Pack", options)
export const Post = Activity.make("Post", options)
export const Parcel = Workflow.make("Parcel", { success: Schema.String, signals: { arrived: {} } })

export const body = <A, E, R>(steps: Effect.Effect<A, E, R>) => () =>
  Effect.sync(() => {
    let arrived = false
    return Parcel.of({
      signals: { arrived: () => Effect.sync(() => void (arrived = true)) },
      run: Effect.orDie(steps).pipe(
        Effect.zipRight(Workflow.condition(() => arrived)),
        Effect.as("arrived")
      )
    })
  })
