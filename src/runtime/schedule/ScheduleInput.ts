/**
 * What users say of schedules, in its stored form.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type { Attribute, MemoField } from "../../core/family/Notes.js"
import type { BackfillInput, Definition } from "../../core/schedule/Schedule.js"
import * as Core from "../../core/schedule/Schedule.js"
import * as Specs from "../../core/schedule/ScheduleSpec.js"
import type { ScheduleAction } from "../../core/schedule/ScheduleState.js"
import { refusedId } from "../../dsl/Call.js"
import type { ContractError } from "../../dsl/Contract.js"
import * as Notes from "../../dsl/Notes.js"
import type { Action, Attributes, Change, CreateOptions, Memo, Range, StoredAction } from "../../dsl/Schedule.js"
import * as Terms from "../../dsl/Terms.js"
import { rawCodecs } from "../../dsl/Untyped.js"
import type { WorkflowOptions } from "../../dsl/Workflow.js"

/** The left side is what is wrong with it, or the contract that it breaks. @since 0.1.0 */
export type Checked<A> = Either.Either<A, string | ContractError>

/** What of a start says nothing to a schedule. */
const refusedOptions: Readonly<Record<string, string>> = {
  cron: "the schedule itself says when it starts",
  startDelay: "the schedule itself says when it starts",
  idReuse: "there may always be another execution after a closed one",
  idConflict: "the schedule's overlap policy says what becomes of an open execution",
  requestId: "each time is one start"
}

/**
 * What a new schedule is made of.
 *
 * @category constructors
 * @since 0.1.0
 */
export const definitionOf = (
  scheduleId: string,
  taskQueue: string,
  options: CreateOptions
): Checked<Definition> =>
  Either.gen(function*() {
    const { memo, note = "", paused = false, remainingActions, searchAttributes } = options
    return {
      spec: yield* Specs.make(options.spec ?? {}),
      policy: yield* Core.policy(options.policies),
      action: yield* actionOf(scheduleId, taskQueue, options.action),
      paused,
      note,
      ...(remainingActions === undefined ? {} : { remainingActions }),
      ...(memo === undefined ? {} : { memo: yield* memoOf(memo) }),
      ...(searchAttributes === undefined ? {} : { attributes: yield* attributesOf(searchAttributes) })
    }
  })

/**
 * A definition with what a change puts in the place of its parts.
 *
 * @category combinators
 * @since 0.1.0
 */
export const changed = (
  scheduleId: string,
  taskQueue: string,
  from: Definition,
  change: Change
): Checked<Definition> =>
  Either.gen(function*() {
    const { action, memo, note = from.note, paused = from.paused, policies, searchAttributes, spec } = change
    const { remainingActions, ...rest } = from
    const left = change.remainingActions === undefined ? remainingActions : change.remainingActions ?? undefined
    const policy = from.policy
    return {
      ...rest,
      note,
      paused,
      ...(left === undefined ? {} : { remainingActions: left }),
      ...(spec === undefined ? {} : { spec: yield* Specs.make(spec) }),
      ...(action === undefined
        ? {}
        : { action: "_tag" in action ? yield* actionOf(scheduleId, taskQueue, action) : yield* storedOf(action) }),
      ...(policies === undefined ? {} : {
        policy: yield* Core.policy({
          overlap: policies.overlap ?? policy.overlap,
          catchupWindow: policies.catchupWindow ?? policy.catchupWindowMillis,
          pauseOnFailure: policies.pauseOnFailure ?? policy.pauseOnFailure
        })
      }),
      ...(memo === undefined ? {} : { memo: yield* memoOf(memo) }),
      ...(searchAttributes === undefined ? {} : { attributes: yield* attributesOf(searchAttributes) })
    }
  })

/** @since 0.1.0 */
export const rangesOf = (ranges: ReadonlyArray<Range>): ReadonlyArray<BackfillInput> =>
  ranges.map(({ from, overlap, to }) => ({
    from: Number(from),
    to: Number(to),
    ...(overlap === undefined ? {} : { overlap })
  }))

