import * as Schema from "effect/Schema"
import { Activity } from "perdure"

export class Odd extends Schema.TaggedError<Odd>()("Odd", { n: Schema.Number }) {}

/** What the thread is to do. */
export const Work = Activity.make("Work", {
  payload: {
    what: Schema.Literal("count", "fail", "die", "exit", "spin", "wait", "swallow", "resume"),
    n: Schema.Number
  },
  success: Schema.Number,
  error: Odd,
  startToCloseTimeout: "15 seconds",
  heartbeatTimeout: "14 seconds",
  retry: { initialInterval: 1, maximumAttempts: 2, nonRetryable: ["Odd"] }
})
