/**
 * One process of the simulation: it starts, dies, stands still, is shut down, and comes again, on a machine whose clock
 * is its own.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Scope from "effect/Scope"
import { Client, StoreClient, Worker } from "perdure"
import { Store } from "perdure/sqlite"
import { Life } from "../../src/testing/CrashingStore.js"
import type { VirtualTime } from "../../src/testing/VirtualTime.js"
import { endlessMillis, hosts } from "../proofs/Generated.js"
import type { Version } from "../proofs/Program.js"
import { CounterLive } from "./Counters.js"
import type { Dice } from "./Dice.js"
import type { Drift } from "./DriftingClock.js"
import { DriftingClock } from "./DriftingClock.js"
import type { Weather } from "./FaultyStore.js"
import * as FaultyStore from "./FaultyStore.js"
import type { Ledger } from "./Ledger.js"
import type { ProcessPlan } from "./Plan.js"
import { clockMillisMax } from "./Plan.js"
import { ShiftLive } from "./Schedules.js"
import { GatheringLive } from "./WithStarts.js"

/** What all processes of a simulation share. */
export interface World {
  readonly time: VirtualTime
  /** Never off. */
  readonly clock: Clock.Clock
  /** As it is, behind all faults. */
  readonly store: Store["Type"]
  readonly ledger: Ledger
  readonly weather: Weather
  /** Operations of the store that find nothing here. */
  readonly idle: ReadonlySet<string>
  /** The code that processes start with. */
  version: Version
  /** Called as an attempt begins. */
  readonly attemptBegins: (
    session: Session,
    info: { readonly runId: string; readonly activityId: string; readonly attempt: number }
  ) => Effect.Effect<void>
}

/** One life of a process. */
export interface Session {
  readonly name: string
  readonly life: Life
  readonly clock: Clock.Clock
  readonly scope: Scope.CloseableScope
  /** Workers that it registered, the latest last. */
  readonly workers: Array<string>
  client: Context.Tag.Service<typeof Client> | undefined
  leaving: boolean
}

export interface Open {
  readonly session: Session
  readonly client: Context.Tag.Service<typeof Client>
}

export class Process {
  readonly sessions: Array<Session> = []
  private readonly drift: Drift
  private cutOffUntil = 0

  constructor(readonly plan: ProcessPlan, private readonly world: World, private readonly dice: Dice) {
    this.drift = { offMillis: plan.skewMillis, speed: plan.speed }
  }

  /** The session that callers can use, if there is one. */
  get open(): Open | undefined {
    const session = this.sessions.at(-1)
    if (session === undefined || session.leaving || session.life.dead || session.client === undefined) return undefined
    return { session, client: session.client }
  }

  /** Starts, and starts again whenever it ended, until the world is over. */
  get run(): Effect.Effect<void> {
    return Effect.gen(this, function*() {
      for (;;) {
        const session = this.begin()
        yield* Effect.forkDaemon(this.start(session))
        yield* Deferred.await(session.life.died)
        const down = this.world.weather.rates === undefined ? 10 : this.dice.of([0, 20, 200, 3_000])
        yield* this.world.clock.sleep(millis(down))
      }
    })
  }

  jump(by: number): void {
    this.world.ledger.note(() => `${this.plan.name}: the clock jumps by ${by} ms`)
    this.drift.offMillis = Math.max(-clockMillisMax, Math.min(clockMillisMax, this.drift.offMillis + by))
  }

  partition(forMillis: number): void {
    this.world.ledger.note(() => `${this.plan.name}: cut off for ${forMillis} ms`)
    this.cutOffUntil = this.world.time.now + forMillis
  }

  freeze(forMillis: number): void {
    const session = this.sessions.at(-1)
    if (session === undefined || session.life.dead || session.life.frozen !== undefined) return
    this.world.ledger.note(() => `${session.name}: frozen for ${forMillis} ms`)
    session.life.freeze()
    Effect.runFork(
      Effect.zipRight(this.world.clock.sleep(millis(forMillis)), Effect.sync(() => this.thaw(session)))
    )
  }

  private thaw(session: Session): void {
    if (session.life.frozen === undefined || session.life.dead) return
    this.world.ledger.note(() => `${session.name}: goes on`)
    session.life.thaw()
  }

  crash(): void {
    const session = this.sessions.at(-1)
    if (session === undefined || session.life.dead) return
    this.world.ledger.note(() => `${session.name}: killed`)
    session.life.die()
  }

  /** Ends as a program does that is asked to. */
  restart(): void {
    const session = this.sessions.at(-1)
    if (session === undefined || session.leaving || session.life.dead) return
    this.world.ledger.note(() => `${session.name}: shuts down`)
    session.leaving = true
    Effect.runFork(
      Effect.withClock(
        Effect.ensuring(
          Scope.close(session.scope, Exit.void),
          Effect.sync(() => {
            this.world.ledger.note(() => `${session.name}: is gone`)
            session.life.die()
          })
        ),
        session.clock
      )
    )
  }