/** @since 0.1.0 */
export const shownMemo = (memo: unknown): Memo =>
  Object.fromEntries(((memo ?? []) as ReadonlyArray<MemoField>).map(({ name, value }) => [name, value]))

/** @since 0.1.0 */
export const shownAttributes = (attributes: unknown): Attributes =>
  Object.fromEntries(
    ((attributes ?? []) as ReadonlyArray<Attribute>).map(({ name, type, value }) => [
      name,
      type === "datetime" ? new Date(value as number) : value as Attributes[string]
    ])
  )

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const actionOf = (scheduleId: string, taskQueue: string, action: Action): Checked<ScheduleAction> =>
  Either.gen(function*() {
    const { options, payload, workflow } = action
    for (const [option, reason] of Object.entries(refusedOptions)) {
      if ((options as Readonly<Record<string, unknown>>)[option] !== undefined) {
        yield* Either.left(`its action takes no ${option}: ${reason}`)
      }
    }
    const input = yield* workflow.codecs.payload.encode(payload)
    const said = yield* Notes.encode(workflow, options)
    const own = (workflow as Partial<{ readonly options: WorkflowOptions<unknown> }>).options
    const { details, memo, searchAttributes, summary } = said
    return yield* storedOf({
      workflow: workflow.name,
      workflowId: options.workflowId ?? own?.idempotencyKey?.(payload) ?? scheduleId,
      ...(options.fixedWorkflowId === true ? { fixedWorkflowId: true } : {}),
      taskQueue: options.taskQueue ?? taskQueue,
      ...(input === undefined ? {} : { input }),
      options: {
        terms: yield* Terms.of(options, own),
        ...(summary === undefined ? {} : { summary }),
        ...(details === undefined ? {} : { details })
      },
      ...(memo === undefined ? {} : { memo }),
      ...(searchAttributes === undefined ? {} : { attributes: searchAttributes })
    })
  })

const storedOf = (action: StoredAction): Checked<ScheduleAction> => {
  // What a start adds to it must fit, too.
  const workflowId = action.fixedWorkflowId === true ? action.workflowId : `${action.workflowId}-2026-11-27T02:30:00Z`
  const refused = refusedId("action's workflowId, with the time that is added to it,", workflowId) ??
    refusedId("action's taskQueue", action.taskQueue) ??
    (action.workflowId === "" ? "its action's workflowId must not be empty" : undefined)
  return refused === undefined ? Either.right(action) : Either.left(refused)
}

const memoOf = (memo: Memo): Checked<ReadonlyArray<MemoField>> =>
  Either.all(
    Object.entries(memo).filter(([, value]) => value !== undefined).map(([name, value]) =>
      Either.map(rawCodecs.payload.encode(value), (value): MemoField => ({ name, value }))
    )
  )

const attributesOf = (attributes: Attributes): Checked<ReadonlyArray<Attribute>> =>
  Either.all(
    Object.entries(attributes).map(([name, value]): Checked<Attribute> => {
      if (value instanceof Date) {
        return Number.isNaN(value.getTime())
          ? Either.left(`its search attribute ${name} is no date`)
          : Either.right({ name, type: "datetime", value: value.getTime() })
      }
      switch (typeof value) {
        case "string":
          return Either.right({ name, type: "keyword", value })
        case "boolean":
          return Either.right({ name, type: "bool", value })
        case "number":
          return Number.isFinite(value)
            ? Either.right({ name, type: Number.isSafeInteger(value) ? "int" : "double", value })
            : Either.left(`its search attribute ${name} is no finite number`)
        default:
          return Array.isArray(value) && value.every((each) => typeof each === "string")
            ? Either.right({ name, type: "keywordList", value })
            : Either.left(`its search attribute ${name} is no text, number, truth value, date or list of texts`)
      }
    })
  )
