/**
 * Failures as data: what an event records when an attempt, a step, an update or a run did not succeed.
 *
 * A failure carries its causes as a chain, outermost first. What reaches users are the TaggedErrors of the dsl; this is
 * their recorded form. Only the outermost failure decides about retries (row R5).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Limits } from "./Limits.js"

/**
 * Which of an activity's or run's timeouts struck.
 *
 * @category models
 * @since 0.1.0
 */
export const TimeoutKind = Schema.Literal(
  "StartToClose",
  "ScheduleToStart",
  "ScheduleToClose",
  "Heartbeat",
  "Run",
  "Execution"
)
/** @since 0.1.0 */
export type TimeoutKind = typeof TimeoutKind.Type

/**
 * Why no further attempt was made (row R4).
 *
 * @category models
 * @since 0.1.0
 */
export const RetryState = Schema.Literal(
  "InProgress",
  "NonRetryableFailure",
  "MaximumAttemptsReached",
  "Timeout",
  "CancelRequested",
  "RetryPolicyNotSet"
)
/** @since 0.1.0 */
export type RetryState = typeof RetryState.Type

/** @since 0.1.0 */
export interface ApplicationFailure {
  readonly _tag: "Application"
  /** The `_tag` or class name, matched by retry policies. */
  readonly type: string
  readonly message: string
  readonly details?: unknown
  readonly nonRetryable?: boolean
  readonly nextRetryDelayMillis?: number
  readonly category?: "Benign"
  readonly stack?: string
  readonly cause?: Failure
}

/** An error that the contract declares: `error` is its encoded form, absent where that is undefined. @since 0.1.0 */
export interface DeclaredFailure {
  readonly _tag: "Declared"
  readonly type: string
  readonly message: string
  readonly error?: unknown
  readonly stack?: string
}

/** @since 0.1.0 */
export interface TimeoutFailure {
  readonly _tag: "Timeout"
  readonly timeout: TimeoutKind
  readonly message: string
  readonly lastHeartbeat?: unknown
  readonly cause?: Failure
}

/** @since 0.1.0 */
export interface CanceledFailure {
  readonly _tag: "Canceled"
  readonly message: string
}

/** @since 0.1.0 */
export interface TerminatedFailure {
  readonly _tag: "Terminated"
  readonly message: string
  readonly details?: unknown
}

/** An activity that failed for good, as the run that awaited it sees it (row R10). @since 0.1.0 */
export interface ActivityFailure {
  readonly _tag: "Activity"
  readonly activity: string
  readonly activityId: string
  readonly attempt: number
  readonly retryState: RetryState
  readonly message: string
  readonly cause: Failure
}

/** A child that ended otherwise than well, as the run that awaited it sees it (row R11). @since 0.1.0 */
export interface ChildWorkflowFailure {
  readonly _tag: "ChildWorkflow"
  readonly workflow: string
  readonly workflowId: string
  readonly runId: string
  readonly retryState: RetryState
  readonly message: string
  readonly cause: Failure
}

/**
 * A recorded failure.
 *
 * @category models
 * @since 0.1.0
 */
export type Failure =
  | ApplicationFailure
  | DeclaredFailure
  | TimeoutFailure
  | CanceledFailure
  | TerminatedFailure
  | ActivityFailure
  | ChildWorkflowFailure

const suspended = Schema.suspend((): Schema.Schema<Failure> => Failure)
const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/**
 * The schema of recorded failures.
 *
 * @category models
 * @since 0.1.0
 */
export const Failure: Schema.Schema<Failure> = Schema.Union(
  Schema.TaggedStruct("Application", {
    type: Schema.String,
    message: Schema.String,
    details: optional(Schema.Unknown),
    nonRetryable: optional(Schema.Boolean),
    nextRetryDelayMillis: optional(Schema.Number),
    category: optional(Schema.Literal("Benign")),
    stack: optional(Schema.String),
    cause: optional(suspended)
  }),
  Schema.TaggedStruct("Declared", {
    type: Schema.String,
    message: Schema.String,
    error: optional(Schema.Unknown),
    stack: optional(Schema.String)
  }),
  Schema.TaggedStruct("Timeout", {
    timeout: TimeoutKind,
    message: Schema.String,
    lastHeartbeat: optional(Schema.Unknown),
    cause: optional(suspended)
  }),
  Schema.TaggedStruct("Canceled", { message: Schema.String }),
  Schema.TaggedStruct("Terminated", { message: Schema.String, details: optional(Schema.Unknown) }),
  Schema.TaggedStruct("Activity", {
    activity: Schema.String,
    activityId: Schema.String,
    attempt: Schema.Number,
    retryState: RetryState,
    message: Schema.String,
    cause: suspended
  }),
  Schema.TaggedStruct("ChildWorkflow", {
    workflow: Schema.String,
    workflowId: Schema.String,
    runId: Schema.String,
    retryState: RetryState,
    message: Schema.String,
    cause: suspended
  })
)

const causeDepthMax = 16

/** Names that an error has of its built-in class, where its own class sets none. */
const builtIn: ReadonlySet<string> = new Set([
  "Error",
  "AggregateError",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError"
])

const tagOf = (thrown: object): string | undefined => {
  const tag = (thrown as { readonly _tag?: unknown })._tag
  return typeof tag === "string" ? tag : undefined
}

/** `class CardDeclined extends Error {}` is called "Error" by its name, and "CardDeclined" by its class. */
const classOf = (error: Error): string => {
  const name: unknown = error.name
  const known = typeof name === "string" && name !== "" ? name : "Error"
  return builtIn.has(known) ? error.constructor?.name || known : known
}

/**
 * Turns anything that was thrown into a recorded failure (row R7): type is its `_tag` or class name; message, stack and
 * the chain of causes are kept, to a depth of 16. Never throws (row R14).
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromUnknown = (thrown: unknown, depth = 0): ApplicationFailure => {
  try {
    if (thrown instanceof Error) {
      return {
        _tag: "Application",
        type: tagOf(thrown) ?? classOf(thrown),
        message: String(thrown.message).slice(0, Limits.failureMessageCharsMax),
        ...(typeof thrown.stack === "string" ? { stack: thrown.stack.slice(0, Limits.failureStackCharsMax) } : {}),
        ...(thrown.cause !== undefined && depth < causeDepthMax ? { cause: fromUnknown(thrown.cause, depth + 1) } : {})
      }
    }
    const isObject = typeof thrown === "object" && thrown !== null
    const message = isObject ? JSON.stringify(thrown) ?? "null" : String(thrown)
    return {
      _tag: "Application",
      type: (isObject ? tagOf(thrown) : undefined) ?? typeof thrown,
      message: message.slice(0, Limits.failureMessageCharsMax)
    }
  } catch {
    return { _tag: "Application", type: "Unreadable", message: "the failure itself could not be read" }
  }
}

/**
 * The type by which a retry policy's `nonRetryable` list names a failure.
 *
 * @category refinements
 * @since 0.1.0
 */
export const typeOf = (failure: Failure): string =>
  failure._tag === "Application" || failure._tag === "Declared" ? failure.type : failure._tag

/**
 * The failure and its causes in one readable line.
 *
 * @category combinators
 * @since 0.1.0
 */
export const render = (failure: Failure): string => {
  const own = failure._tag === "Application" || failure._tag === "Declared"
    ? `${failure.type}: ${failure.message}`
    : failure.message
  const cause = "cause" in failure ? failure.cause : undefined
  return cause === undefined ? own : `${own} (cause: ${render(cause)})`
}
