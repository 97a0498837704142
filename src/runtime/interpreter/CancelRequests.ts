/**
 * Where in a run a cancel request strikes.
 *
 * ```
 *  run ──▶ catchCancel ──▶ catchCancel      a request interrupts the innermost of each line, and nothing else;
 *    └──▶ catchCancel                       without any, the run itself
 * ```
 *
 * Lines follow fibers: a `catchCancel` belongs to the one around it even if a fiber was forked in between. Handlers are
 * no part of the run's lines: a request does not reach them (row C2).
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>
type Erased = Effect.Effect<unknown, unknown, unknown>

interface Region {
  fiber: AnyFiber | undefined
  readonly inner: Set<Region>
  /** Whether a request struck here. */
  struck: boolean
}

const region = (): Region => ({ fiber: undefined, inner: new Set(), struck: false })

const current = FiberRef.unsafeMake<Region | undefined>(undefined)

/** @since 0.1.0 */
export class CancelRequests {
  private readonly run = region()

  /** Why the run was asked to end; undefined before it was. */
  reason: string | undefined

  /** Puts the fiber that is being forked at the root of the run's lines. */
  readonly atRoot = (refs: FiberRefs.FiberRefs, fiberId: FiberId.Runtime): FiberRefs.FiberRefs =>
    FiberRefs.updateAs(refs, { fiberId, fiberRef: current, value: this.run })

  begin(root: AnyFiber): void {
    this.run.fiber = root
  }

  strike(): void {
    strike(this.run)
  }

  forget(): void {
    this.run.fiber = undefined
    this.run.inner.clear()
  }

  /** See `Workflow.catchCancel`. */
  catch(effect: Erased, fallback: (reason: string) => Erased): Erased {
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiberRuntime<unknown, unknown, unknown>((parent) => {
        const outer = parent.getFiberRef(current)
        if (outer === undefined) return restore(effect)
        const own = region()
        const settle = (child: AnyFiber, exit: Exit.Exit<unknown, unknown>): Erased => {
          outer.inner.delete(own)
          return own.struck && Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)
            ? restore(Effect.suspend(() => fallback(this.reason ?? "")))
            : Effect.zipRight(Effect.inheritFiberRefs(child.getFiberRefs()), exit)
        }
        return Effect.flatMap(Effect.fork(Effect.locally(Effect.interruptible(effect), current, own)), (child) => {
          own.fiber = child
          outer.inner.add(own)
          return Effect.flatMap(
            Effect.exit(restore(child.await)),
            (awaited) =>
              Exit.isSuccess(awaited)
                ? settle(child, awaited.value)
                // The parent itself was interrupted: the child goes with it.
                : Effect.zipRight(
                  child.interruptAsFork(parent.id()),
                  Effect.flatMap(child.await, (exit) => settle(child, exit))
                )
          )
        })
      })
    )
  }
}

const strike = (at: Region): void => {
  if (at.inner.size > 0) {
    for (const inner of at.inner) strike(inner)
    return
  }
  at.struck = true
  at.fiber?.unsafeInterruptAsFork(FiberId.none)
}
