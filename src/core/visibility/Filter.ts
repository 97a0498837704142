/**
 * Filters: which executions are listed and counted (rows X13 to X15). Conditions on attributes, joined by and, or and not.
 *
 * ```
 *   text ──FilterParser──▶ Filter ◀──builders── dsl      Filter ──check──▶ Filter that a store can ask
 * ```
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { Status } from "../family/Execution.js"
import { Limits } from "../Limits.js"

/** What an attribute is compared with: a text, a number, a truth value. @category models @since 0.1.0 */
export type Value = string | number | boolean

/** @since 0.1.0 */
export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">="

/** Where in its text a condition begins; absent where it was built. */
interface Placed {
  readonly at?: number
}

/**
 * @category models
 * @since 0.1.0
 */
export type Filter =
  | { readonly _tag: "And" | "Or"; readonly filters: ReadonlyArray<Filter> }
  | { readonly _tag: "Not"; readonly filter: Filter }
  | Condition

/** @category models @since 0.1.0 */
export type Condition =
  | Placed & {
    readonly _tag: "Compare"
    readonly attribute: string
    readonly operator: Operator
    readonly value: Value
  }
  | Placed & { readonly _tag: "In"; readonly attribute: string; readonly values: ReadonlyArray<Value> }
  | Placed & { readonly _tag: "Between"; readonly attribute: string; readonly from: Value; readonly to: Value }
  | Placed & { readonly _tag: "StartsWith"; readonly attribute: string; readonly prefix: string }
  | Placed & { readonly _tag: "IsNull"; readonly attribute: string }

/** How an attribute that every execution has is compared. @since 0.1.0 */
export type Kind = "keyword" | "status" | "datetime" | "duration" | "int"

/**
 * The attributes that every execution has (row X15).
 *
 * @category models
 * @since 0.1.0
 */
export const system = {
  WorkflowId: "keyword",
  RunId: "keyword",
  WorkflowType: "keyword",
  TaskQueue: "keyword",
  ExecutionStatus: "status",
  /** When the run started. */
  StartTime: "datetime",
  /** When its first turn could begin: later than its start where that was delayed. */
  ExecutionTime: "datetime",
  CloseTime: "datetime",
  /** From ExecutionTime to CloseTime. */
  ExecutionDuration: "duration",
  ParentWorkflowId: "keyword",
  ParentRunId: "keyword",
  /** The first run of the chain. */
  FirstRunId: "keyword",
  /** Of the first of its parents; its own, where it has none. */
  RootWorkflowId: "keyword",
  Attempt: "int",
  /** Events in its history. */
  HistoryLength: "int",
  /** The deployment whose worker took its last turn, and the build of it (row V6). */
  DeploymentName: "keyword",
  BuildId: "keyword",
  /** Pinned or AutoUpgrade: as an override says, else its code. */
  VersioningBehavior: "keyword",
  /** The schedule that started its chain. */
  ScheduledById: "keyword",
  /** For which of the schedule's times: jitter does not move it. */
  ScheduledStartTime: "datetime"
} as const satisfies Readonly<Record<string, Kind>>
/** @since 0.1.0 */
export type System = keyof typeof system

/** @since 0.1.0 */
export const isSystem = (name: string): name is System => Object.hasOwn(system, name)

/** What is wrong with a filter, and where its text says so. @since 0.1.0 */
export interface Wrong {
  readonly reason: string
  readonly at: number | undefined
}

/**
 * The filter in the form in which a store compares: dates in epoch milliseconds, durations in milliseconds.
 *
 * @category combinators
 * @since 0.1.0
 */
export const check = (filter: Filter): Either.Either<Filter, Wrong> => {
  const conditions = count(filter)
  return conditions > Limits.filterConditionsMax
    ? Either.left({ reason: `it has ${conditions} conditions; at most ${Limits.filterConditionsMax}`, at: undefined })
    : checked(filter)
}

