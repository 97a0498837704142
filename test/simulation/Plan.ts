/**
 * What a seed decides, as data: who runs, what is asked of them, and what the world does to them.
 *
 * ```
 *   0 ── chaos: faults, crashes, partitions, clocks that jump ── chaosMillis ── healed: everything must come to its end
 * ```
 */
import * as FastCheck from "effect/FastCheck"
import type { Scenario } from "../proofs/Program.js"
import * as Programs from "../proofs/Program.js"
import type { CounterPlan } from "./Counters.js"
import * as Counters from "./Counters.js"
import { Dice } from "./Dice.js"
import type { ResetPlan } from "./Resets.js"
import * as Resets from "./Resets.js"
import type { SchedulePlan } from "./Schedules.js"
import * as Schedules from "./Schedules.js"
import type { GatheringPlan } from "./WithStarts.js"
import * as WithStarts from "./WithStarts.js"

/** What there is, and what the world can do. Each can be switched off, to find out which of them a failure needs. */
export const kinds = [
  /** Programs have children, and send messages to other executions. Without them, they are other programs. */
  "kin",
  /** Programs go on in new runs, and runs that fail are tried again. Likewise. */
  "chains",
  /** The code is changed where runs are open, and patches say so. Likewise. */
  "patches",
  /** There are entities, too. */
  "entities",
  /** Messages start the runs that they are for. */
  "with starts",
  /** Executions are taken anew from one of their turns on. */
  "resets",
  /** There are schedules, too. */
  "schedules",
  /** An operation takes virtual time, before the store does it or before its answer comes. */
  "delay",
  /** It fails, and the store did nothing. */
  "fails before",
  /** The store did it, and its answer is lost: the caller sees a failure. */
  "fails after",
  /** As either of these, after a long silence. */
  "silence",
  /** The process dies before it, or after it and before its answer. */
  "crash",
  /** The process stands still, is taken for dead, and goes on. */
  "freeze",
  /** For a while, nothing that a process asks reaches the store. */
  "partition",
  /** What is announced comes late. */
  "late news",
  /** A process's clock jumps, forward and back. */
  "jump",
  /** The clocks of processes do not agree, and run at different speeds. */
  "drift",
  /** A process ends as it should, and another one comes. */
  "restart",
  /** Executions are terminated. */
  "terminate",
  /** All processes are stopped at once, and come again with other code. */
  "deploy"
] as const
export type Kind = typeof kinds[number]

/** One process: a worker, or one that only calls. */
export interface ProcessPlan {
  readonly name: string
  /** Undefined: it hosts nothing. */
  readonly taskQueue: string | undefined
  readonly leaseMillis: number
  readonly activities: number
  readonly cached: number
  readonly skewMillis: number
  readonly speed: number
}

export interface ExecutionPlan {
  readonly workflowId: string
  readonly scenario: Scenario
  readonly taskQueue: string
  readonly startAt: number
  /** Terminated then, if it still runs. */
  readonly terminateAt: number | undefined
  readonly queriesAt: ReadonlyArray<number>
  readonly resets: ReadonlyArray<ResetPlan>
}

/** What happens to a process at a time, in milliseconds from the beginning. */
export type Incident =
  | { readonly at: number; readonly process: number; readonly kind: "jump"; readonly millis: number }
  | { readonly at: number; readonly process: number; readonly kind: "partition"; readonly millis: number }
  | { readonly at: number; readonly process: number; readonly kind: "freeze"; readonly millis: number }
  | { readonly at: number; readonly process: number; readonly kind: "crash" }
  | { readonly at: number; readonly process: number; readonly kind: "restart" }

/** How likely each is for an operation of the store. */
export type Rates = Readonly<
  Record<Extract<Kind, "delay" | "fails before" | "fails after" | "silence" | "crash" | "freeze">, number>
>

export interface Plan {
  readonly seed: number
  readonly chaosMillis: number
  readonly processes: ReadonlyArray<ProcessPlan>
  readonly executions: ReadonlyArray<ExecutionPlan>
  readonly counters: ReadonlyArray<CounterPlan>
  readonly gatherings: ReadonlyArray<GatheringPlan>
  readonly schedules: ReadonlyArray<SchedulePlan>
  readonly incidents: ReadonlyArray<Incident>
  readonly rates: Rates
  readonly lateNews: boolean
  /** The code that all processes have; and what they have from some time on. */
  readonly code: Programs.Deployment & { readonly at: number | undefined }
}

