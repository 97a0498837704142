/**
 * The activity that serves all names that have no host of their own (row D6).
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ActivityContext } from "./ActivityContext.js"
import type { ApplicationError } from "./ApplicationError.js"
import * as Contract from "./Contract.js"
import type { ActivityHost, Codecs, Hosted } from "./HostedActivity.js"
import { dynamicName, hosting } from "./HostedActivity.js"

/**
 * Gives a body to every activity whose name no other host of the worker has; at most one a worker.
 *
 * Its payload is the value as it was sent, encoded; its name is in `Activity.info`. What it gives must be JSON, and is read by
 * the contract of whoever called. It counts as a host of any name: a worker with it asks for no other activity.
 *
 * @category layers
 * @since 0.1.0
 */
export const dynamic = <R>(
  body: (payload: unknown) => Effect.Effect<unknown, ApplicationError, R>
): Layer.Layer<Hosted<string>, never, Exclude<R, ActivityContext | Scope.Scope>> =>
  // A tag of its own each time: of two, both reach the worker, which refuses them.
  Layer.effect(
    Context.GenericTag<Hosted<string>, ActivityHost>(`perdure/Activity/${dynamicName}/${count++}`),
    hosting(dynamicName, codecs, body, "Dynamic")
  )

let count = 0

const codecs: Codecs = {
  payload: Contract.codec(Schema.Unknown, "payload of a dynamic activity"),
  success: Contract.codec(Schema.Unknown, "result of a dynamic activity"),
  error: Contract.codec(Contract.neverSchema, "error of a dynamic activity")
}
