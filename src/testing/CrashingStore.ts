/**
 * A store through which a process may die: at its n-th operation, before it took effect, or after it did and before the
 * answer came. From then on nothing that this process does reaches the store, and nothing answers it: as after a SIGKILL,
 * no finalizer, no rollback, no goodbye.
 *
 * ```
 *   operation 1 ─ operation 2 ─ ... ─ operation n ─╳      before: the store knows nothing of n
 *                                                ─ ─╳     after: the store has done n, nobody here knows
 * ```
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { StoreError } from "../persistence/Store.js"
import { Store } from "../persistence/Store.js"
import type { VirtualTime } from "./VirtualTime.js"

/** Where a process dies, or is frozen: taken for dead, until it thaws and goes on as if nothing had been. */
export interface CrashPoint {
  /** Counts operations from 1. */
  readonly operation: number
  readonly when: "before" | "after"
  readonly freezes?: boolean
}

/** What changes nothing: it is the same before and after. */
const reads: ReadonlySet<string> = new Set([
  "findRun",
  "findLatest",
  "history",
  "lastTurn",
  "mail",
  "mailOf",
  "tasksOf",
  "openChildren",
  "size",
  "runs",
  "dueRuns",
  "nextWake",
  "nextTask",
  "findSchedule",
  "listSchedules",
  "nextSchedule",
  "endsOfChains",
  "workers"
])

/** One process, as far as its store and its clock can tell. */
export class Life {
  dead = false
  /** The names of its operations, in order. */
  readonly operations: Array<string> = []
  readonly died = Deferred.unsafeMake<void>(FiberId.none)
  readonly clock
  /** Set while it is frozen: opens when it thaws. */
  frozen: Deferred.Deferred<void> | undefined
  private readonly hanging = new Set<() => void>()
  private buried = false
  private working = 0

  constructor(
    readonly number: number,
    readonly time: VirtualTime,
    private readonly crash?: CrashPoint,
    /** Holds an operation up. */
    private readonly delay: (operation: string) => Effect.Effect<void> = () => Effect.void
  ) {
    this.clock = time.clock()
  }

  /** All places where a life of these operations may die. */
  static crashPoints(operations: ReadonlyArray<string>): ReadonlyArray<CrashPoint> {
    return operations.flatMap((name, index): ReadonlyArray<CrashPoint> =>
      reads.has(name)
        ? [{ operation: index + 1, when: "before" }]
        : [{ operation: index + 1, when: "before" }, { operation: index + 1, when: "after" }]
    )
  }

  /**
   * The places that can make a difference: of reads that follow each other only the first. A crash before a later one
   * leaves the same store as a crash before the first, or has the outside as a crash before the next write has it.
   */
  static distinctCrashPoints(operations: ReadonlyArray<string>): ReadonlyArray<CrashPoint> {
    const isRead = (index: number) => reads.has(operations[index] ?? "")
    return Life.crashPoints(operations).filter(({ operation }) => !isRead(operation - 1) || !isRead(operation - 2))
  }

  /** Counts what its authors' code has under way: that goes on by itself, until it is done or the process is dead. */
  work(change: 1 | -1): void {
    if (this.dead) return
    this.working += change
    if (change === 1) this.time.begin()
    else this.time.end()
  }

  die(): void {
    for (; this.working > 0; this.working--) this.time.end()
    this.dead = true
    this.clock.forget()
    Deferred.unsafeDone(this.died, Exit.void)
    this.time.pulse()
  }

  /** From now on it is taken for dead: neither its operations nor its clock go on until it thaws. */
  freeze(): void {
    if (this.dead || this.frozen !== undefined) return
    this.frozen = Deferred.unsafeMake<void>(FiberId.none)
    this.clock.forget()
    this.time.pulse()
  }

  /** Goes on, and knows nothing of what happened meanwhile. */
  thaw(): void {
    const { frozen } = this
    if (frozen === undefined) return
    this.frozen = undefined
    this.clock.remember()
    Deferred.unsafeDone(frozen, Exit.void)
  }