/** The conditions of a filter, wherever they stand in it. @since 0.1.0 */
export const conditionsOf = (filter: Filter): ReadonlyArray<Condition> => {
  switch (filter._tag) {
    case "And":
    case "Or":
      return filter.filters.flatMap(conditionsOf)
    case "Not":
      return conditionsOf(filter.filter)
    default:
      return [filter]
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const count = (filter: Filter): number => {
  switch (filter._tag) {
    case "And":
    case "Or":
      return filter.filters.reduce((sum, each) => sum + count(each), 0)
    case "Not":
      return count(filter.filter)
    case "In":
      return filter.values.length
    default:
      return 1
  }
}

const checked = (filter: Filter): Either.Either<Filter, Wrong> => {
  switch (filter._tag) {
    case "And":
    case "Or":
      return Either.map(Either.all(filter.filters.map(checked)), (filters) => ({ _tag: filter._tag, filters }))
    case "Not":
      return Either.map(checked(filter.filter), (inner) => ({ _tag: "Not", filter: inner }))
    default:
      return condition(filter)
  }
}

const condition = (given: Condition): Either.Either<Condition, Wrong> => {
  const { attribute, at } = given
  if (!isSystem(attribute)) {
    const meant = Object.keys(system).find((name) => name.toLowerCase() === attribute.toLowerCase())
    return meant === undefined
      ? Either.right(given)
      : Either.left({ reason: `there is no attribute ${attribute}: it is ${meant}`, at })
  }
  const kind = system[attribute]
  const wrong = (reason: string) => Either.left({ reason: `${attribute} ${reason}`, at })
  const value = (text: Value) =>
    Either.mapLeft(valueOf(kind, text), (reason): Wrong => ({ reason: `${attribute} ${reason}`, at }))
  switch (given._tag) {
    case "Compare":
      return kind === "status" && given.operator !== "=" && given.operator !== "!="
        ? wrong("is not in any order: compare it with = or !=")
        : Either.map(value(given.value), (value) => ({ ...given, value }))
    case "In":
      return Either.map(Either.all(given.values.map(value)), (values) => ({ ...given, values }))
    case "Between":
      return kind === "status"
        ? wrong("is not in any order: use IN")
        : Either.map(Either.all([value(given.from), value(given.to)]), ([from, to]) => ({ ...given, from, to }))
    case "StartsWith":
      return kind === "keyword" ? Either.right(given) : wrong("is no text")
    case "IsNull":
      return Either.right(given)
  }
}

const valueOf = (kind: Kind, value: Value): Either.Either<Value, string> => {
  switch (kind) {
    case "keyword":
      return typeof value === "string" ? Either.right(value) : Either.left(`is a text: write '${value}' in quotes`)
    case "status":
      return typeof value === "string" && (statuses.includes(value))
        ? Either.right(value)
        : Either.left(`is one of ${statuses.join(", ")}`)
    case "datetime": {
      if (typeof value === "number" && Number.isFinite(value)) return Either.right(Math.trunc(value))
      const millis = typeof value === "string" ? momentOf(value) : undefined
      return millis === undefined
        ? Either.left("is a moment: write it as '2026-11-27T06:30:00Z', or in epoch milliseconds")
        : Either.right(millis)
    }
    case "duration": {
      if (typeof value === "number" && Number.isFinite(value)) return Either.right(Math.trunc(value))
      const millis = typeof value === "string" ? spanOf(value) : undefined
      return millis === undefined
        ? Either.left("is a duration: write it as '1h30m' or '250ms', or in milliseconds")
        : Either.right(millis)
    }
    case "int":
      return Number.isSafeInteger(value) ? Either.right(value) : Either.left("is a whole number")
  }
}

const statuses: ReadonlyArray<string> = Status.literals

/**
 * A moment as its text has it, in epoch milliseconds: a date, or a date with a time and a zone. Undefined for any other
 * text.
 *
 * @category combinators
 * @since 0.1.0
 */
export const momentOf = (text: string): number | undefined => {
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)) return undefined
  const millis = Date.parse(text)
  return Number.isNaN(millis) ? undefined : millis
}

const units: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

const spanOf = (text: string): number | undefined => {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[dhms])/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return undefined
  return Math.trunc(parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * units[unit!]!, 0))
}

/** The words of a text, as a text attribute is searched for them: in small letters, each once. @since 0.1.0 */
export const wordsOf = (text: string): ReadonlyArray<string> => [
  ...new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
]
