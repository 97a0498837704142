/**
 * Filters as values: the same that a filter's text says, checked by the compiler (row X13).
 *
 * ```ts
 * Filter.all(
 *   Filter.workflow(Order),
 *   Filter.status.in("Failed", "TimedOut"),
 *   Filter.startTime.after(new Date("2026-11-01")),
 *   Filter.attribute(Order, "customer").is("ada")
 * )
 * ```
 *
 * A condition on what an execution does not have is not met; `not` turns it around.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { Status } from "../core/family/Execution.js"
import type { Behavior } from "../core/family/Version.js"
import type { Filter as Core, Operator, Value } from "../core/visibility/Filter.js"
import type * as Workflow from "./Workflow.js"

/** @category models @since 0.1.0 */
export type Filter = Core

/** All of them hold. @category combinators @since 0.1.0 */
export const all = (...filters: readonly [Filter, ...ReadonlyArray<Filter>]): Filter => ({ _tag: "And", filters })

/** One of them holds, or more. @category combinators @since 0.1.0 */
export const any = (...filters: readonly [Filter, ...ReadonlyArray<Filter>]): Filter => ({ _tag: "Or", filters })

/** It does not hold. @category combinators @since 0.1.0 */
export const not = (filter: Filter): Filter => ({ _tag: "Not", filter })

/** Executions of a workflow. @category constructors @since 0.1.0 */
export const workflow = (definition: { readonly name: string }): Filter => compare("WorkflowType", "=", definition.name)

/** What can be said of any attribute. @category models @since 0.1.0 */
export interface Optional {
  readonly isSet: Filter
  readonly isNotSet: Filter
}

/** @category models @since 0.1.0 */
export interface Keyword<A extends string = string> {
  readonly is: (value: A) => Filter
  /** It has one, and that is another. */
  readonly isNot: (value: A) => Filter
  readonly in: (...values: ReadonlyArray<A>) => Filter
}

/** A text attribute is found by its words; a keyword by all of it, or by its beginning. @category models @since 0.1.0 */
export interface Text extends Keyword, Optional {
  readonly startsWith: (prefix: string) => Filter
}

/** @category models @since 0.1.0 */
export interface Numbers extends Optional {
  readonly is: (value: number) => Filter
  readonly isNot: (value: number) => Filter
  readonly in: (...values: ReadonlyArray<number>) => Filter
  readonly lessThan: (value: number) => Filter
  readonly greaterThan: (value: number) => Filter
  /** Both ends included. */
  readonly between: (from: number, to: number) => Filter
}

/** @category models @since 0.1.0 */
export interface Moments extends Optional {
  readonly before: (moment: Date) => Filter
  readonly after: (moment: Date) => Filter
  /** Both ends included. */
  readonly between: (from: Date, to: Date) => Filter
}

/** @category models @since 0.1.0 */
export interface Spans extends Optional {
  readonly shorterThan: (duration: Duration.DurationInput) => Filter
  readonly longerThan: (duration: Duration.DurationInput) => Filter
}

/** @category models @since 0.1.0 */
export interface Truth extends Optional {
  readonly is: (value: boolean) => Filter
}

/** @category models @since 0.1.0 */
export interface Keywords extends Optional {
  /** The value is one of its values. */
  readonly has: (value: string) => Filter
  readonly hasAny: (...values: ReadonlyArray<string>) => Filter
}

/** How an attribute with values of this type is compared. @category models @since 0.1.0 */
export type Comparing<A> = [A] extends [Date] ? Moments
  : [A] extends [number] ? Numbers
  : [A] extends [boolean] ? Truth
  : [A] extends [string] ? Text
  : Keywords

const compare = (attribute: string, operator: Operator, value: Value): Filter => ({
  _tag: "Compare",
  attribute,
  operator,
  value
})
const among = (attribute: string, values: ReadonlyArray<Value>): Filter =>
  // An empty list is met by nothing.
  values.length === 0
    ? { _tag: "And", filters: [isNull(attribute), not(isNull(attribute))] }
    : { _tag: "In", attribute, values }
const isNull = (attribute: string): Filter => ({ _tag: "IsNull", attribute })

