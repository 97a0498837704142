/**
 * Filters over what is in memory: schedules, of which there are thousands where of executions there are millions (row H14).
 *
 * ```
 *   Filter ──check──▶ Filter ──matches(valueOf)──▶ true | false
 * ```
 *
 * What a condition means is what it means for executions: one on what a schedule does not have is not met, and `not` turns
 * that around.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { Limits } from "../Limits.js"
import type { Condition, Filter, Operator, Value, Wrong } from "./Filter.js"
import { conditionsOf, isSystem, momentOf } from "./Filter.js"

/** What something has of an attribute: a value, several, or nothing. @since 0.1.0 */
export type Having = Value | Date | ReadonlyArray<string> | undefined

/** What every schedule has. @since 0.1.0 */
export const ofSchedules = ["ScheduleId", "WorkflowType", "Paused"] as const

/**
 * Whether a filter can be asked of schedules: not one about executions.
 *
 * @category combinators
 * @since 0.1.0
 */
export const check = (filter: Filter): Either.Either<Filter, Wrong> => {
  const conditions = conditionsOf(filter)
  const count = conditions.reduce((sum, condition) => sum + Math.max(1, valuesOf(condition).length), 0)
  if (count > Limits.filterConditionsMax) {
    const reason = `it has ${count} conditions; at most ${Limits.filterConditionsMax}`
    return Either.left({ reason, at: undefined })
  }
  for (const condition of conditions) {
    const { at, attribute } = condition
    const known = ofSchedules.find((name) => name.toLowerCase() === attribute.toLowerCase())
    if (known !== undefined && known !== attribute) {
      return Either.left({ reason: `there is no attribute ${attribute}: it is ${known}`, at })
    }
    if (known === undefined && isSystem(attribute)) {
      const reason = `a schedule has no ${attribute}: it has ${ofSchedules.join(", ")}, and its own attributes`
      return Either.left({ reason, at })
    }
    const wrong = known === undefined ?
      undefined :
      valuesOf(condition).find((value) => typeof value !== (known === "Paused" ? "boolean" : "string"))
    if (wrong !== undefined) {
      return Either.left({ reason: `${attribute} is ${known === "Paused" ? "true or false" : "a text"}`, at })
    }
  }
  return Either.right(filter)
}

/**
 * @category combinators
 * @since 0.1.0
 */
export const matches = (filter: Filter, having: (attribute: string) => Having): boolean => {
  switch (filter._tag) {
    case "And":
      return filter.filters.every((each) => matches(each, having))
    case "Or":
      return filter.filters.some((each) => matches(each, having))
    case "Not":
      return !matches(filter.filter, having)
    default:
      return meets(filter, having(filter.attribute))
  }
}

/**
 * How the ids of all that a filter finds begin: "" where it does not say.
 *
 * @category combinators
 * @since 0.1.0
 */
export const prefixOf = (filter: Filter | undefined): string => {
  if (filter?._tag === "And") return filter.filters.map(prefixOf).find((prefix) => prefix !== "") ?? ""
  if (filter?._tag === "StartsWith" && filter.attribute === "ScheduleId") return filter.prefix
  return filter?._tag === "Compare" && filter.attribute === "ScheduleId" && filter.operator === "="
    ? String(filter.value)
    : ""
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const valuesOf = (condition: Condition): ReadonlyArray<Value> => {
  switch (condition._tag) {
    case "Compare":
      return [condition.value]
    case "In":
      return condition.values
    case "Between":
      return [condition.from, condition.to]
    case "StartsWith":
      return [condition.prefix]
    case "IsNull":
      return []
  }
}

const meets = (condition: Condition, having: Having): boolean => {
  if (condition._tag === "IsNull") return having === undefined
  if (having === undefined) return false
  switch (condition._tag) {
    case "Compare":
      return condition.operator === "!="
        ? !compares(having, "=", condition.value)
        : compares(having, condition.operator, condition.value)
    case "In":
      return condition.values.some((value) => compares(having, "=", value))
    case "Between":
      return compares(having, ">=", condition.from) && compares(having, "<=", condition.to)
    case "StartsWith":
      return each(having).some((value) => typeof value === "string" && value.startsWith(condition.prefix))
  }
}

const each = (having: Exclude<Having, undefined>): ReadonlyArray<Value> =>
  having instanceof Date
    ? [having.getTime()]
    : typeof having === "object"
    ? having
    : [having]

/** Only what is of one type is in any order; a text that is a moment is compared with a date as one. */
const compares = (having: Exclude<Having, undefined>, operator: Exclude<Operator, "!=">, wanted: Value): boolean => {
  const value = having instanceof Date && typeof wanted === "string" ? momentOf(wanted) : wanted
  if (value === undefined) return false
  return each(having).some((have) => typeof have === typeof value && ordered(have, operator, value))
}

const ordered = (a: Value, operator: Exclude<Operator, "!=">, b: Value): boolean => {
  switch (operator) {
    case "=":
      return a === b
    case "<":
      return a < b
    case "<=":
      return a <= b
    case ">":
      return a > b
    case ">=":
      return a >= b
  }
}