/** What of a seed's plan is left out. */
export interface Less {
  readonly without: ReadonlyArray<Kind>
  /** Places of the executions that stay; undefined: all. */
  readonly executions: ReadonlyArray<number> | undefined
}

export const whole: Less = { without: [], executions: undefined }

/** Bounds that say how long a healed world takes to recover. */
export const leaseMillisMax = 2_000
export const clockMillisMax = 2_500
export const silenceMillisMax = 2_500

/**
 * By then everything that was broken has been taken over: the longest lease, as far ahead as a clock may have been when
 * it was written, the longest silence, and something for the rest.
 */
export const recoveryMillis = leaseMillisMax + clockMillisMax + silenceMillisMax + 1_000

/** Longer than any simulation: a timeout that is not to strike does not, however long the store takes. */
const slackMillis = 1_000_000

const size: Programs.Size = { depth: 2, items: 2, messages: 2 }
const scenariosOf = (family: Programs.Family) =>
  FastCheck.oneof(
    { arbitrary: Programs.scenario({ ...size, ...family }), weight: 5 },
    { arbitrary: Programs.canceledEarly({ ...size, ...family }), weight: 1 }
  )
/** Made once: that takes longer than to draw from it. */
const families = new Map<string, ReturnType<typeof scenariosOf>>()

const drawnOf = (family: Programs.Family, seed: number): ReadonlyArray<Scenario> => {
  const name = JSON.stringify(family)
  const known = families.get(name) ?? scenariosOf(family)
  families.set(name, known)
  return FastCheck.sample(known, { seed, numRuns: 16 })
}

/** Short enough for a test of thousands: what would take more minutes of virtual time is drawn again. */
const lateMillisMax = 3_000

export const draw = (seed: number, less: Less = whole): Plan => {
  const dice = new Dice(seed, "plan")
  const has = (kind: Kind) => !less.without.includes(kind)
  const chaosMillis = dice.between(200, 3_000)
  const workers = dice.between(1, 4)
  const queues = Array.from({ length: dice.between(1, Math.min(2, workers)) }, (_, index) => `queue ${index + 1}`)
  const drift = dice.stream("drift")
  const resets = has("resets") && dice.stream("resets").chance(0.3) ? dice.stream("resets of") : undefined
  const family: Programs.Family = {
    // What a run and its children say to each other is not made for one that begins again.
    kin: has("kin") && dice.stream("kin").chance(0.7) && resets === undefined,
    ...(has("chains") && dice.stream("chains").chance(0.5) ? { chains: true } : {}),
    ...(has("patches") && dice.stream("patches").chance(0.4) ? { patches: true } : {})
  }
  const deploys = dice.stream("deploy")
  const executions = executionsOf(
    dice.stream("executions"),
    drawnOf(family, seed),
    queues,
    chaosMillis,
    has("terminate")
  ).map((execution): ExecutionPlan => {
    // One that was ended takes no messages: taken anew, it might wait for those that came too late.
    const isEnded = execution.terminateAt !== undefined || execution.scenario.early !== null
    const drawn = resets === undefined || isEnded
      ? []
      : Resets.draw(resets.stream(execution.workflowId), chaosMillis)
    return { ...execution, resets: drawn }
  })
  // An endless activity keeps its slot: with few of them, others would rightly never get one.
  const crowded = executions.some(({ scenario }) => JSON.stringify(scenario).includes("activity\""))
  const process = (name: string, taskQueue: string | undefined): ProcessPlan => ({
    name,
    taskQueue,
    leaseMillis: dice.of([1_000, 1_000, leaseMillisMax]),
    activities: crowded ? 100 : dice.of([1, 2, 100]),
    cached: dice.of([0, 1, 2, 1_000]),
    skewMillis: has("drift") ? drift.of([0, 0, drift.between(-300, 300), drift.between(-2_000, 2_000)]) : 0,
    speed: has("drift") ? drift.of([1, 1, 1.02, 0.97]) : 1
  })
  const processes = Array.from(
    { length: workers },
    (_, index) => process(`worker ${index + 1}`, queues[index % queues.length]!)
  )
  if (dice.chance(0.3)) processes.push(process("caller", undefined))
  return {
    seed,
    chaosMillis,
    processes,
    executions: less.executions === undefined ? executions : less.executions.map((place) => executions[place]!),
    counters: has("entities") && dice.stream("entities").chance(0.3)
      ? Counters.draw(dice.stream("counters"), queues, chaosMillis)
      : [],
    gatherings: has("with starts") && dice.stream("with starts").chance(0.25)
      ? WithStarts.draw(dice.stream("gatherings"), queues, chaosMillis)
      : [],
    schedules: has("schedules") && dice.stream("schedules").chance(0.2)
      ? Schedules.draw(dice.stream("schedules of"), queues, chaosMillis)
      : [],
    incidents: incidentsOf(dice.stream("incidents"), processes.length, chaosMillis).filter(({ kind }) => has(kind)),
    rates: ratesOf(dice.stream("rates"), has),
    lateNews: dice.chance(0.5) && has("late news"),
    code: {
      // Mostly the one that meets runs of code that knew nothing of it.
      ...(deploys.chance(0.5) ? deploys.of(Programs.deployments) : ({ first: "before", next: "patched" } as const)),
      at: family.patches === true && has("deploy") ? deploys.between(0, chaosMillis) : undefined
    }
  }
}

