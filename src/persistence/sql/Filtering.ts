/**
 * Filters in SQL (row X13). What a user wrote is only ever a parameter.
 *
 * ```
 *   Filter ──▶ { text: "r.workflow = ? AND r.run_id IN (SELECT ...)", params }
 * ```
 *
 * Each condition is true or false, never unknown: an attribute that a run lacks meets no condition but IS NULL, and NOT
 * turns that around. Those that every run has are columns; all others are rows of perdure_search_attributes, looked up by
 * name, type and value, whichever type a workflow gave the name.
 *
 * @since 0.1.0
 */
import type { Condition, Filter, Operator, System, Value } from "../../core/visibility/Filter.js"
import { isSystem, momentOf, wordsOf } from "../../core/visibility/Filter.js"
import type { Dialect } from "./Dialect.js"

/** A part of a statement, with its parameters in order. @since 0.1.0 */
export interface Sql {
  readonly text: string
  readonly params: ReadonlyArray<unknown>
}

/**
 * A condition on `perdure_runs r`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (filter: Filter, columns: Columns): Sql => {
  switch (filter._tag) {
    case "And":
    case "Or":
      return joined(filter._tag === "And" ? " AND " : " OR ", filter.filters.map((each) => of(each, columns)))
    case "Not": {
      const { params, text } = of(filter.filter, columns)
      return { text: `NOT ${text}`, params }
    }
    default:
      return !isSystem(filter.attribute)
        ? ofAttribute(filter)
        : wentWrong(filter)
        ? joined(" AND ", [ofColumn(columns[filter.attribute], filter), wrong])
        : ofColumn(columns[filter.attribute], filter)
  }
}

/**
 * Of the conditions that must all hold, those that an index answers: each as a statement that gives ids of runs. Where one
 * of them gives few, the others need not be looked up.
 *
 * @category constructors
 * @since 0.1.0
 */
export const indexed = (filter: Filter, columns: Columns): ReadonlyArray<Sql> => {
  switch (filter._tag) {
    case "And":
      return filter.filters.flatMap((each) => indexed(each, columns))
    case "Compare":
    case "In":
    case "Between":
    case "StartsWith": {
      const isEqual = filter._tag === "In" || filter._tag === "Compare" && filter.operator === "="
      if (filter._tag === "Compare" && filter.operator === "!=") return []
      if (isSystem(filter.attribute)) {
        const how = indexes.get(filter.attribute)
        if (how === undefined || how === "equal" && !isEqual) return []
        if (filter.attribute === "RootWorkflowId") return [ofRoot(filter)]
        // The plus: of run ids the key is the index, which knows no namespaces.
        return [idsWhere(of(filter, columns), filter.attribute === "RunId" ? "+r.namespace" : "r.namespace")]
      }
      return [idsOf(filter)]
    }
    default:
      return []
  }
}

// internal -----------------------------------------------------------------------------------------------------------

/** Whether an index gives all that a column is compared with, or only what is equal. */
const indexes: ReadonlyMap<System, "equal" | "any"> = new Map<System, "equal" | "any">([
  ["WorkflowId", "any"],
  ["RunId", "any"],
  ["WorkflowType", "equal"],
  ["ExecutionStatus", "equal"],
  ["StartTime", "any"],
  ["CloseTime", "any"],
  ["ScheduledById", "any"],
  ["RootWorkflowId", "equal"],
  ["BuildId", "equal"]
])

const idsWhere = ({ params, text }: Sql, namespace = "r.namespace"): Sql => ({
  text: `SELECT r.run_id FROM perdure_runs r WHERE ${namespace} = :namespace AND ${text}`,
  params
})

/** Children are found by their root, and the root by its own id: each by an index. */
const ofRoot = (condition: Condition): Sql => {
  const child = idsWhere(compared("r.root_workflow_id", condition))
  const { params, text } = compared("r.workflow_id", condition)
  const root = idsWhere({ text: `r.root_workflow_id IS NULL AND ${text}`, params })
  return { text: `${child.text} UNION ALL ${root.text}`, params: [...child.params, ...root.params] }
}

const began = "coalesce(r.start_at, r.started_at)"

/** `nullable`: not every run has it. */
interface Column {
  readonly expression: string
  readonly nullable: boolean
}

