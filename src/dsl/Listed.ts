/**
 * What a client lists and counts (rows X13, X14).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Status } from "../core/family/Execution.js"
import type { Behavior, Version } from "../core/family/Version.js"
import type { Filter } from "../core/visibility/Filter.js"

/**
 * What is asked for: everything, where it is left out; a filter, or its text in Temporal's list filter language, as in
 * `"WorkflowType = 'Order' AND ExecutionStatus IN ('Failed', 'TimedOut')"`.
 *
 * @category models
 * @since 0.1.0
 */
export type Query = Filter | string

/**
 * The order of a list: open ones first and then the last one closed ("Closed", the default), or by start.
 *
 * @category models
 * @since 0.1.0
 */
export type Order = "Closed" | "Newest" | "Oldest"

/** @category models @since 0.1.0 */
export interface ListOptions {
  readonly order?: Order | undefined
  /** Executions that are read at once. Default 100, at most 1,000. */
  readonly pageSize?: number | undefined
}

/** @category models @since 0.1.0 */
export interface PageOptions extends ListOptions {
  /** Of the page before: this one begins behind it, and the list is that of the first page, whatever came since. */
  readonly cursor?: string | undefined
}

/**
 * One run, as a list shows it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Listed {
  readonly workflow: string
  readonly workflowId: string
  readonly runId: string
  readonly taskQueue: string
  readonly status: Status
  /** In epoch milliseconds, as all times here. */
  readonly startedAt: number
  /** Its first turn is held until then, or was. */
  readonly startAt: number | undefined
  readonly closedAt: number | undefined
  readonly firstRunId: string
  readonly previousRunId: string | undefined
  readonly attempt: number
  readonly parentRunId: string | undefined
  /** The schedule that started it, and for which of its times (row H2). */
  readonly scheduled: { readonly by: string; readonly at: number } | undefined
  readonly turns: number
  /** Events in its history (row X15). */
  readonly historyLength: number
  /** Of the first of its parents; its own, where it has none. */
  readonly rootWorkflowId: string
  /** The version that took its last turn, and how it moves: as an override says, else its code (row V6). */
  readonly version: Version | undefined
  readonly versioningBehavior: Behavior | undefined
  readonly summary: string | undefined
  /** As it is stored: what a schema made of the values is for who has the definition, by `describe`. */
  readonly memo: Readonly<Record<string, unknown>>
  readonly searchAttributes: Readonly<Record<string, unknown>>
  /** Whether it does not get on by itself: `describe` says why. */
  readonly needsAttention: boolean
}

/** @category models @since 0.1.0 */
export interface Page {
  readonly executions: ReadonlyArray<Listed>
  /** Undefined: there are no more. */
  readonly cursor: string | undefined
}

/** @category models @since 0.1.0 */
export interface Count {
  readonly total: number
  /** By status; those that none has are left out. */
  readonly byStatus: Readonly<Partial<Record<Status, number>>>
}

/**
 * A filter says nothing, or a cursor is none: the message points at the place.
 *
 * @category errors
 * @since 0.1.0
 */
export class FilterError extends Schema.TaggedError<FilterError>()("FilterError", {
  reason: Schema.String,
  /** Its text, where it was one. */
  text: Schema.optional(Schema.String),
  /** Where in the text, from 0. */
  at: Schema.optional(Schema.Number)
}) {
  override get message(): string {
    const { at, reason, text } = this
    if (text === undefined || at === undefined) return `the filter cannot be used: ${reason}`
    const before = text.slice(0, at)
    const line = before.split("\n").length - 1
    const column = before.length - (before.lastIndexOf("\n") + 1)
    return `the filter cannot be used: ${reason}\n  ${text.split("\n")[line]}\n  ${" ".repeat(column)}^`
  }
}