/** Whether there is anything of a kind that not all worlds have. */
export const has = ({ counters, executions, gatherings, schedules }: Plan, kind: string): boolean => {
  switch (kind) {
    case "with starts":
      return gatherings.length > 0
    case "schedules":
      return schedules.length > 0
    case "resets":
      return executions.some(({ resets }) => resets.length > 0)
    default:
      return kind === "entities" && counters.length > 0
  }
}

const executionsOf = (
  dice: Dice,
  drawn: ReadonlyArray<Scenario>,
  queues: ReadonlyArray<string>,
  chaosMillis: number,
  terminates: boolean
): ReadonlyArray<Omit<ExecutionPlan, "resets">> =>
  drawn
    .filter((scenario) => Programs.lateMillis(scenario) <= lateMillisMax)
    .slice(0, dice.between(2, dice.chance(0.2) ? 8 : 4))
    .map((drawn, index) => {
      const scenario = {
        ...drawn,
        program: Programs.unhurried(drawn.program, slackMillis),
        ...(queues.length > 1 ? { queues } : {})
      }
      const terminated = dice.chance(0.1)
      const terminateAt = dice.between(0, chaosMillis)
      return {
        workflowId: `execution ${index + 1}`,
        scenario,
        taskQueue: dice.of(queues),
        startAt: dice.chance(0.6) ? 0 : dice.between(0, chaosMillis),
        terminateAt: terminated && terminates ? terminateAt : undefined,
        queriesAt: Array.from({ length: dice.between(0, 2) }, () => dice.between(0, chaosMillis))
      }
    })

const incidentsOf = (dice: Dice, processes: number, chaosMillis: number): ReadonlyArray<Incident> =>
  Array.from({ length: dice.of([0, 1, 2, 4]) }, (): Incident => {
    const at = dice.between(0, chaosMillis)
    const process = dice.between(0, processes - 1)
    const millis = dice.between(100, 3_000)
    const sign = dice.of([1, 1, -1])
    const kind = dice.of<Incident["kind"]>(["jump", "partition", "freeze", "crash", "restart"])
    switch (kind) {
      case "jump":
        return { at, process, kind, millis: sign * millis }
      case "partition":
      case "freeze":
        return { at, process, kind, millis }
      default:
        return { at, process, kind }
    }
  }).sort((a, b) => a.at - b.at)

const ratesOf = (dice: Dice, has: (kind: Kind) => boolean): Rates => {
  const rate = (kind: Kind, ...choices: ReadonlyArray<number>) => {
    const drawn = dice.of(choices)
    return has(kind) ? drawn : 0
  }
  return {
    delay: rate("delay", 0, 0.02, 0.1, 0.3),
    "fails before": rate("fails before", 0, 0, 0.01, 0.05),
    "fails after": rate("fails after", 0, 0, 0.01, 0.05),
    silence: rate("silence", 0, 0, 0.002, 0.01),
    crash: rate("crash", 0, 0, 0.002, 0.01),
    freeze: rate("freeze", 0, 0, 0.001, 0.004)
  }
}
