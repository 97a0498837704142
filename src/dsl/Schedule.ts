/**
 * Schedules: what starts executions by the clock (rows H1 to H14).
 *
 * ```ts
 * client.schedules.create("nightly", {
 *   spec: { cron: ["30 2 * * MON-FRI"], timeZone: "Europe/Berlin", jitter: "5 minutes" },
 *   action: Schedule.start(Report, { region: "eu" }),
 *   policies: { overlap: "BufferOne", pauseOnFailure: true }
 * })
 * ```
 *
 * A schedule is kept in the store, and carried on by whichever worker is there. Workers of any queue do; the executions
 * run where their task queue is served.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Stream from "effect/Stream"
import type { Attribute, MemoField } from "../core/family/Notes.js"
import type * as Core from "../core/schedule/Schedule.js"
import type * as Specs from "../core/schedule/ScheduleSpec.js"
import type * as States from "../core/schedule/ScheduleState.js"
import type { PayloadArgument } from "./Call.js"
import type { Any, PayloadOf } from "./Codecs.js"
import type { ContractError } from "./Contract.js"
import type { FilterError, Query } from "./Listed.js"
import type { AttributesOf, Given, MemoOf, NotesGiven } from "./Notes.js"
import type { InvalidSchedule, ScheduleAlreadyExists, ScheduleConflict, ScheduleNotFound } from "./ScheduleFailure.js"
import type * as Terms from "./Terms.js"
import type { StoreUnavailable } from "./WorkflowFailure.js"

export { InvalidSchedule, ScheduleAlreadyExists, ScheduleConflict, ScheduleNotFound } from "./ScheduleFailure.js"

/**
 * When a schedule acts: all times of its calendars, intervals and cron strings, without those that `skip` matches, from
 * `startAt` to `endAt`, both included (rows H3 to H6). Without any it acts only when it is triggered or filled back.
 *
 * @category models
 * @since 0.1.0
 */
export type Spec = Specs.Input

/** A spec as it is stored: cron strings are calendars and intervals there (row H5). @category models @since 0.1.0 */
export type StoredSpec = Specs.ScheduleSpec

/** What becomes of a time at which an action of the schedule runs yet (row H7). @category models @since 0.1.0 */
export type Overlap = States.Overlap

/** How a schedule deals with overlap, lateness and failure (rows H7 to H9). @category models @since 0.1.0 */
export type Policies = Core.PolicyInput

/**
 * What each start asks for. The terms of the workflow's definition hold where nothing is said.
 *
 * @category models
 * @since 0.1.0
 */
export interface StartOptions extends Omit<Terms.Begin, "cron" | "startDelay" | "idReuse" | "workflowId"> {
  /**
   * Each start adds the time it stands for to it, as in `report-2026-11-27T02:30:00Z` (row H2). Default: what the
   * definition's `idempotencyKey` makes of the payload, else the id of the schedule.
   */
  readonly workflowId?: string | undefined
  /**
   * Each start has the workflow id as it is. While an execution has it, whoever started that, a time is skipped. Default
   * false (row H2).
   */
  readonly fixedWorkflowId?: boolean | undefined
  /** Whose workers run it. Default: the queue of the worker whose client this is, or "default" where there is none. */
  readonly taskQueue?: string | undefined
}

/** With what a start says of the run by the workflow's contract (rows W12, W13). @since 0.1.0 */
export type StartOptionsOf<W> = StartOptions & NotesGiven<MemoOf<W>, AttributesOf<W>>

/**
 * What a schedule does: it starts executions of a workflow.
 *
 * @category models
 * @since 0.1.0
 */
export interface Action {
  readonly _tag: "StartWorkflow"
  readonly workflow: Any
  readonly payload: unknown
  readonly options: StartOptions & Given
}

