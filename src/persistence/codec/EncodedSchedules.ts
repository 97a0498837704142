/**
 * The schedules of a store whose payloads are encoded: what they start runs with, their memo, and what the last run gave.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type {
  Creation,
  HistoryRow,
  NewSchedule,
  Schedule,
  ScheduleOperations,
  ScheduleWrite,
  StoreError
} from "../Store.js"
import type { Coding } from "./Coding.js"
import type { Owner, Owners } from "./Owners.js"
import { nobody } from "./Owners.js"
import type { PayloadCodecError } from "./PayloadCodec.js"

type Encoding<A> = Effect.Effect<A, PayloadCodecError | StoreError>

/** What it shares with the rest of the store. @since 0.1.0 */
export interface Shared {
  readonly coding: Coding
  readonly owners: Owners
  readonly creation: (one: Creation) => Encoding<Creation>
  readonly history: (runId: string) => <R extends HistoryRow>(row: R) => Effect.Effect<R, StoreError>
  readonly as: <A, E>(
    operation: string,
    effect: Effect.Effect<A, E | PayloadCodecError>
  ) => Effect.Effect<A, E | StoreError>
}

/** @since 0.1.0 */
export const over = (
  store: ScheduleOperations,
  { as, coding, creation, history, owners }: Shared
): Pick<
  ScheduleOperations,
  "createSchedule" | "findSchedule" | "listSchedules" | "claimSchedules" | "writeSchedules" | "endsOfChains"
> => {
  // No execution has them yet: of which workflow they are, is all that is known.
  const ownerOf = (workflow: string): Owner => ({
    ...nobody,
    execution: Effect.succeed({ workflowId: undefined, workflow })
  })
  const out = <S extends NewSchedule>(one: S): Encoding<S> => {
    const owner = ownerOf(one.workflow)
    return Effect.map(
      Effect.all([coding.encode(one.definition, owner), coding.encode(one.state, owner)]),
      ([definition, state]) => ({ ...one, definition, state })
    )
  }
  const back = (one: Schedule): Encoding<Schedule> => {
    const owner = ownerOf(one.workflow)
    return Effect.map(
      Effect.all([coding.decode(one.definition, owner), coding.decode(one.state, owner)]),
      ([definition, state]) => ({ ...one, definition, state })
    )
  }
  const write = (one: ScheduleWrite): Encoding<ScheduleWrite> =>
    Effect.gen(function*() {
      const { definition, terminates, workflow } = one
      const owner = ownerOf(workflow)
      return {
        ...one,
        state: yield* coding.encode(one.state, owner),
        definition: definition === undefined ? undefined : yield* coding.encode(definition, owner),
        starts: yield* Effect.forEach(one.starts, creation),
        terminates: yield* Effect.forEach(terminates, (each) =>
          Effect.map(
            coding.encode(each.end.events, owners.ofExecution(each.workflowId)),
            (events) => ({ ...each, end: { ...each.end, events } })
          ))
      }
    })

  return {
    createSchedule: (schedule) => as("createSchedule", Effect.flatMap(out(schedule), store.createSchedule)),
    findSchedule: (scheduleId) =>
      as(
        "findSchedule",
        Effect.flatMap(
          store.findSchedule(scheduleId),
          (found): Encoding<Option.Option<Schedule>> =>
            Option.isNone(found) ? Effect.succeed(Option.none()) : Effect.map(back(found.value), Option.some)
        )
      ),
    listSchedules: (options) => as("listSchedules", Effect.flatMap(store.listSchedules(options), Effect.forEach(back))),
    claimSchedules: (...args) =>
      as("claimSchedules", Effect.flatMap(store.claimSchedules(...args), Effect.forEach(back))),
    writeSchedules: (writes, now) =>
      as(
        "writeSchedules",
        Effect.flatMap(Effect.forEach(writes, write), (encoded) => store.writeSchedules(encoded, now))
      ),
    endsOfChains: (chains) =>
      Effect.flatMap(
        store.endsOfChains(chains),
        Effect.forEach((end) =>
          end.last === undefined
            ? Effect.succeed(end)
            : Effect.map(history(end.runId)(end.last), (last) => ({ ...end, last }))
        )
      )
  }
}
