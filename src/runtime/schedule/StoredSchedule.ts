/**
 * Schedules between their rows and the core: what users decide of them in one text, where they stand in another.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as States from "../../core/schedule/ScheduleState.js"
import type { NewSchedule, Schedule as Row } from "../../persistence/Store.js"

/** A row is not what was ever written there. @since 0.1.0 */
export interface Unreadable {
  readonly scheduleId: string
  readonly reason: string
}

const Definition = Schema.parseJson(States.Schedule.pick("spec", "policy", "action", "memo", "attributes"))
const State = Schema.parseJson(States.ScheduleState)

const decodeDefinition = Schema.decodeUnknownEither(Definition)
const decodeState = Schema.decodeUnknownEither(State)

/**
 * @category constructors
 * @since 0.1.0
 */
export const read = ({ definition, scheduleId, state }: Row): Either.Either<States.Schedule, Unreadable> =>
  Either.mapBoth(Either.all([decodeDefinition(definition), decodeState(state)]), {
    onLeft: (error) => ({ scheduleId, reason: ParseResult.TreeFormatter.formatErrorSync(error) }),
    onRight: ([definition, state]) => ({ ...definition, state })
  })

/** The text of what users decide: it changes by their calls alone. @since 0.1.0 */
export const definitionOf = ({ action, attributes, memo, policy, spec }: States.Schedule): string =>
  JSON.stringify({ spec, policy, action, memo, attributes })

/**
 * The row of a new schedule.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rowOf = (scheduleId: string, schedule: States.Schedule, nextAt: number | undefined): NewSchedule => ({
  scheduleId,
  ...columnsOf(schedule, nextAt),
  definition: definitionOf(schedule)
})

/** What each write says anew. @since 0.1.0 */
export const columnsOf = (schedule: States.Schedule, nextAt: number | undefined) => ({
  workflow: schedule.action.workflow,
  paused: schedule.state.paused,
  nextAt,
  state: JSON.stringify(schedule.state)
})
