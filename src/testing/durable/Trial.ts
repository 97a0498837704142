/**
 * One trial: a chain of runs on the real engine in virtual time, and all that it starts, from the start to the end, in one
 * life or several.
 *
 * ```
 *   at rest ──▶ what could come next? ──▶ one of it, by the order ──▶ at rest ... ──▶ the end ──▶ audit
 *                 an attempt's answer                        ╳ the process is killed at an operation of its store:
 *                 the next message                             audit what it left, and go on in a new one
 *                 the next wake-up of the clock
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Activities from "../../core/family/Activity.js"
import * as Messages from "../../core/Message.js"
import * as Succession from "../../core/Succession.js"
import { Client } from "../../dsl/Client.js"
import * as Terms from "../../dsl/Terms.js"
import type * as Workflow from "../../dsl/Workflow.js"
import type { Run, Task } from "../../persistence/Store.js"
import { Store } from "../../persistence/Store.js"
import * as Successor from "../../runtime/execution/Successor.js"
import * as Flags from "../../runtime/interpreter/Flags.js"
import { Performing } from "../../runtime/Performing.js"
import { RunIds } from "../../runtime/RunIds.js"
import * as Worker from "../../runtime/Worker.js"
import type { CrashPoint } from "../CrashingStore.js"
import * as CrashingStore from "../CrashingStore.js"
import type { FreshStore } from "../FreshStore.js"
import { beginning, VirtualTime } from "../VirtualTime.js"
import type { Finding } from "./Finding.js"
import * as Findings from "./Finding.js"
import type { Cue, Order } from "./Order.js"
import type { Plan, Role } from "./Plan.js"
import * as Runs from "./Runs.js"
import * as Sending from "./Sending.js"
import type { Attempt, Sent } from "./Stage.js"
import { performing, Stage } from "./Stage.js"

/** The workflow under test, and its surroundings. @since 0.1.0 */
export interface Subject {
  readonly workflow: Workflow.Any
  /** Of an input. */
  readonly workflowId: (input: unknown) => string
  readonly roles: ReadonlyArray<Role>
  /** The bodies, which need nothing any more, in a world and a life of it, counted from 1. */
  readonly hosts: (world: unknown, life: number) => ReadonlyArray<Layer.Layer<never>>
  readonly world: () => unknown
  readonly store: FreshStore
  readonly stepsMax: number
  readonly chainMax: number
  /** Whether one that goes on beyond these bounds is taken as it then is. */
  readonly mayWait: boolean
  /** Whether a life goes on with other code than the one before it. */
  readonly deploys: boolean
}

/** Where a life ended. @since 0.1.0 */
export interface Death {
  /** The last run of the chain, and how many turns it had. */
  readonly runId: string
  readonly turn: number
  /** Runs that were closed. */
  readonly closed: ReadonlySet<string>
}

/** What became of a trial. @since 0.1.0 */
export interface Traced extends Runs.Runs {
  readonly sent: ReadonlyArray<Sent>
  readonly attempts: ReadonlyArray<Attempt>
  readonly world: unknown
  /** The store's operations of each life. */
  readonly operations: ReadonlyArray<ReadonlyArray<string>>
  /** Of each life but the last. */
  readonly deaths: ReadonlyArray<Death>
  /** It went on, and a bound ended it. */
  readonly isCut: boolean
  /** The plan in which attempts fail where in this trial they died with their process; undefined where none did. */
  readonly withLosses: Plan | undefined
  readonly findings: ReadonlyArray<Finding>
}

/**
 * Runs a trial.
 *
 * @since 0.1.0
 */