/**
 * Events in the history of `perdure_runs r`: kept with its end, and counted while it is open, so that no turn writes the
 * row of its run for it.
 *
 * @since 0.1.0
 */
export const historyLength = ({ elements }: Pick<Dialect, "elements">): string =>
  `coalesce(r.history_length, (SELECT coalesce(sum(${
    elements("h.events")
  }), 0) FROM perdure_history h WHERE h.run_id = r.run_id))`

/** The columns that every run has. @since 0.1.0 */
export type Columns = { readonly [K in System]: Column }

/**
 * The columns, as a database has them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const columnsOf = (dialect: Pick<Dialect, "elements">): Columns => ({
  WorkflowId: { expression: "r.workflow_id", nullable: false },
  RunId: { expression: "r.run_id", nullable: false },
  WorkflowType: { expression: "r.workflow", nullable: false },
  TaskQueue: { expression: "r.task_queue", nullable: false },
  ExecutionStatus: { expression: "r.status", nullable: false },
  StartTime: { expression: "r.started_at", nullable: false },
  ExecutionTime: { expression: began, nullable: false },
  CloseTime: { expression: "r.closed_at", nullable: true },
  ExecutionDuration: { expression: `(r.closed_at - ${began})`, nullable: true },
  ParentWorkflowId: {
    expression: "(SELECT p.workflow_id FROM perdure_runs p WHERE p.run_id = r.parent_run_id)",
    nullable: true
  },
  ParentRunId: { expression: "r.parent_run_id", nullable: true },
  FirstRunId: { expression: "coalesce(r.first_run_id, r.run_id)", nullable: false },
  RootWorkflowId: { expression: "coalesce(r.root_workflow_id, r.workflow_id)", nullable: false },
  Attempt: { expression: "r.attempt", nullable: false },
  HistoryLength: { expression: historyLength(dialect), nullable: false },
  DeploymentName: { expression: "r.deployment", nullable: true },
  BuildId: { expression: "r.build_id", nullable: true },
  VersioningBehavior: { expression: "coalesce(r.versioning_override, r.behavior)", nullable: true },
  ScheduledById: { expression: "r.scheduled_by", nullable: true },
  ScheduledStartTime: { expression: "r.scheduled_at", nullable: true }
})

/** As the index of such runs says it: no database concludes it from the value of a parameter. */
const wrong: Sql = { text: "r.status NOT IN ('Running', 'Completed')", params: [] }

const wentWrong = (condition: Condition): boolean =>
  condition.attribute === "ExecutionStatus" && condition._tag === "Compare" && condition.operator === "=" &&
  condition.value !== "Running" && condition.value !== "Completed"

const joined = (by: string, parts: ReadonlyArray<Sql>): Sql => ({
  text: `(${parts.map(({ text }) => text).join(by)})`,
  params: parts.flatMap(({ params }) => params)
})

const marks = (values: ReadonlyArray<unknown>): string => values.map(() => "?").join(", ")

const ofColumn = ({ expression, nullable }: Column, condition: Condition): Sql => {
  const { params, text } = compared(expression, condition)
  return { text: nullable && condition._tag !== "IsNull" ? `(${expression} IS NOT NULL AND ${text})` : text, params }
}

/** Above every text that begins with the prefix. */
const beyond = (prefix: string): string => `${prefix}\u{10FFFF}`

const compared = (expression: string, condition: Condition): Sql => {
  switch (condition._tag) {
    case "Compare":
      return { text: `${expression} ${signOf(condition.operator)} ?`, params: [condition.value] }
    case "In":
      return { text: `${expression} IN (${marks(condition.values)})`, params: condition.values }
    case "Between":
      return { text: `${expression} BETWEEN ? AND ?`, params: [condition.from, condition.to] }
    case "StartsWith":
      return {
        text: `(${expression} >= ? AND ${expression} < ?)`,
        params: [condition.prefix, beyond(condition.prefix)]
      }
    case "IsNull":
      return { text: `${expression} IS NULL`, params: [] }
  }
}

const signOf = (operator: Operator): string => operator === "!=" ? "<>" : operator

// --- search attributes

const words = "type = 'text'"
const keywords = "type IN ('keyword', 'keywordList')"
const moments = "type = 'datetime'"
const numbers = "type IN ('int', 'double', 'datetime')"
const truths = "type = 'bool'"

