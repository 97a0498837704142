/**
 * Reading a body: runs a query or validator on fibers of its own, at once and read-only (I11).
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Blocking from "./Blocking.js"
import * as BodyRuntime from "./BodyRuntime.js"
import { FiberTracker } from "./FiberTracker.js"
import * as Guard from "./Guard.js"
import type { UnrecordedAccess } from "./TurnFailure.js"
import { TurnScheduler } from "./TurnScheduler.js"

/**
 * What is read: the body as its last turn left it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  readonly runtime: BodyRuntime.BodyRuntime
  readonly time: number
  readonly code: object
  readonly unguarded: boolean
  readonly operationsMax: number | undefined
  /** How long it may keep the thread, if that is bounded. */
  readonly millisMax: number | undefined
}

/** @category combinators @since 0.1.0 */
export const run = (
  subject: Subject,
  effect: Effect.Effect<unknown, unknown, unknown>
): Exit.Exit<unknown, unknown> => {
  const tracker = new FiberTracker()
  const scheduler = new TurnScheduler(() => {}, subject.operationsMax)
  let violation: UnrecordedAccess | undefined
  const guarded: Guard.Guarded = {
    time: subject.time,
    code: subject.code,
    unguarded: subject.unguarded,
    fiberCount: Guard.firstFiberId * 2,
    outer: undefined,
    violated: (found) => {
      violation ??= found
      scheduler.stop()
    }
  }
  Guard.enter(guarded)
  scheduler.begin()
  let exit: Exit.Exit<unknown, unknown> | undefined
  try {
    const fiber = BodyRuntime.fork(
      subject.runtime,
      effect,
      scheduler,
      (refs, fiberId) => FiberRefs.updateAs(refs, { fiberId, fiberRef: FiberRef.currentSupervisor, value: tracker })
    )
    fiber.addObserver((done) => {
      exit ??= done
    })
    if (subject.millisMax === undefined) scheduler.drain()
    else Blocking.within(subject.millisMax, () => scheduler.drain())
    if (exit === undefined) {
      exit = Exit.die(new Error("a query or validator must not wait"))
      // What it waits for must not hand it anything later: a Queue would lose an element to it.
      fiber.unsafeInterruptAsFork(FiberId.none)
      scheduler.drain()
    }
  } catch (thrown) {
    exit = Exit.die(thrown)
  } finally {
    scheduler.end()
    Guard.leave(guarded)
    tracker.forget()
  }
  return violation === undefined ? exit : Exit.die(violation)
}