export const run = (
  subject: Subject,
  plan: Plan,
  order: Order,
  crashes: ReadonlyArray<CrashPoint>
): Effect.Effect<Traced> =>
  Effect.scoped(Effect.gen(function*() {
    const store = yield* subject.store
    const time = new VirtualTime()
    const stage = new Stage(plan, subject.roles)
    const world = subject.world()
    const sent = plan.messages.map((message): Sent => ({ message, state: "unsent" }))
    const operations: Array<ReadonlyArray<string>> = []
    const deaths: Array<Death> = []
    const findings: Array<Finding> = []
    const target = { workflow: subject.workflow, workflowId: subject.workflowId(plan.input) }
    const follower = new Runs.Follower()
    let runs: Runs.Runs = { chain: [], others: [] }
    let isCut = false
    yield* create(store, target, plan.input)
    for (let number = 1;; number++) {
      const life = new CrashingStore.Life(number, time, crashes[number - 1])
      operations.push(life.operations)
      const ended = yield* live({ subject, target, order, store, stage, sent, world, life, follower })
      if (typeof ended === "object") findings.push(ended)
      isCut = ended === "cut"
      const before = runs
      runs = yield* Runs.read(store)
      findings.push(
        ...Findings.ofHistories(Runs.all(before), Runs.all(runs)),
        ...(yield* Findings.ofStore(store, stage, sent, subject.workflow, runs))
      )
      if (ended !== "died" || findings.length > 0) break
      deaths.push(deathOf(runs))
      for (const each of Runs.all(runs)) settle(stage, each, yield* store.tasksOf(each.run.runId))
      const mail = yield* Findings.mailOf(store, runs.chain)
      Sending.resend(sent, subject.workflow, Findings.received(runs.chain, mail))
      for (const worker of yield* store.workers) yield* store.renew(worker.id, time.now - 1)
    }
    const withLosses = stage.losses.length === 0 ? undefined : stage.planWithLosses()
    return { ...runs, sent, attempts: stage.attempts, world, operations, deaths, isCut, withLosses, findings }
  })).pipe(Effect.orDie)

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const taskQueue = "durable"

interface Scene {
  readonly subject: Subject
  readonly target: Sending.Target
  readonly order: Order
  readonly store: Store["Type"]
  readonly stage: Stage
  readonly sent: ReadonlyArray<Sent>
  readonly world: unknown
  readonly life: CrashingStore.Life
  readonly follower: Runs.Follower
}

/** As a client starts it, with an id that is the same in every trial. */
const create = (store: Store["Type"], { workflow, workflowId }: Sending.Target, input: unknown) =>
  Effect.gen(function*() {
    const encoded = yield* workflow.codecs.payload.encode(input)
    const own = (workflow as Partial<{ readonly options: Terms.Options }>).options
    const start = Succession.first(
      {
        workflow: workflow.name,
        workflowId,
        taskQueue,
        ...Flags.stamp(),
        ...(encoded === undefined ? {} : { input: encoded })
      },
      yield* Terms.of({}, own),
      beginning
    )
    const runId = Runs.firstRunId
    yield* store.create(Successor.rowOf(runId, start, beginning), {
      runId,
      kind: "Start",
      body: Messages.encode(start)
    })
  })

const deathOf = (runs: Runs.Runs): Death => {
  const { run, turns } = Runs.last(runs)
  const closed = Runs.all(runs).filter(({ run }) => run.status !== "Running").map(({ run }) => run.runId)
  return { runId: run.runId, turn: turns.length, closed: new Set(closed) }
}

