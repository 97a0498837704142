/**
 * The liveness of schedules (I5): whatever one has to do, its row is due for it.
 *
 * ```
 *   the next time of its spec ──▶ due no later than that time      an action that ended, a request, one that waits ──▶ due
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { Limits } from "../../core/Limits.js"
import { LivenessFault } from "../../core/Liveness.js"
import * as Advance from "../../core/schedule/Advance.js"
import type { Schedule as Row, Store, StoreError } from "../../persistence/Store.js"
import * as Deciding from "./Deciding.js"
import * as StoredSchedule from "./StoredSchedule.js"

/** @since 0.1.0 */
export const check = (store: Store["Type"]): Effect.Effect<ReadonlyArray<LivenessFault>, StoreError> =>
  Effect.gen(function*() {
    const found: Array<LivenessFault> = []
    let after = ""
    for (;;) {
      const rows = yield* store.listSchedules({ after, prefix: "", limit: Limits.claimRowsMax })
      for (const row of rows) {
        const detail = yield* faultOf(store, row)
        if (detail !== undefined) {
          found.push(new LivenessFault({ runId: row.scheduleId, fault: "LostSchedule", detail }))
        }
      }
      if (rows.length < Limits.claimRowsMax) return found
      after = rows[rows.length - 1]!.scheduleId
    }
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** Asked as of the last time that was decided, so that no clock takes part. */
const faultOf = (store: Store["Type"], row: Row): Effect.Effect<string | undefined, StoreError> =>
  Effect.gen(function*() {
    const read = StoredSchedule.read(row)
    if (Either.isLeft(read)) return `it cannot be read: ${read.left.reason}`
    const schedule = read.right
    const { running } = schedule.state
    const ends = new Map((yield* store.endsOfChains(running)).map((end) => [end.firstRunId, end]))
    const ended = running.flatMap(({ firstRunId }) => Deciding.endedOf(firstRunId, ends.get(firstRunId)) ?? [])
    if (row.nextAt === undefined && ended.length > 0) return "one of its actions has ended, and nobody will look at it"
    const now = schedule.state.consideredUntil
    const { starts, wakeAt } = Advance.advance(row.scheduleId, schedule, { now, ended, newRunId: () => "" })
    if (row.nextAt === undefined && (starts.length > 0 || wakeAt !== undefined)) {
      return "it has something to do, and nobody will look at it"
    }
    return wakeAt !== undefined && row.nextAt !== undefined && row.nextAt > Math.max(wakeAt, now + 1)
      ? `its next time is to be acted on at ${wakeAt}, and it is looked at no sooner than ${row.nextAt}`
      : undefined
  })
