/**
 * The execution of `sleepers` and `idle`: sleeps, then runs an activity. With nothing to sleep it is done at once.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Workflow } from "perdure"

const Ring = Activity.make("Ring", { success: Schema.String, startToCloseTimeout: "30 seconds" })

export const Sleeper = Workflow.make("Sleeper", { payload: { minutes: Schema.Number }, success: Schema.String })

const SleeperLive = Sleeper.toLayer(({ minutes }) =>
  minutes === 0 ? Ring.execute() : Effect.zipRight(Effect.sleep(`${minutes} minutes`), Ring.execute())
)

const RingLive = Ring.toLayer(() => Effect.succeed("awake"))

export const hosts = [SleeperLive, RingLive] as const