/** Lives until all runs are at their ends, or wait for what does not come; the process is dead, or something is wrong. */
const live = (scene: Scene): Effect.Effect<Finding | "died" | "ended" | "cut", unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const { follower, life, order, sent, stage, store, subject } = scene
    const goesOn = (after: string, option: string) => subject.mayWait ? "cut" as const : Findings.endless(after, option)
    const { time } = life
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) =>
      Effect.suspend(() => {
        stage.forgetAll()
        return CrashingStore.bury(life, scope)
      }))
    // A daemon: its process may die while it starts.
    let client: Client["Type"] | undefined
    const starting = yield* Effect.forkDaemon(
      Effect.map(Scope.extend(worker(scene), scope), (started) => void (client = started))
    )
    let rests = true
    for (let step = 0;; step++) {
      if (rests) yield* time.rest
      if (follower.isRunaway) return goesOn(`${subject.chainMax} runs of its chain`, "chainMax")
      if (life.dead) return "died"
      const started = starting.unsafePoll()
      if (started !== null && Exit.isFailure(started)) return yield* Effect.failCause(started.cause)
      const open = yield* store.runs({ status: "Running", limit: Runs.runsMax })
      for (const each of open) {
        const failed = Findings.turnFailed(each, subject.deploys)
        if (failed !== undefined) return failed
      }
      if (open.length === 0) {
        yield* time.rest
        return life.dead ? "died" : "ended"
      }
      const { isOpen, runs, turn } = yield* follower.look(store, open)
      if (runs > subject.chainMax) return goesOn(`${subject.chainMax} runs of its chain`, "chainMax")
      const cues: Array<Cue> = stage.waiting.map(({ key }) => ({ _tag: "Answer", key }))
      const unsent = sent.findIndex(({ state }) => state === "unsent")
      if (client !== undefined && isOpen && unsent >= 0) cues.push({ _tag: "Send", index: unsent })
      if (time.next !== undefined && (yield* waitsForTime(store, open))) cues.push({ _tag: "Tick" })
      if (cues.length === 0) {
        if (rests) return "ended"
        rests = true
        continue
      }
      if (step >= subject.stepsMax) {
        return goesOn(`${subject.stepsMax} steps (answers, messages, wake-ups)`, "stepsMax")
      }
      const chosen = order(cues, turn) ?? { cue: cues[0]!, rests: true }
      rests = chosen.rests
      perform(chosen.cue, scene, client, turn)
    }
  }))

/** Whether the clock can get any run further: a child may be what the run waits for. */
const waitsForTime = (store: Store["Type"], open: ReadonlyArray<Run>) =>
  open.some(({ wakeAt }) => wakeAt !== undefined)
    ? Effect.succeed(true)
    : Effect.exists(open, ({ runId }) => Effect.map(store.tasksOf(runId), (tasks) => tasks.length > 0))

/** A century: nobody takes a worker over that is not dead. */
const leaseMillis = 36_500 * 86_400_000

const worker = ({ follower, life, stage, store, subject, world }: Scene) => {
  const bodies = subject.hosts(world, life.number).map((layer) => stage.wrap(layer, life))
  const scripted = subject.roles.filter((role) => !role.hasBody).map(({ name }) => stage.scripted(name, life))
  const layer = Worker.layer({
    taskQueue,
    hosts: [...bodies, ...scripted],
    lease: leaseMillis,
    shutdownGrace: 0
  }).pipe(
    Layer.provide(CrashingStore.layer(life)),
    Layer.provide([
      Layer.succeed(Store, store),
      Layer.succeed(Performing, performing(life)),
      // One that is followed at once, and so on, never comes to rest.
      Layer.succeed(RunIds, (creator) => follower.next(creator, subject.chainMax * 2, () => life.die()))
    ])
  )
  return Effect.map(Effect.withClock(Layer.build(layer), life.clock.clock), Context.get(Client))
}

const perform = (cue: Cue, scene: Scene, client: Client["Type"] | undefined, turn: number): void => {
  const { life, sent, stage } = scene
  switch (cue._tag) {
    case "Answer":
      return stage.waiting.find(({ key }) => key === cue.key)?.cue()
    case "Tick":
      return void life.time.tick()
    case "Send": {
      const entry = sent[cue.index]!
      entry.state = "sent"
      entry.turn = turn
      const sending = Sending.send(client!, scene.store, scene.target, entry, cue.index)
      Effect.runFork(Effect.withClock(Effect.exit(sending), life.clock.clock))
    }
  }
}

/** Remembers whose outcome is committed, and must not run again, and which attempts nobody will hear of. */
const settle = (stage: Stage, { run: { runId }, turns }: Runs.Recorded, tasks: ReadonlyArray<Task>): void => {
  const calls = new Map<number, { readonly name: string; readonly key: string }>()
  for (const { events } of turns) {
    for (const event of events) {
      if (event._tag === "ActivityScheduled") {
        calls.set(event.seq, { name: event.name, key: Activities.idempotencyKey(runId, event) })
      } else if (
        event._tag === "ActivityCompleted" || event._tag === "ActivityFailed" || event._tag === "ActivityCanceled"
      ) stage.settled.add(calls.get(event.seq)!.key)
    }
  }
  for (const task of tasks) {
    const { key, name } = calls.get(task.seq)!
    if (task.state === "started") stage.lost(name, key, task.attempt)
  }
}
