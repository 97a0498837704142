/**
 * The slots of one kind of work in a worker (row N3): a number, or what a supplier says of it.
 *
 * What is in use is counted by whoever does the work, and handed in: the supplier hears of the difference, so that no way
 * out of that work can leave it with a slot that is never given back.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import type { SlotSupplier } from "./SlotSupplier.js"
import type { Timer, Timers } from "./Timers.js"

/** @since 0.1.0 */
export class Slots {
  /** As many as the supplier was told of. */
  private held = 0
  private warnedAt = -Infinity
  private timer: Timer | undefined

  constructor(
    private readonly kind: string,
    private readonly supplier: SlotSupplier | number,
    private readonly runtime: Runtime.Runtime<never>,
    private readonly timers: Timers,
    private readonly now: () => number
  ) {}

  /** How many more may begin, while so many are in use. */
  available(used: number): number {
    if (typeof this.supplier === "number") return Math.max(0, this.supplier - used)
    const said = this.ask("available", this.supplier.available)
    return said === undefined || !(said >= 1) ? 0 : Math.trunc(said)
  }

  /** So many are in use now. */
  uses(used: number): void {
    if (typeof this.supplier === "number") return
    for (; this.held < used; this.held++) this.ask("reserve", this.supplier.reserve)
    for (; this.held > used; this.held--) this.ask("release", this.supplier.release)
  }

  /** Work waits: calls back when it is worth asking again. Of a number, the work that ends says so itself. */
  whenAvailable(more: () => void): void {
    if (typeof this.supplier === "number" || this.timer !== undefined) return
    this.timer = this.timers.schedule(this.now() + againMillis, () => {
      this.timer = undefined
      more()
    })
  }

  private ask<A>(what: string, effect: Effect.Effect<A, unknown>): A | undefined {
    const exit = Runtime.runSyncExit(this.runtime)(effect)
    if (Exit.isSuccess(exit)) return exit.value
    if (this.now() - this.warnedAt >= warnMillis) {
      this.warnedAt = this.now()
      const said = `the supplier of slots for ${this.kind} failed at ${what}: nothing begins until it answers`
      Runtime.runFork(this.runtime)(Effect.logWarning(said, exit.cause))
    }
    return undefined
  }
}

const againMillis = 100
const warnMillis = 10_000
