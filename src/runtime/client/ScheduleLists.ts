/**
 * Lists of schedules (row H14): in the order of their ids, a page beginning behind the last one of the page before.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Schedule } from "../../core/schedule/ScheduleState.js"
import type { Filter } from "../../core/visibility/Filter.js"
import * as Matching from "../../core/visibility/Matching.js"
import type { Query } from "../../dsl/Listed.js"
import { FilterError } from "../../dsl/Listed.js"
import type { Listed, ListOptions, Page, PageOptions } from "../../dsl/Schedule.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import * as Input from "../schedule/ScheduleInput.js"
import type { Calls } from "./Calls.js"
import * as Listing from "./Listing.js"
import * as Scheduling from "./Scheduling.js"

/** @since 0.1.0 */
export const page = (
  calls: Calls,
  query: Query | undefined,
  options: PageOptions
): Effect.Effect<Page, FilterError | StoreUnavailable> =>
  Effect.gen(function*() {
    const filter = yield* filterOf(query)
    const limit = yield* Listing.pageSizeOf(options)
    const prefix = Matching.prefixOf(filter)
    const now = calls.now()
    const schedules: Array<Listed> = []
    let after = options.cursor === undefined ? "" : yield* placeOf(options.cursor)
    for (;;) {
      // One more than is shown tells whether there are more.
      const rows = yield* calls.of(
        "schedules.list",
        calls.store.listSchedules({ after, prefix, limit: limit + 1 })
      )
      for (const row of rows) {
        const schedule = yield* Scheduling.read(row, "schedules.list")
        if (filter !== undefined && !matches(filter, row.scheduleId, schedule)) continue
        if (schedules.length === limit) {
          return { schedules, cursor: cursorOf(schedules[limit - 1]!.scheduleId) }
        }
        schedules.push(Scheduling.listed(row.scheduleId, schedule, now))
      }
      if (rows.length <= limit) return { schedules, cursor: undefined }
      after = rows[rows.length - 1]!.scheduleId
    }
  })

/** @since 0.1.0 */
export const list = (
  calls: Calls,
  query: Query | undefined,
  options: ListOptions
): Stream.Stream<Listed, FilterError | StoreUnavailable> =>
  Listing.byPage((cursor) =>
    Effect.map(page(calls, query, { ...options, cursor }), ({ cursor, schedules }) => ({ found: schedules, cursor }))
  )

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const filterOf = (query: Query | undefined): Effect.Effect<Filter | undefined, FilterError> =>
  Effect.flatMap(Listing.read(query), (filter) =>
    filter === undefined ? Effect.succeed(undefined) : Effect.mapError(
      Matching.check(filter),
      ({ at, reason }) => new FilterError({ reason, text: typeof query === "string" ? query : undefined, at })
    ))

const matches = (filter: Filter, scheduleId: string, { action, attributes, state }: Schedule): boolean => {
  const own = Input.shownAttributes(attributes)
  return Matching.matches(filter, (name) => {
    switch (name) {
      case "ScheduleId":
        return scheduleId
      case "WorkflowType":
        return action.workflow
      case "Paused":
        return state.paused
      default:
        return Object.hasOwn(own, name) ? own[name] : undefined
    }
  })
}

const cursorOf = (scheduleId: string): string => Buffer.from(`schedule/${scheduleId}`).toString("base64url")

const placeOf = (cursor: string): Effect.Effect<string, FilterError> => {
  const text = Buffer.from(cursor, "base64url").toString()
  return text.startsWith("schedule/")
    ? Effect.succeed(text.slice("schedule/".length))
    : Effect.fail(new FilterError({ reason: "the cursor is none that a list of schedules gave" }))
}