/**
 * Starts an execution at each time, with the same payload. It is encoded when the schedule is created or updated, which
 * fails with `ContractError` where it does not fit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = <W extends Any>(
  workflow: W,
  ...[payload, options]: PayloadArgument<PayloadOf<W>, StartOptionsOf<W>>
): Action => ({ _tag: "StartWorkflow", workflow, payload, options: options ?? {} })

/**
 * An action as it is stored, in plain data. Values stay encoded: `payloadOf` decodes them by the workflow's contract.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredAction {
  readonly workflow: string
  readonly workflowId: string
  readonly fixedWorkflowId?: boolean
  readonly taskQueue: string
  readonly input?: unknown
  readonly options?: StoredOptions
  readonly memo?: ReadonlyArray<MemoField>
  readonly attributes?: ReadonlyArray<Attribute>
}

/** What else a start asks for, as it is stored. @since 0.1.0 */
export interface StoredOptions {
  /** What bounds the runs. */
  readonly terms: Terms.Recorded
  readonly summary?: string
  readonly details?: string
}

/**
 * The payload of an action, by the workflow's contract: the left side says what does not fit.
 *
 * @category combinators
 * @since 0.1.0
 */
export const payloadOf = <W extends Any>(
  workflow: W,
  action: StoredAction
): Either.Either<PayloadOf<W>, ContractError> => workflow.codecs.payload.decode(action.input) as never

/**
 * By what a schedule itself is listed, by name: a text is compared as a whole, a list by each of its texts.
 *
 * @category models
 * @since 0.1.0
 */
export type Attributes = Readonly<Record<string, string | number | boolean | Date | ReadonlyArray<string>>>

/** JSON values, by name. They are payloads: codecs encode them. @category models @since 0.1.0 */
export type Memo = Readonly<Record<string, unknown>>

/** Times to act on now, as if they passed; both ends are included (row H12). @category models @since 0.1.0 */
export interface Range {
  readonly from: Date | number
  readonly to: Date | number
  /** Default: the schedule's policy. */
  readonly overlap?: Overlap | undefined
}

/** @category models @since 0.1.0 */
export interface CreateOptions {
  /** Default: no times of its own. */
  readonly spec?: Spec | undefined
  readonly action: Action
  readonly policies?: Policies | undefined
  /** Default false (row H10). */
  readonly paused?: boolean | undefined
  /** For operators: why it is paused, or what it is for. Default "". */
  readonly note?: string | undefined
  /** How many more times it acts by itself; triggers and backfills do not count. Default without limit. */
  readonly remainingActions?: number | undefined
  readonly memo?: Memo | undefined
  readonly searchAttributes?: Attributes | undefined
  /** Acts once at once, as `trigger` does. Default false. */
  readonly triggerImmediately?: boolean | undefined
  /** Acts on these times at once, as `backfill` does. Default none. */
  readonly backfill?: ReadonlyArray<Range> | undefined
}

/**
 * What an update changes: what is absent stays as it is (row H13). `memo` and `searchAttributes` take the place of all
 * there were; an empty record clears them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Change {
  readonly spec?: Spec | undefined
  readonly action?: Action | StoredAction | undefined
  /** Those that are absent stay as they are, too. */
  readonly policies?: Policies | undefined
  readonly paused?: boolean | undefined
  readonly note?: string | undefined
  /** Null: without limit. */
  readonly remainingActions?: number | null | undefined
  readonly memo?: Memo | undefined
  readonly searchAttributes?: Attributes | undefined
}

/** An action that the schedule took. @category models @since 0.1.0 */
export interface Taken {
  readonly workflowId: string
  /** The first run of its chain. */
  readonly runId: string
  /** The time it stands for, in epoch milliseconds, as all times here. */
  readonly scheduledAt: number
  /** When it was started. */
  readonly startedAt: number
}

/** @category models @since 0.1.0 */
export interface Recent extends Taken {
  /** How its chain of runs ended; undefined while it runs. */
  readonly ended: States.EndStatus | undefined
}

/** What lists and descriptions have in common. @category models @since 0.1.0 */
export interface Listed {
  readonly scheduleId: string
  /** Of which workflow it starts executions. */
  readonly workflow: string
  readonly spec: StoredSpec
  readonly paused: boolean
  readonly note: string
  /** The last 10, oldest first. */
  readonly recent: ReadonlyArray<Recent>
  /** The next 10 times, whether or not it is paused; without jitter. */
  readonly next: ReadonlyArray<number>
  readonly memo: Memo
  readonly searchAttributes: Attributes
}

