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

/** Builds cars of parts, which are children on the queue "parts"; `finish` is passed on to each of them. */
export const Car = Workflow.make("Car", {
  payload: { parts: Schema.Array(Schema.String) },
  success: Schema.Array(Schema.String),
  signals: { finish: { payload: Schema.String }, scrap: { payload: Schema.String } }
})

/** Is welded once it is told how to finish. */
export const Part = Workflow.make("Part", {
  payload: Schema.String,
  success: Schema.String,
  signals: { finish: { payload: Schema.String } }
})

/** Writes what it does into the file that it is given. */
export const Weld = Activity.make("Weld", {
  payload: { part: Schema.String },
  success: Schema.String,
  startToCloseTimeout: "1 minute",
  retry: { initialInterval: "10 millis" }
})

export class Silent extends Schema.TaggedError<Silent>()("Silent", { since: Schema.Number }) {}

/** Handed over by its worker, which says its token; completed by somebody else. */
export const Ask = Activity.make("Ask", {
  success: Schema.Struct({ answer: Schema.Number, saw: Schema.Unknown }),
  error: Silent,
  startToCloseTimeout: "1 minute",
  heartbeatTimeout: "30 seconds",
  retry: { initialInterval: "10 millis", nonRetryable: ["Silent"] },
  cancellation: "WaitCancellationCompleted"
})

/** Asks, and gives what it was told; `stop` cancels the question. */
export const Survey = Workflow.make("Survey", { success: Schema.Unknown, signals: { stop: {} } })

/** Enters a page by a child, whose workflow id is the same for all; sends a note to "reader"; closes when it is told to. */
export const Ledger = Workflow.make("Ledger", {
  payload: Schema.String,
  success: Schema.Array(Schema.String),
  signals: { note: { payload: Schema.String }, close: {} }
})

export const Entry = Workflow.make("Entry", { payload: Schema.String, success: Schema.String })

export const Note = Activity.make("Note", {
  payload: Schema.String,
  success: Schema.String,
  startToCloseTimeout: "1 minute"
})

/** Takes notes until it is told to close. */
export const Reader = Workflow.make("Reader", {
  success: Schema.Array(Schema.String),
  signals: { note: { payload: Schema.String }, close: {} }
})
/** For schedules to start. */
export const Tick = Workflow.make("Tick", {})

/** What a child is started with. */
export const Settings = Schema.Struct({
  name: Schema.String,
  /** Default: `default`. */
  namespace: Schema.optionalWith(Schema.String, { exact: true }),
  filename: Schema.String,
  taskQueue: Schema.String,
  /** Host the workflow, or activities alone. */
  workflows: Schema.Boolean,
  lease: Schema.String,
  /** The build that it runs, of the deployment "shop". */
  buildId: Schema.optional(Schema.String),
  /** An order of 0 ends when this file is there. */
  go: Schema.String
})
export type Settings = typeof Settings.Type
