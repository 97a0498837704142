/**
 * Carries schedules on: takes in how their actions ended, decides what is due, and writes both.
 *
 * ```
 *   rows ──▶ how did their actions end? ──▶ decide (core) ──▶ write: rows, and all that was decided, in one transaction
 *                                                               ├─ Changed: nothing; it is due again, and read again
 *                                                               └─ Met: the same decision without that start
 * ```
 *
 * Nothing of a schedule is in memory. A crash anywhere leaves its row as it was, held until the claim is over; or as it
 * was decided, with its runs. Test: runtime/schedules-crash.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Decision, Ended } from "../../core/schedule/Advance.js"
import * as Advance from "../../core/schedule/Advance.js"
import type { Schedule } from "../../core/schedule/ScheduleState.js"
import type { ChainEnd, Schedule as Row, Store, StoreError } from "../../persistence/Store.js"
import { make as newRunId } from "../RunIds.js"
import * as Deciding from "./Deciding.js"
import * as StoredSchedule from "./StoredSchedule.js"

/**
 * @category combinators
 * @since 0.1.0
 */
export const on = (store: Store["Type"], rows: ReadonlyArray<Row>, now: number): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    const read: Array<Read> = []
    for (const row of rows) {
      const schedule = StoredSchedule.read(row)
      if (Either.isRight(schedule)) read.push({ row, schedule: schedule.right })
      // It stays held for a while, and the others go on.
      else yield* Effect.logError(`schedule ${row.scheduleId} cannot be read: ${schedule.left.reason}`)
    }
    const running = read.flatMap(({ schedule }) => schedule.state.running)
    const ends = running.length === 0 ? noEnds : new Map(
      (yield* store.endsOfChains(running)).map((end) => [end.firstRunId, end])
    )
    const decided: Array<Decided> = []
    for (const { row, schedule } of read) {
      const moment = { now, ended: endedOf(schedule, ends), newRunId }
      const decision = yield* Effect.either(
        Effect.try({ try: () => Advance.advance(row.scheduleId, schedule, moment), catch: (defect) => defect })
      )
      if (Either.isRight(decision)) decided.push({ row, decision: decision.right })
      else yield* Effect.logError(`schedule ${row.scheduleId} was not carried on`, decision.left)
    }
    yield* write(store, decided, now)
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Read {
  readonly row: Row
  readonly schedule: Schedule
}

interface Decided {
  readonly row: Row
  readonly decision: Decision
}

const noEnds: ReadonlyMap<string, ChainEnd> = new Map()

const endedOf = ({ state }: Schedule, ends: ReadonlyMap<string, ChainEnd>): ReadonlyArray<Ended> =>
  state.running.flatMap(({ firstRunId }) => {
    const ended = Deciding.endedOf(firstRunId, ends.get(firstRunId))
    return ended === undefined ? [] : [ended]
  })

const write = (store: Store["Type"], decided: ReadonlyArray<Decided>, now: number): Effect.Effect<void, StoreError> => {
  if (decided.length === 0) return Effect.void
  const writes = decided.map(({ decision, row }) => Deciding.writeOf(row, decision, now))
  return Effect.flatMap(store.writeSchedules(writes, now), (results) => {
    const again: Array<Decided> = []
    results.forEach((result, index) => {
      if (result._tag !== "Met") return
      const { decision, row } = decided[index]!
      // Each round has one start less: it comes to an end.
      const without = [...result.runIds].reduce((rest, runId) => Advance.refused(rest, runId, now), decision)
      again.push({ row, decision: without })
    })
    return write(store, again, now)
  })
}
