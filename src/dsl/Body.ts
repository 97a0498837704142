/**
 * What a body may ask of its run besides activities and steps.
 *
 * Time and waiting need nothing from here: `Effect.sleep`, `Effect.timeout`, `Clock` and `Random` are durable in a body.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { CurrentUpdate, WorkflowInfo } from "./WorkflowContext.js"
import { WorkflowContext } from "./WorkflowContext.js"

/**
 * What the run knows of itself (row W11).
 *
 * @category services
 * @since 0.1.0
 */
export const info: Effect.Effect<WorkflowInfo, never, WorkflowContext> = Effect.flatMap(
  WorkflowContext,
  (context) => context.info
)

/**
 * The update that is being handled, in its handler and in all fibers that the handler forks; undefined elsewhere
 * (row U11). For idempotency keys, logs and locks by caller.
 *
 * @category services
 * @since 0.1.0
 */
export const currentUpdate: Effect.Effect<CurrentUpdate | undefined, never, WorkflowContext> = Effect.flatMap(
  WorkflowContext,
  (context) => context.currentUpdate
)

/**
 * The time of the message being taken in, in epoch milliseconds: constant within a turn, never backwards, the same on
 * replay (row W1).
 *
 * @category services
 * @since 0.1.0
 */
export const now: Effect.Effect<number, never, WorkflowContext> = Effect.zipRight(
  WorkflowContext,
  Clock.currentTimeMillis
)

/**
 * A number between 0 and 1, seeded by the run: the same on replay (row W2).
 *
 * @category services
 * @since 0.1.0
 */
export const random: Effect.Effect<number, never, WorkflowContext> = Effect.zipRight(WorkflowContext, Random.next)

/**
 * Runs a function that the guard does not watch: it reads the real clock, and may do what stops a turn elsewhere (row D10).
 * Dangerous: it runs again on replay, and what it gives must be the same then, or must not matter, as a message for a log.
 * Nothing is recorded of it. Where the outside is to be read for good, use `Step.run` or an activity.
 *
 * A promise that it gives cannot be awaited in a body. A whole workflow, or worker, goes without by its option `guard`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const unguarded = <A>(run: () => A): Effect.Effect<A, never, WorkflowContext> =>
  Effect.flatMap(WorkflowContext, (context) => context.unguarded(run))

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0")

/**
 * A random UUID (version 4), seeded by the run: the same on replay (row W2). Not for secrets.
 *
 * @category services
 * @since 0.1.0
 */
export const uuid: Effect.Effect<string, never, WorkflowContext> = Effect.zipRight(
  WorkflowContext,
  Effect.map(
    Effect.all([
      Random.nextIntBetween(0, 2 ** 32),
      Random.nextIntBetween(0, 2 ** 32),
      Random.nextIntBetween(0, 2 ** 32),
      Random.nextIntBetween(0, 2 ** 32)
    ]),
    ([a, b, c, d]) =>
      `${hex(a, 8)}-${hex(b >>> 16, 4)}-4${hex(b & 0xfff, 3)}-${hex(0x8000 | ((c >>> 16) & 0x3fff), 4)}-${
        hex(c & 0xffff, 4)
      }${hex(d, 8)}`
  )
)

/**
 * Waits until the predicate holds (row W5). It is asked at once, and again after every progress of the run, and must
 * only read. It leaves no event; bound it with `Effect.timeout`, which is a durable timer.
 *
 * @category combinators
 * @since 0.1.0
 */
export const condition = (
  predicate: Effect.Effect<boolean, never, WorkflowContext> | (() => boolean)
): Effect.Effect<void, never, WorkflowContext> =>
  Effect.flatMap(
    WorkflowContext,
    (context) => context.condition(Effect.isEffect(predicate) ? predicate : Effect.sync(predicate))
  )

/**
 * Whether no signal or update handler is in progress (row S9). Wait for it before ending a run whose handlers have
 * work to finish: `Workflow.condition(Workflow.allHandlersFinished)`.
 *
 * @category services
 * @since 0.1.0
 */
export const allHandlersFinished: Effect.Effect<boolean, never, WorkflowContext> = Effect.flatMap(
  WorkflowContext,
  (context) => Effect.map(context.handlersInProgress, (count) => count === 0)
)

/**
 * Runs an effect and, once it has succeeded, registers how to undo it should the run fail or be canceled later: a saga.
 *
 * Compensations run in reverse order, as durable steps of the run, after its last step and before its end is recorded:
 * a crash between two of them goes on with the next. Neither cancellation nor a compensation's own failure stops the
 * rest; the run ends as it would have.
 *
 * An effect that failed, or was interrupted before it succeeded, registers nothing. Where it may have taken effect all
 * the same, register first, and undo what may not have been done: `Workflow.withCompensation(Effect.void, () => undo)`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withCompensation = <A, E, R, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  compensation: (value: A) => Effect.Effect<unknown, E2, R2>
): Effect.Effect<A, E, R | R2 | WorkflowContext> =>
  Effect.flatMap(
    WorkflowContext,
    (context) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Effect.context<R2>(), (services) =>
          Effect.tap(
            restore(effect),
            (value) =>
              context.compensate(Effect.asVoid(Effect.provide(Effect.suspend(() => compensation(value)), services)))
          ))
      )
  )

/**
 * Turns a cancel request into a value: it interrupts the given effect alone, its finalizers run, then the fallback
 * runs, and the run goes on. The request stays recorded; a later one changes nothing (row C1).
 *
 * @category combinators
 * @since 0.1.0
 */
export const catchCancel = <A, E, R, A2, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  fallback: (reason: string) => Effect.Effect<A2, E2, R2>
): Effect.Effect<A | A2, E | E2, R | R2 | WorkflowContext> =>
  Effect.flatMap(WorkflowContext, (context) => context.catchCancel(effect, fallback))
