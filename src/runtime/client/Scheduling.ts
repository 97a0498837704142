/**
 * Calls to schedules (rows H1, H10 to H14): each reads a row, decides, and writes it if nobody else did meanwhile.
 *
 * What they decide makes the row due, and the next worker that looks carries it on.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Limits } from "../../core/Limits.js"
import * as Advance from "../../core/schedule/Advance.js"
import * as Core from "../../core/schedule/Schedule.js"
import type { Schedule } from "../../core/schedule/ScheduleState.js"
import { ContractError } from "../../dsl/Contract.js"
import type {
  CallError,
  Change,
  CreateOptions,
  Description,
  Handle,
  Listed,
  Overlap,
  Range,
  StoredAction
} from "../../dsl/Schedule.js"
import { InvalidSchedule, ScheduleAlreadyExists, ScheduleConflict, ScheduleNotFound } from "../../dsl/Schedule.js"
import { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import type { Schedule as Row } from "../../persistence/Store.js"
import { make as newRunId } from "../RunIds.js"
import * as Carrying from "../schedule/Carrying.js"
import type { Checked } from "../schedule/ScheduleInput.js"
import * as Input from "../schedule/ScheduleInput.js"
import * as StoredSchedule from "../schedule/StoredSchedule.js"
import type { Calls } from "./Calls.js"
import { checkId } from "./Starting.js"

/** Row H1. @since 0.1.0 */
export const create = (
  calls: Calls,
  scheduleId: string,
  options: CreateOptions
): Effect.Effect<Handle, ScheduleAlreadyExists | InvalidSchedule | ContractError | StoreUnavailable> =>
  Effect.gen(function*() {
    const refused = checkId("scheduleId", scheduleId)
    if (refused !== undefined) return yield* refused
    const now = calls.now()
    const made = Either.flatMap(
      Input.definitionOf(scheduleId, queueOf(calls), options),
      (definition): Checked<Schedule> =>
        Core.create(definition, now, {
          trigger: options.triggerImmediately === true,
          backfills: Input.rangesOf(options.backfill ?? [])
        })
    )
    const schedule = yield* valid(scheduleId, made)
    const { starts, wakeAt } = Advance.advance(scheduleId, schedule, { now, ended: [], newRunId })
    const row = StoredSchedule.rowOf(scheduleId, schedule, starts.length > 0 ? now : wakeAt)
    const created = yield* calls.of("schedules.create", calls.store.createSchedule(row))
    if (!created) return yield* new ScheduleAlreadyExists({ scheduleId })
    return handle(calls, scheduleId)
  })

/** @since 0.1.0 */
export const handle = (calls: Calls, scheduleId: string): Handle => ({
  scheduleId,
  describe: Effect.map(
    Effect.flatMap(find(calls, scheduleId, "describe"), (row) => read(row, "describe")),
    (schedule) => described(scheduleId, schedule, calls.now())
  ),
  pause: (note) => rewriting(calls, scheduleId, "pause", (schedule) => Either.right(Core.pause(schedule, note))),
  unpause: (note) =>
    rewriting(
      calls,
      scheduleId,
      "unpause",
      (schedule, now) => Either.right(Core.unpause(scheduleId, schedule, now, note))
    ),
  trigger: (options: { readonly overlap?: Overlap | undefined } = {}) =>
    rewriting(
      calls,
      scheduleId,
      "trigger",
      (schedule, now) => invalid(scheduleId, Core.trigger(schedule, now, options.overlap))
    ),
  backfill: (...ranges: ReadonlyArray<Range>) =>
    rewriting(
      calls,
      scheduleId,
      "backfill",
      (schedule) => invalid(scheduleId, Core.backfill(schedule, Input.rangesOf(ranges)))
    ),
  update: (change) =>
    rewriting(calls, scheduleId, "update", (schedule, now) =>
      Effect.gen(function*() {
        const given = change(described(scheduleId, schedule, now))
        const wanted = Effect.isEffect(given) ? yield* given : given
        if (wanted === undefined) return undefined
        const changed = Either.flatMap(
          Input.changed(scheduleId, queueOf(calls), Core.definition(schedule), wanted as Change),
          (definition): Checked<Schedule> => Core.update(scheduleId, schedule, definition, now)
        )
        return yield* valid(scheduleId, changed)
      })),
  delete: Effect.flatMap(
    calls.of("schedules.delete", calls.store.deleteSchedule(scheduleId)),
    (deleted) => deleted ? Effect.void : Effect.fail(new ScheduleNotFound({ scheduleId }))
  )
})

