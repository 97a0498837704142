/**
 * Knows every fiber of one body, daemons and handlers included: to count them, to forget them on eviction, and to hear
 * when one that waits is interrupted.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import type * as Option from "effect/Option"
import * as Supervisor from "effect/Supervisor"
import { roots } from "./EffectInternals.js"

/** @since 0.1.0 */
export class FiberTracker extends Supervisor.AbstractSupervisor<void> {
  readonly alive = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
  override readonly value: Effect.Effect<void> = Effect.void
  /** What to do when a suspended fiber is resumed by anything but what it waits for. */
  private readonly interruptions = new Map<Fiber.RuntimeFiber<unknown, unknown>, () => void>()

  override onStart<A, E, R>(
    _context: Context.Context<R>,
    _effect: Effect.Effect<A, E, R>,
    _parent: Option.Option<Fiber.RuntimeFiber<unknown, unknown>>,
    fiber: Fiber.RuntimeFiber<A, E>
  ): void {
    this.alive.add(fiber as Fiber.RuntimeFiber<unknown, unknown>)
  }

  override onEnd<A, E>(_exit: Exit.Exit<A, E>, fiber: Fiber.RuntimeFiber<A, E>): void {
    this.alive.delete(fiber as Fiber.RuntimeFiber<unknown, unknown>)
  }

  /**
   * Suspends the fiber that runs. Until what it waits for resumes it, only an interruption can: then `interrupted` runs,
   * before any finalizer. Effect's own way to hear of that costs as much as all the rest of a step.
   */
  suspend<A>(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    register: (resume: (effect: Effect.Effect<A>) => void) => void,
    interrupted: () => void,
    blockingOn: FiberId.FiberId
  ): Effect.Effect<A> {
    return Effect.async<A>((resume) => {
      this.interruptions.set(fiber, interrupted)
      register((effect) => {
        this.interruptions.delete(fiber)
        resume(effect)
      })
    }, blockingOn)
  }

  override onResume<A, E>(fiber: Fiber.RuntimeFiber<A, E>): void {
    const interrupted = this.interruptions.get(fiber as Fiber.RuntimeFiber<unknown, unknown>)
    if (interrupted === undefined) return
    this.interruptions.delete(fiber as Fiber.RuntimeFiber<unknown, unknown>)
    interrupted()
  }

  /** Takes all fibers out of what keeps them alive, without running anything of them. */
  forget(): void {
    for (const fiber of this.alive) roots.delete(fiber)
    this.alive.clear()
    this.interruptions.clear()
  }
}
