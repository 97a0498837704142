/**
 * What the processes of this test share: contracts, and the words by which a child is told what to do.
 */
import * as Schema from "effect/Schema"
import { Activity, Workflow } from "perdure"

export class Spoiled extends Schema.TaggedError<Spoiled>()("Spoiled", { reason: Schema.String }) {}

/** Bakes for each signal `order`, until it is told to close; an order of 0 waits for the file `go`. Notes all else. */
export const Bakery = Workflow.make("Bakery", {
  payload: Schema.String,
  success: Schema.Array(Schema.String),
  error: Spoiled,
  signals: { order: { payload: Schema.Number }, close: {} },
  queries: { baked: { success: Schema.Array(Schema.String) } },
  updates: { taste: { payload: Schema.String, success: Schema.Number, error: Spoiled } },
  dynamic: { signals: true, queries: true, updates: true }
})

/** Gives who baked, and at which attempt. */
export const Bake = Activity.make("Bake", {
  payload: Schema.Number,
  success: Schema.String,
  startToCloseTimeout: "1 minute",
  retry: { initialInterval: "10 millis" }
})

export const Far = Activity.make("Far", { success: Schema.String, startToCloseTimeout: "1 minute" })

/** What a child is started with. */
export const Settings = Schema.Struct({
  name: Schema.String,
  filename: Schema.String,
  taskQueue: Schema.String,
  /** Host the workflow, or activities alone. */
  workflows: Schema.Boolean,
  lease: Schema.String,
  /** An order of 0 ends when this file is there. */
  go: Schema.String
})
export type Settings = typeof Settings.Type
