/**
 * What the gate and its processes tell each other.
 *
 * ```
 *   gate ──▶ run ids ──▶ process: replays each ──▶ Replayed
 *        ◀── Ready | Refused, once, when the module is loaded or cannot be
 * ```
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { NondeterminismError } from "../../core/Replay.js"
import { ReplayFailed } from "../Replayer.js"

/** What a process is given at its start. @since 0.1.0 */
export interface Task {
  /** The URL of the module that exports the Layers. */
  readonly module: string
  /** The SQLite file. */
  readonly store: string
  readonly namespace: string | undefined
}

/** The runs to replay next. @since 0.1.0 */
export type Batch = ReadonlyArray<string>

/** Errors as they go between processes. @since 0.1.0 */
export const ReplayError = Schema.Union(NondeterminismError, ReplayFailed)

/** @since 0.1.0 */
export type Answer =
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Refused"; readonly reason: string }
  | {
    readonly _tag: "Replayed"
    readonly failed: ReadonlyArray<{ readonly runId: string; readonly error: typeof ReplayError.Encoded }>
  }