/** All comparisons there are: types leave those that an attribute has. */
const comparing = (attribute: string) => {
  const stored = (value: Value | Date): Value => value instanceof Date ? value.getTime() : value
  const by = (operator: Operator) => (value: Value | Date): Filter => compare(attribute, operator, stored(value))
  const span = (operator: Operator) => (duration: Duration.DurationInput): Filter =>
    compare(attribute, operator, Duration.toMillis(duration))
  const oneOf = (...values: ReadonlyArray<Value>): Filter => among(attribute, values)
  return {
    is: by("="),
    isNot: by("!="),
    in: oneOf,
    has: by("="),
    hasAny: oneOf,
    lessThan: by("<"),
    greaterThan: by(">"),
    before: by("<"),
    after: by(">"),
    shorterThan: span("<"),
    longerThan: span(">"),
    between: (from: Value | Date, to: Value | Date): Filter => ({
      _tag: "Between",
      attribute,
      from: stored(from),
      to: stored(to)
    }),
    startsWith: (prefix: string): Filter => ({ _tag: "StartsWith", attribute, prefix }),
    isSet: not(isNull(attribute)),
    isNotSet: isNull(attribute)
  }
}

/** @category constructors @since 0.1.0 */
export const workflowId: Text = comparing("WorkflowId")
/** @category constructors @since 0.1.0 */
export const runId: Text = comparing("RunId")
/** @category constructors @since 0.1.0 */
export const workflowType: Text = comparing("WorkflowType")
/** @category constructors @since 0.1.0 */
export const taskQueue: Text = comparing("TaskQueue")
/** @category constructors @since 0.1.0 */
export const status: Keyword<Status> = comparing("ExecutionStatus")
/** When the run started. @category constructors @since 0.1.0 */
export const startTime: Moments = comparing("StartTime")
/** When its first turn could begin. @category constructors @since 0.1.0 */
export const executionTime: Moments = comparing("ExecutionTime")
/** Not set while it is open. @category constructors @since 0.1.0 */
export const closeTime: Moments = comparing("CloseTime")
/** From its execution time to its close time; not set while it is open. @category constructors @since 0.1.0 */
export const duration: Spans = comparing("ExecutionDuration")
/** Not set of one that is nobody's child. @category constructors @since 0.1.0 */
export const parentWorkflowId: Text = comparing("ParentWorkflowId")
/** @category constructors @since 0.1.0 */
export const parentRunId: Text = comparing("ParentRunId")
/** The first run of the chain. @category constructors @since 0.1.0 */
export const firstRunId: Text = comparing("FirstRunId")
/** The workflow id of the first of its parents; its own, where it has none. @category constructors @since 0.1.0 */
export const rootWorkflowId: Text = comparing("RootWorkflowId")
/** Events in its history. @category constructors @since 0.1.0 */
export const historyLength: Numbers = comparing("HistoryLength")
/** The deployment whose worker took its last turn (row V6); not set where none with a version did. @category constructors @since 0.1.0 */
export const deploymentName: Text = comparing("DeploymentName")
/** The build that took its last turn. @category constructors @since 0.1.0 */
export const buildId: Text = comparing("BuildId")
/** As an override says, else its code. @category constructors @since 0.1.0 */
export const versioningBehavior: Keyword<Behavior> = comparing("VersioningBehavior")
/** Counts from 1. @category constructors @since 0.1.0 */
export const attempt: Numbers = comparing("Attempt")
/** The schedule that started it; not set of one that was started otherwise. @category constructors @since 0.1.0 */
export const scheduledById: Text = comparing("ScheduledById")
/** For which of the schedule's times it was started. @category constructors @since 0.1.0 */
export const scheduledStartTime: Moments = comparing("ScheduledStartTime")

/**
 * A search attribute that a workflow declares (row W13). Executions of other workflows that have one of this name are found
 * by it as well: join it with `workflow`, where that is not meant.
 *
 * @category constructors
 * @since 0.1.0
 */
export const attribute = <W extends Workflow.Any, K extends keyof Workflow.AttributesOf<W> & string>(
  _workflow: W,
  name: K
): Comparing<Workflow.AttributesOf<W>[K]> => comparing(name) as never
