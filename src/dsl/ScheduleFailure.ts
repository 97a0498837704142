/**
 * The errors of calls to schedules.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * There is a schedule of this id (row H1).
 *
 * @category errors
 * @since 0.1.0
 */
export class ScheduleAlreadyExists extends Schema.TaggedError<ScheduleAlreadyExists>()("ScheduleAlreadyExists", {
  scheduleId: Schema.String
}) {
  override get message(): string {
    return `schedule ${this.scheduleId} exists already: change it with client.schedules.handle(id).update, or delete it first`
  }
}

/**
 * No schedule has this id, or it was deleted.
 *
 * @category errors
 * @since 0.1.0
 */
export class ScheduleNotFound extends Schema.TaggedError<ScheduleNotFound>()("ScheduleNotFound", {
  scheduleId: Schema.String
}) {
  override get message(): string {
    return `there is no schedule ${this.scheduleId}: check the id, and that the client uses the same store`
  }
}

/**
 * The schedule changed each time between being read and being written (row H13). Nothing of the call was done.
 *
 * @category errors
 * @since 0.1.0
 */
export class ScheduleConflict extends Schema.TaggedError<ScheduleConflict>()("ScheduleConflict", {
  scheduleId: Schema.String,
  tries: Schema.Number
}) {
  override get message(): string {
    return `schedule ${this.scheduleId} was changed by others each of ${this.tries} times that it was read: try again`
  }
}

/**
 * What was said of a schedule means nothing, or what was asked of it is more than it takes. Nothing was done.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidSchedule extends Schema.TaggedError<InvalidSchedule>()("InvalidSchedule", {
  scheduleId: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `schedule ${this.scheduleId}: ${this.reason}`
  }
}