/** A schedule as it stands (row H14). @category models @since 0.1.0 */
export interface Description extends Listed {
  readonly policies: States.SchedulePolicy
  readonly action: StoredAction
  /** Undefined: without limit. */
  readonly remainingActions: number | undefined
  /** Actions that have not ended yet. */
  readonly running: ReadonlyArray<Taken>
  /** Times that wait until an action has ended. */
  readonly waiting: ReadonlyArray<number>
  /** Backfills and triggers that are not done yet. */
  readonly requests: number
  readonly counts: {
    /** Actions that were taken. */
    readonly actions: number
    /** Times that were not acted on: another action ran, or a start met an execution of its workflow id. */
    readonly skipped: number
    /** Times that were further back than the catch-up window when a worker saw them (row H8). */
    readonly missed: number
    /** Times for which there was no room among those that wait. */
    readonly dropped: number
  }
  readonly createdAt: number
  /** When it was last updated; undefined: never. */
  readonly updatedAt: number | undefined
}

/** What all calls to a schedule can fail with. @since 0.1.0 */
export type CallError = ScheduleNotFound | ScheduleConflict | StoreUnavailable

/**
 * A schedule, by its id.
 *
 * @category models
 * @since 0.1.0
 */
export interface Handle {
  readonly scheduleId: string
  readonly describe: Effect.Effect<Description, ScheduleNotFound | StoreUnavailable>
  /** Stops acting by itself; triggers and backfills act all the same. Paused again, it changes its note (row H10). */
  readonly pause: (note?: string) => Effect.Effect<void, CallError>
  /** Acts by itself again: on the times that come, not on those that came meanwhile (row H10). */
  readonly unpause: (note?: string) => Effect.Effect<void, CallError>
  /** Acts once, now, paused or not (row H11). Returns once that cannot be lost any more. */
  readonly trigger: (options?: { readonly overlap?: Overlap | undefined }) => Effect.Effect<
    void,
    CallError | InvalidSchedule
  >
  /** Acts on the times of at least one range as if they passed now, paused or not (row H12). */
  readonly backfill: (...ranges: readonly [Range, ...ReadonlyArray<Range>]) => Effect.Effect<
    void,
    CallError | InvalidSchedule
  >
  /**
   * Reads the schedule, asks what to change, and writes that if nobody changed the schedule meanwhile; else all of it once
   * more (row H13). So the function may be called more often than once. Where it gives nothing, or fails, nothing changes.
   */
  readonly update: <E = never, R = never>(
    change: (schedule: Description) => Change | void | Effect.Effect<Change | void, E, R>
  ) => Effect.Effect<void, CallError | InvalidSchedule | ContractError | E, R>
  /** Takes it out of the store. What it started goes on (row H14). */
  readonly delete: Effect.Effect<void, ScheduleNotFound | StoreUnavailable>
}

/** @category models @since 0.1.0 */
export interface ListOptions {
  /** Schedules that are read at once. Default 100, at most 1,000. */
  readonly pageSize?: number | undefined
}

/** @category models @since 0.1.0 */
export interface PageOptions extends ListOptions {
  /** Of the page before: this one begins behind it. */
  readonly cursor?: string | undefined
}

/** @category models @since 0.1.0 */
export interface Page {
  readonly schedules: ReadonlyArray<Listed>
  /** Undefined: there are no more. */
  readonly cursor: string | undefined
}

/**
 * The schedules of a store: `client.schedules`.
 *
 * @category services
 * @since 0.1.0
 */
export interface Schedules {
  /** Creates a schedule; returns once it cannot be lost any more. No worker needs to run (row H1). */
  readonly create: (
    scheduleId: string,
    options: CreateOptions
  ) => Effect.Effect<Handle, ScheduleAlreadyExists | InvalidSchedule | ContractError | StoreUnavailable>
  /** Not checked until it is used. */
  readonly handle: (scheduleId: string) => Handle
  /**
   * All schedules, or those that a filter finds, in the order of their ids (row H14). Filters are those of executions, over
   * `ScheduleId`, `WorkflowType`, `Paused`, and the attributes of the schedules themselves.
   */
  readonly list: (query?: Query, options?: ListOptions) => Stream.Stream<Listed, FilterError | StoreUnavailable>
  /** One page of such a list, with a cursor for the next one. */
  readonly listPage: (query?: Query, options?: PageOptions) => Effect.Effect<Page, FilterError | StoreUnavailable>
}
