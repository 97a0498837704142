/** What the tests' bodies are made of: an activity, and a workflow without a contract around any body. */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Workflow } from "perdure"
import type { WorkflowHost } from "../../../src/dsl/Workflow.js"
import { hostOf } from "./Driver.js"

export class Declined extends Schema.TaggedError<Declined>()("Declined", { reason: Schema.String }) {}

export const Act = Activity.make("Act", {
  payload: { label: Schema.String },
  success: Schema.Unknown,
  error: Declined,
  startToCloseTimeout: "1 minute"
})

/** Runs the activity; its result is what the driver gives, by default the label. */
export const act = (label: string, options?: Activity.CallOptions) =>
  Act.execute({ label }, options as Activity.CallOptions & { readonly taskQueue?: undefined })

const Plain = Workflow.make("Plain", { success: Schema.Unknown, error: Declined })

/** Hosts any effect as the body of a workflow. */
export const host = (body: Effect.Effect<unknown, unknown, unknown>): WorkflowHost =>
  hostOf(Plain.toLayer(() => body as Effect.Effect<unknown, Declined>) as never)