  /** Its clock is set right, too: for as long as two clocks differ by more than a lease, both take the other for gone. */
  heal(): void {
    this.cutOffUntil = 0
    this.drift.offMillis = 0
    this.drift.speed = 1
    const session = this.sessions.at(-1)
    if (session !== undefined) this.thaw(session)
  }

  private begin(): Session {
    const { time, ledger } = this.world
    const number = this.sessions.length + 1
    const name = `${this.plan.name}.${number}`
    const life = new Life(
      number,
      time,
      undefined,
      (operation) =>
        this.world.idle.has(operation)
          ? Effect.void
          : rounds(1 + (this.dice.next() < 0.3 ? this.dice.between(1, 3) : 0))
    )
    const clock = new DriftingClock(time, life.clock.clock, this.drift)
    const session: Session = {
      name,
      life,
      clock,
      scope: Effect.runSync(Scope.make()),
      workers: [],
      client: undefined,
      leaving: false
    }
    this.sessions.push(session)
    ledger.note(() => `${name}: starts`)
    return session
  }

  private start(session: Session): Effect.Effect<void> {
    const { ledger } = this.world
    const faulty = FaultyStore.around(this.registering(session), {
      name: session.name,
      life: session.life,
      clock: session.clock,
      dice: this.dice,
      weather: this.world.weather,
      ledger,
      isIdle: (operation) => this.world.idle.has(operation),
      cutOff: () => this.world.time.now < this.cutOffUntil,
      freeze: (millis) => this.freeze(millis)
    })
    const layer = this.layer(session).pipe(
      Layer.provide(Layer.succeed(Store, faulty)),
      Layer.provide(Logger.replace(Logger.defaultLogger, this.logger(session))),
      Layer.provide(Logger.minimumLogLevel(LogLevel.Info))
    )
    return Effect.matchCause(Effect.withClock(Layer.buildWithScope(layer, session.scope), session.clock), {
      onSuccess: (context) => {
        session.client = Context.get(context, Client)
        this.world.time.pulse()
      },
      onFailure: (cause) => {
        ledger.note(() => `${session.name}: does not start: ${Cause.pretty(cause).slice(0, 200)}`)
        session.life.die()
      }
    })
  }

  private layer(session: Session): Layer.Layer<Client, unknown, Store> {
    const { plan } = this
    if (plan.taskQueue === undefined) return StoreClient.layer
    return Worker.layer({
      taskQueue: plan.taskQueue,
      hosts: [
        CounterLive,
        GatheringLive,
        ShiftLive,
        ...hosts({
          work: ({ ends, millis: takes }, info) =>
            this.performing(
              session,
              Effect.zipRight(
                this.world.attemptBegins(session, info),
                ends === "never" ? Effect.sleep(endlessMillis) : takes === 0 ? Effect.void : Effect.sleep(takes)
              )
            ),
          step: (name) => this.performing(session, Effect.sync(() => ledgerStep(this.world, session, name)))
        }, this.world.version)
      ],
      lease: plan.leaseMillis,
      maxConcurrentActivities: plan.activities,
      maxCachedExecutions: plan.cached,
      shutdownGrace: 100
    })
  }

  /** What authors wrote does not run in a dead process, and stands still in one that does. */
  private performing(session: Session, effect: Effect.Effect<void>): Effect.Effect<void> {
    const { life } = session
    return Effect.zipRight(life.whileFrozen, Effect.suspend(() => life.dead ? life.silence : effect))
  }

  private registering(session: Session): Store["Type"] {
    const { store } = this.world
    return {
      ...store,
      register: (worker) => {
        if (!session.workers.includes(worker.id)) session.workers.push(worker.id)
        return store.register(worker)
      }
    }
  }

  /** What the engine says of itself: a defect in its log is a finding, whatever became of it. */
  private logger(session: Session): Logger.Logger<unknown, void> {
    const { ledger } = this.world
    return Logger.make(({ cause, logLevel, message }) => {
      ledger.note(() => `${session.name}: [${logLevel.label}] ${String(message).slice(0, 300)}`)
      const defects = [...Cause.defects(cause)]
      for (const defect of defects) ledger.find(`${session.name}: a defect: ${String(defect)}`)
      if (String(message).startsWith("a wake-up failed")) ledger.find(`${session.name}: ${String(message)}`)
    })
  }
}

const ledgerStep = ({ ledger }: World, session: Session, name: string): void =>
  ledger.note(() => `${session.name}: ${name} begins`)

const millis = Duration.millis

const rounds = (count: number): Effect.Effect<void> =>
  Effect.async((resume) => {
    let left = count
    const round = () => void (--left <= 0 ? resume(Effect.void) : setImmediate(round))
    setImmediate(round)
  })
