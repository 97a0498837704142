/**
 * Updates: calls into a run that answer.
 *
 *   Update ──(validator)──▶ UpdateAccepted ──▶ UpdateCompleted | UpdateFailed
 *              └─ rejected: no event at all (row U2)
 *
 * 1. An update id is accepted at most once in a run; a second caller gets the first one's outcome (row U4).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Failure } from "../Failure.js"
import { Headers } from "../Headers.js"
import { Limits } from "../Limits.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** @category models @since 0.1.0 */
export const UpdateAccepted = Schema.TaggedStruct("UpdateAccepted", {
  id: Schema.String,
  name: Schema.String,
  input: optional(Schema.Unknown),
  headers: optional(Headers),
  /** The request of a caller in another process, which waits for the outcome as a stored reply. */
  replyTo: optional(Schema.String)
})
/** @since 0.1.0 */
export type UpdateAccepted = typeof UpdateAccepted.Type

/** @category models @since 0.1.0 */
export const UpdateCompleted = Schema.TaggedStruct("UpdateCompleted", {
  id: Schema.String,
  result: optional(Schema.Unknown)
})
/** @since 0.1.0 */
export type UpdateCompleted = typeof UpdateCompleted.Type

/** @category models @since 0.1.0 */
export const UpdateFailed = Schema.TaggedStruct("UpdateFailed", { id: Schema.String, failure: Failure })
/** @since 0.1.0 */
export type UpdateFailed = typeof UpdateFailed.Type

/** @category models @since 0.1.0 */
export const events = [UpdateAccepted, UpdateCompleted, UpdateFailed] as const

/** @category models @since 0.1.0 */
export interface CompleteUpdate {
  readonly _tag: "CompleteUpdate"
  readonly id: string
  readonly result: unknown
}

/** @category models @since 0.1.0 */
export interface FailUpdate {
  readonly _tag: "FailUpdate"
  readonly id: string
  readonly failure: Failure
}

/** @since 0.1.0 */
export type Command = CompleteUpdate | FailUpdate

/** @category models @since 0.1.0 */
export const Update = Schema.TaggedStruct("Update", {
  id: Schema.String,
  name: Schema.String,
  input: optional(Schema.Unknown),
  headers: optional(Headers),
  replyTo: optional(Schema.String)
})
/** @since 0.1.0 */
export type Update = typeof Update.Type

/** @since 0.1.0 */
export type Outcome = UpdateCompleted | UpdateFailed

/** @since 0.1.0 */
export interface UpdateState {
  readonly accepted: UpdateAccepted
  readonly outcome: Outcome | undefined
}

/** What a run's state keeps of this family. @since 0.1.0 */
export interface Slice {
  readonly updates: Map<string, UpdateState>
  updatesInFlight: number
}

/** @since 0.1.0 */
export const empty = (): Slice => ({ updates: new Map(), updatesInFlight: 0 })

const settle = (state: Slice, event: Outcome): void => {
  const update = state.updates.get(event.id)
  if (update === undefined || update.outcome !== undefined) return
  state.updates.set(event.id, { accepted: update.accepted, outcome: event })
  state.updatesInFlight--
}

/** @since 0.1.0 */
export const evolve = {
  UpdateAccepted: (state: Slice, event: UpdateAccepted): void => {
    state.updates.set(event.id, { accepted: event, outcome: undefined })
    state.updatesInFlight++
  },
  UpdateCompleted: settle,
  UpdateFailed: settle
}

/** @since 0.1.0 */
export const decide = {
  CompleteUpdate: (command: CompleteUpdate): UpdateCompleted => ({
    _tag: "UpdateCompleted",
    id: command.id,
    ...(command.result === undefined ? {} : { result: command.result })
  }),
  FailUpdate: (command: FailUpdate): UpdateFailed => ({
    _tag: "UpdateFailed",
    id: command.id,
    failure: command.failure
  })
}

/** The commands that are recorded even after the end of the run: a caller waits for them (row W19). @since 0.1.0 */
export const outlive: ReadonlySet<string> = new Set<Command["_tag"]>(["CompleteUpdate", "FailUpdate"])

/** What identifies an event that a command becomes, and its words: what a replay compares (row V4). @since 0.1.0 */
export const compare = {
  UpdateCompleted: {
    same: (recorded: UpdateCompleted, attempted: UpdateCompleted): boolean => recorded.id === attempted.id,
    describe: (event: UpdateCompleted): string => `completion of update ${event.id}`
  },
  UpdateFailed: {
    same: (recorded: UpdateFailed, attempted: UpdateFailed): boolean => recorded.id === attempted.id,
    describe: (event: UpdateFailed): string => `failure of update ${event.id}`
  }
}

/** @since 0.1.0 */
export const accept = {
  Update: (state: Slice, message: Update): UpdateAccepted | string => {
    if (state.updates.has(message.id)) return `update ${message.id} is already known to this run`
    if (state.updatesInFlight >= Limits.updatesInFlightMax) {
      return `${Limits.updatesInFlightMax} updates are in progress, the limit of a run; try again later`
    }
    if (state.updates.size >= Limits.updatesMax) {
      return `this run took in ${Limits.updatesMax} updates, its limit; continue as a new run`
    }
    return { ...message, _tag: "UpdateAccepted" }
  }
}
