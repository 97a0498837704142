/**
 * What a batch does to each execution that a filter finds (row X16).
 *
 * ```ts
 * client.batch("ExecutionStatus = 'Running' AND region = 'eu'", Batch.signal(Order, "pause"), { perSecond: 50 })
 * ```
 *
 * @since 0.1.0
 */
import type { PayloadArgument } from "./Call.js"
import type { Versioning } from "./Deployments.js"
import type { ResetOptions } from "./ResetOptions.js"
import type * as Workflow from "./Workflow.js"

/**
 * One of the operations below.
 *
 * @category models
 * @since 0.1.0
 */
export type Operation =
  | { readonly _tag: "Signal"; readonly workflow: Workflow.Any; readonly name: string; readonly payload: unknown }
  | { readonly _tag: "Cancel"; readonly reason: string | undefined }
  | { readonly _tag: "Terminate"; readonly reason: string | undefined; readonly details: unknown }
  | { readonly _tag: "Delete" }
  | { readonly _tag: "SetVersioning"; readonly versioning: Versioning | undefined }
  | { readonly _tag: "Reset"; readonly options: Omit<ResetOptions, "requestId"> }

/** @category models @since 0.1.0 */
export interface Options {
  /**
   * Names the batch: one that is begun again with the same name signals and resets no run twice. Everything else may be done
   * twice anyway. Default: a UUID, which the report has.
   */
  readonly jobId?: string | undefined
  /** Operations a second, at most. Default without limit. */
  readonly perSecond?: number | undefined
  /** Operations at a time. Default 10. */
  readonly concurrency?: number | undefined
  /** Called after each operation. */
  readonly onProgress?: ((sofar: Progress) => void) | undefined
}

/** How far a batch has come. @category models @since 0.1.0 */
export interface Progress {
  readonly done: number
  /** They were closed or deleted before their turn came. */
  readonly skipped: number
  readonly failed: number
  /** What the filter found when the batch began. */
  readonly of: number
}

/** What became of a batch. @category models @since 0.1.0 */
export interface Report extends Progress {
  readonly jobId: string
  /** The first 100 that failed, and with what. */
  readonly failures: ReadonlyArray<{ readonly workflowId: string; readonly runId: string; readonly error: unknown }>
}

/** Signals the open runs of a workflow. @category constructors @since 0.1.0 */
export const signal = <W extends Workflow.Any, K extends keyof Workflow.SignalsOf<W> & string>(
  workflow: W,
  name: K,
  ...[payload]: PayloadArgument<Workflow.SignalsOf<W>[K]>
): Operation => ({ _tag: "Signal", workflow, name, payload })

/** Asks open runs to cancel. @category constructors @since 0.1.0 */
export const cancel = (reason?: string): Operation => ({ _tag: "Cancel", reason })

/** Ends open runs at once. @category constructors @since 0.1.0 */
export const terminate = (reason?: string, details?: unknown): Operation => ({ _tag: "Terminate", reason, details })

/** Takes runs out of the store; open ones are ended first. @category constructors @since 0.1.0 */
const delete_: Operation = { _tag: "Delete" }
export { delete_ as delete }

/** Pins open runs to a build, or lets them move; undefined takes that back (row V6). @category constructors @since 0.1.0 */
export const setVersioning = (versioning: Versioning | undefined): Operation => ({ _tag: "SetVersioning", versioning })

/** Takes runs anew from one of their turns on, open or closed. @category constructors @since 0.1.0 */
export const reset = (options: Omit<ResetOptions, "requestId"> = {}): Operation => ({ _tag: "Reset", options })
