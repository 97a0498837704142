/**
 * How a store fails. Part of the Store port.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The database did not do what was asked: locked, full, damaged, gone.
 *
 * `transient` failures may pass by themselves; the same call may be made again.
 *
 * @category errors
 * @since 0.1.0
 */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  operation: Schema.String,
  reason: Schema.Literal("Locked", "Full", "Corrupt", "Foreign", "Newer", "Unavailable", "Other"),
  detail: Schema.String,
  transient: Schema.Boolean,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `store: ${this.operation} failed (${this.reason}): ${this.detail}`
  }
}
