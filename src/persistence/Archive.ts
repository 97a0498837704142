/**
 * Where histories go before their runs are deleted, if anywhere (row X1).
 *
 * ```
 *   closed run, older than its namespace keeps it ──▶ put ──▶ durable? ──▶ deleted
 *                                                      └─ fails: the run is kept, and tried again later
 * ```
 *
 * 1. A run is deleted only after `put` has said that its history is safe. A crash between the two leaves both; the same
 *    is then put again.
 * 2. What is put is what the database holds: payloads that a codec has encrypted stay so (row N5).
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * A closed run, as it goes to an archive.
 *
 * @category models
 * @since 0.1.0
 */
export interface ArchivedRun {
  readonly namespace: string
  readonly runId: string
  readonly workflowId: string
  readonly workflow: string
  readonly status: string
  readonly startedAt: Date
  readonly closedAt: Date
  /** All of the above and its history, as JSON that `Replayer.fromJson` of `perdure/testing` reads. */
  readonly history: string
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Archive {
  /**
   * Keeps a run's history. Succeeds once it would survive a power cut. May be called again for the same run, by several
   * workers at once, with the same history.
   */
  readonly put: (run: ArchivedRun) => Effect.Effect<void, ArchiveFailed>
}

/**
 * An archive did not take a history: its run is kept.
 *
 * @category errors
 * @since 0.1.0
 */
export class ArchiveFailed extends Schema.TaggedError<ArchiveFailed>()("ArchiveFailed", {
  runId: Schema.String,
  /** What is wrong with the archive, such as that its disk is full. */
  reason: Schema.String
}) {
  override get message(): string {
    return `the history of run ${this.runId} was not archived: ${this.reason}`
  }
}