/** @since 0.1.0 */
export const listed = (scheduleId: string, schedule: Schedule, now: number): Listed => ({
  scheduleId,
  workflow: schedule.action.workflow,
  spec: schedule.spec,
  paused: schedule.state.paused,
  note: schedule.state.note,
  recent: schedule.state.recent.map(({ ended, firstRunId, nominal, startedAt, workflowId }) => ({
    workflowId,
    runId: firstRunId,
    scheduledAt: nominal,
    startedAt,
    ended
  })),
  next: Core.upcoming(scheduleId, schedule, now).map(({ nominal }) => nominal),
  memo: Input.shownMemo(schedule.memo),
  searchAttributes: Input.shownAttributes(schedule.attributes)
})

/** A row that cannot be read is the store's trouble. @since 0.1.0 */
export const read = (row: Row, call: string): Effect.Effect<Schedule, StoreUnavailable> =>
  Effect.mapError(
    StoredSchedule.read(row),
    ({ reason, scheduleId }) =>
      new StoreUnavailable({ call, detail: `schedule ${scheduleId} cannot be read: ${reason}` })
  )

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const queueOf = (calls: Calls): string => calls.engine?.options.taskQueue ?? "default"

const find = (
  calls: Calls,
  scheduleId: string,
  call: string
): Effect.Effect<Row, ScheduleNotFound | StoreUnavailable> =>
  Effect.flatMap(
    calls.of(`schedules.${call}`, calls.store.findSchedule(scheduleId)),
    Option.match({ onNone: () => Effect.fail(new ScheduleNotFound({ scheduleId })), onSome: Effect.succeed })
  )

const described = (scheduleId: string, schedule: Schedule, now: number): Description => {
  const { action, policy, state } = schedule
  return {
    ...listed(scheduleId, schedule, now),
    policies: policy,
    action: action as StoredAction,
    remainingActions: state.remainingActions,
    running: state.running.map(({ firstRunId, nominal, startedAt, workflowId }) => ({
      workflowId,
      runId: firstRunId,
      scheduledAt: nominal,
      startedAt
    })),
    waiting: state.waiting.map(({ nominal }) => nominal),
    requests: state.requests.length,
    counts: state.counts,
    createdAt: state.createdAt,
    updatedAt: state.updatedAt
  }
}

const invalid = <A>(scheduleId: string, checked: Either.Either<A, string>): Either.Either<A, InvalidSchedule> =>
  Either.mapLeft(checked, (reason) => new InvalidSchedule({ scheduleId, reason }))

const valid = <A>(scheduleId: string, checked: Checked<A>): Effect.Effect<A, InvalidSchedule | ContractError> =>
  Effect.mapError(
    checked,
    (reason) => reason instanceof ContractError ? reason : new InvalidSchedule({ scheduleId, reason })
  )

/**
 * Reads, decides and writes, until nobody else wrote in between; undefined: there is nothing to write.
 *
 * What was due before is carried on first: a pause or another spec is for the times that come.
 */
const rewriting = <E, R>(
  calls: Calls,
  scheduleId: string,
  call: string,
  decide: (schedule: Schedule, now: number) => Effect.Effect<Schedule | undefined, E, R>
): Effect.Effect<void, CallError | E, R> => {
  const attempt = (tries: number): Effect.Effect<void, CallError | E, R> =>
    Effect.gen(function*() {
      const now = calls.now()
      const first = yield* find(calls, scheduleId, call)
      const isDue = first.nextAt !== undefined && first.nextAt <= now
      if (isDue) yield* calls.of(`schedules.${call}`, Carrying.on(calls.store, [first], now))
      const found = isDue ? yield* find(calls, scheduleId, call) : first
      const decided = yield* decide(yield* read(found, call), now)
      if (decided === undefined) return
      const [result] = yield* calls.of(
        `schedules.${call}`,
        calls.store.writeSchedules([{
          scheduleId,
          revision: found.revision,
          // Whoever carries it on finds out when to look at it next.
          ...StoredSchedule.columnsOf(decided, now),
          definition: StoredSchedule.definitionOf(decided),
          starts: [],
          cancels: [],
          terminates: []
        }], now)
      )
      if (result?._tag === "Written") return
      if (tries >= Limits.scheduleTriesMax) return yield* new ScheduleConflict({ scheduleId, tries })
      return yield* attempt(tries + 1)
    })
  return attempt(1)
}
