/**
 * The scheduler of one body: a plain queue, drained until quiet within a turn.
 *
 * It ignores priorities and never yields by itself, so that the order of fibers depends on the program alone. It counts
 * operations instead: a body that does not come to rest is cut.
 *
 * @since 0.1.0
 */
import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"
import { Limits } from "../../core/Limits.js"
import { RunawayTurn } from "./TurnFailure.js"

/**
 * @category models
 * @since 0.1.0
 */
export class TurnScheduler implements Scheduler.Scheduler {
  /** Whether a turn of this body is on. */
  inTurn = false
  private queue: Array<() => void> = []
  private operationsLeft = 0

  constructor(
    /** Called when something outside of any turn wakes a fiber of the body: an outcome that no event records. */
    private readonly onLate: (fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined) => void,
    private readonly operationsMax: number = Limits.turnOperationsMax
  ) {}

  scheduleTask(task: () => void, _priority: number, fiber?: Fiber.RuntimeFiber<unknown, unknown>): void {
    if (this.inTurn) this.queue.push(task)
    else this.onLate(fiber)
  }

  /** What it throws leaves the fiber's run loop through the task: no handler and no finalizer of the body sees it. */
  shouldYield(fiber: Fiber.RuntimeFiber<unknown, unknown>): false {
    if (--this.operationsLeft < 0) {
      const span = (fiber as { readonly currentSpan?: { readonly name?: string } }).currentSpan
      throw new RunawayTurn({ bound: "operations", limit: this.operationsMax, place: span?.name })
    }
    return false
  }

  begin(): void {
    this.inTurn = true
    this.operationsLeft = this.operationsMax
  }

  /** Runs what is queued, and what that queues, until nothing is left. */
  drain(): void {
    const { queue } = this
    if (queue.length === 0) return
    for (let next = 0; next < queue.length; next++) {
      queue[next]!()
      // A long turn must not hold every fiber that it ever ran.
      if (next === tasksKept) {
        queue.splice(0, next + 1)
        next = -1
      }
    }
    this.queue = []
  }

  /** Lets no fiber run any further: the next operation throws. */
  stop(): void {
    this.operationsLeft = 0
  }

  end(): void {
    this.inTurn = false
    if (this.queue.length > 0) this.queue = []
  }
}

const tasksKept = 4_095