/** Ids of runs that have the attribute with a value like that. Each way is a search of an index of its own. */
const idsAmong = (attribute: string, ways: ReadonlyArray<Sql>): Sql => ({
  text: ways.map(({ text }) =>
    `SELECT run_id FROM perdure_search_attributes WHERE namespace = :namespace AND name = ? AND ${text}`
  )
    .join(" UNION ALL "),
  params: ways.flatMap(({ params }) => [attribute, ...params])
})

const among = (attribute: string, ways: ReadonlyArray<Sql>): Sql => within(idsAmong(attribute, ways))

type Found = Exclude<Condition, { readonly _tag: "IsNull" }>

/** The ids of the runs that meet a condition which one search answers. */
const idsOf = (condition: Found): Sql => {
  const { attribute } = condition
  switch (condition._tag) {
    case "Compare":
      return idsAmong(attribute, waysOf(condition.operator as Exclude<Operator, "!=">, condition.value))
    case "In":
      return idsAmong(attribute, condition.values.flatMap((value) => waysOf("=", value)))
    case "Between":
      return idsAmong(attribute, waysBetween(condition.from, condition.to))
    case "StartsWith": {
      const { prefix } = condition
      const small = prefix.toLowerCase()
      return idsAmong(attribute, [
        { text: `${keywords} AND text >= ? AND text < ?`, params: [prefix, beyond(prefix)] },
        { text: `${words} AND text >= ? AND text < ?`, params: [small, beyond(small)] }
      ])
    }
  }
}

const ofAttribute = (condition: Condition): Sql => {
  const { attribute } = condition
  const isSet = among(attribute, [{ text: "position = 0", params: [] }])
  switch (condition._tag) {
    case "Compare": {
      if (condition.operator !== "!=") return within(idsOf(condition))
      const equal = among(attribute, waysOf("=", condition.value))
      return { text: `(${isSet.text} AND NOT ${equal.text})`, params: [...isSet.params, ...equal.params] }
    }
    case "In":
    case "Between":
    case "StartsWith":
      return within(idsOf(condition))
    case "IsNull":
      return { text: `NOT ${isSet.text}`, params: isSet.params }
  }
}

const within = ({ params, text }: Sql): Sql => ({ text: `r.run_id IN (${text})`, params })

/** A text is a keyword as it is, any of its words in a text, or a moment: whichever type the attribute has. */
const waysOf = (operator: Exclude<Operator, "!=">, value: Value): ReadonlyArray<Sql> => {
  if (typeof value === "number") return [{ text: `${numbers} AND number ${operator} ?`, params: [value] }]
  if (typeof value === "boolean") return [{ text: `${truths} AND number ${operator} ?`, params: [value ? 1 : 0] }]
  const ways: Array<Sql> = [{ text: `${keywords} AND text ${operator} ?`, params: [value] }]
  const found = wordsOf(value)
  if (operator === "=" && found.length > 0) {
    ways.push({ text: `${words} AND text IN (${marks(found)})`, params: found })
  }
  const moment = momentOf(value)
  if (moment !== undefined) ways.push({ text: `${moments} AND number ${operator} ?`, params: [moment] })
  return ways
}

/** One search from end to end: that of each end by itself would find nearly all. Of a list, one value is in between. */
const waysBetween = (from: Value, to: Value): ReadonlyArray<Sql> => {
  if (typeof from === "number" && typeof to === "number") {
    return [{ text: `${numbers} AND number BETWEEN ? AND ?`, params: [from, to] }]
  }
  if (typeof from === "boolean" && typeof to === "boolean") {
    return [{ text: `${truths} AND number BETWEEN ? AND ?`, params: [Number(from), Number(to)] }]
  }
  // Nothing lies between values of two kinds.
  if (typeof from !== "string" || typeof to !== "string") return nowhere
  const ways: Array<Sql> = [{ text: `${keywords} AND text BETWEEN ? AND ?`, params: [from, to] }]
  const moment = { from: momentOf(from), to: momentOf(to) }
  if (moment.from !== undefined && moment.to !== undefined) {
    ways.push({ text: `${moments} AND number BETWEEN ? AND ?`, params: [moment.from, moment.to] })
  }
  return ways
}

const nowhere: ReadonlyArray<Sql> = [{ text: "type = ''", params: [] }]