  private strike(): void {
    if (this.crash?.freezes === true) this.freeze()
    else this.die()
  }

  /** Passes at once, unless it is frozen. */
  readonly whileFrozen: Effect.Effect<void> = Effect.suspend(() =>
    this.frozen === undefined ? Effect.void : Effect.flatMap(Deferred.await(this.frozen), () => this.whileFrozen)
  )

  /** Interrupts what still waits for an answer: the test is over, and nothing of it shall stay in memory. */
  bury(): void {
    if (!this.dead) this.die()
    this.thaw()
    this.buried = true
    this.clock.bury()
    for (const interrupt of this.hanging) interrupt()
    this.hanging.clear()
  }

  /** One operation of this process. */
  perform<A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.zipRight(
      this.whileFrozen,
      Effect.suspend(() => {
        if (this.dead) return this.silence
        const number = this.operations.push(name)
        const strikes = (when: CrashPoint["when"]) => this.crash?.operation === number && this.crash.when === when
        if (strikes("before")) this.strike()
        const begun = Effect.zipRight(
          this.whileFrozen,
          Effect.suspend(() => this.dead ? this.silence : this.take(name, effect))
        )
        return Effect.flatMap(begun, (exit) => {
          if (strikes("after")) this.strike()
          return Effect.zipRight(this.whileFrozen, Effect.suspend(() => this.dead ? this.silence : exit))
        })
      })
    )
  }

  private take<A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, never, R> {
    this.time.begin()
    const performed = Effect.ensuring(Effect.zipRight(this.delay(name), effect), Effect.sync(() => this.time.end()))
    return Effect.exit(performed)
  }

  /** What the dead hear. */
  readonly silence: Effect.Effect<never> = Effect.async<never>((resume) => {
    const interrupt = () => resume(Effect.interrupt)
    if (this.buried) return interrupt()
    this.hanging.add(interrupt)
  })
}

/** Takes a life's remains out of memory; nothing of that reaches the store. */
export const bury = (life: Life, scope: Scope.CloseableScope): Effect.Effect<void> =>
  Effect.suspend(() => {
    life.bury()
    return Effect.zipRight(life.time.rest, Effect.asVoid(Effect.exit(Scope.close(scope, Exit.void))))
  })

type Members = Record<string, unknown>

/** The store of a life, over the real one. */
export const layer = (life: Life): Layer.Layer<Store, never, Store> =>
  Layer.effect(Store, Effect.map(Store, (store) => around(store, life)))

/** @since 0.1.0 */
export const around = (store: Store["Type"], life: Life): Store["Type"] =>
  through(store, {
    perform: (name, effect) => life.perform(name, effect),
    heard: (listener) => life.dead ? undefined : listener()
  })

/** What a store goes through on its way to its users. */
export interface Way {
  /** One operation, by the name of its member. */
  readonly perform: <A, E>(name: string, effect: Effect.Effect<A, E>) => Effect.Effect<A, E | StoreError>
  /** Something was announced to one who listens for changes. */
  readonly heard: (listener: () => void) => void
}

/** A store each of whose operations takes a way. */
export const through = (store: Store["Type"], way: Way): Store["Type"] => {
  const members = Object.entries(store as unknown as Members).map(([name, member]) => {
    if (name === "changes") {
      const listen: Store["Type"]["changes"] = (listener) => store.changes(() => way.heard(listener))
      return [name, listen]
    }
    if (Effect.isEffect(member)) return [name, way.perform(name, member as Effect.Effect<unknown, unknown>)]
    if (typeof member !== "function") return [name, member]
    const call = member as (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>
    return [name, (...args: ReadonlyArray<unknown>) => way.perform(name, Effect.suspend(() => call(...args)))]
  })
  return Object.fromEntries(members) as Store["Type"]
}
