/**
 * What goes between the worker and a thread that runs an activity: encoded values, as structured clones.
 *
 * Each attempt on a thread has a number of its own. What is said of another one than is on is left: it was on its way when
 * that one was given up.
 *
 * @since 0.1.0
 */
import type { Failure } from "../core/Failure.js"
import type { Payload } from "../core/Payload.js"
import type { ActivityInfo, CancellationDetails } from "../dsl/ActivityContext.js"

/** To the thread, which has at most one attempt at a time. @since 0.1.0 */
export type Order =
  | {
    readonly _tag: "Run"
    readonly number: number
    readonly activity: string
    readonly input: Payload
    readonly info: ActivityInfo
    readonly lastHeartbeat: Payload
  }
  | { readonly _tag: "Cancel"; readonly number: number; readonly details: CancellationDetails | undefined }
  | { readonly _tag: "ShutDown" }

/** From the thread. @since 0.1.0 */
export type Report =
  & { readonly number: number }
  & (
    | { readonly _tag: "Heartbeat"; readonly details: Payload }
    | { readonly _tag: "Completed"; readonly result: Payload }
    | { readonly _tag: "Failed"; readonly failure: Failure }
    | { readonly _tag: "Interrupted" }
  )
