/**
 * Entities in the simulation: counters that callers add to, each of them over many runs, and what must hold of them: each
 * command that was acknowledged counts once, every other one at most once, whichever runs were between (P1, U7, S3).
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Client, Entity, Workflow } from "perdure"
import type { Event } from "../../src/core/Event.js"
import { plain, Work } from "../proofs/Generated.js"
import * as Kin from "../proofs/Kin.js"
import type { Dice } from "./Dice.js"

const State = Schema.Struct({ sum: Schema.Number, seen: Schema.Array(Schema.String) })
type State = typeof State.Type

const Command = Schema.Struct({ id: Schema.String, by: Schema.Number })
type Command = typeof Command.Type

export const Counter = Entity.make("Counter", {
  state: State,
  initial: () => ({ sum: 0, seen: [] }),
  signals: { add: { payload: Command }, stop: {} },
  queries: { sum: { success: Schema.Number } },
  // Takes an activity's time: a rollover waits for it.
  updates: { work: { payload: Command, success: Schema.Number } },
  rolloverEvents: 10,
  passivateAfter: 300
})

export const CounterLive = Counter.toLayer(({ state }) =>
  Effect.sync(() => {
    let stopped = false
    const take = ({ by, id }: Command) =>
      state.updateAndGet(({ seen, sum }) => ({ sum: sum + by, seen: [...seen, id] }))
    return Counter.of({
      signals: { add: (command) => Effect.asVoid(take(command)), stop: () => Effect.sync(() => void (stopped = true)) },
      queries: { sum: () => Effect.map(state.get, ({ sum }) => sum) },
      updates: {
        work: (command) =>
          Effect.zipRight(
            Effect.ignore(Work.execute(plain(command.id))),
            Effect.map(take(command), ({ sum }) => sum)
          )
      },
      run: Workflow.condition(() => stopped)
    })
  })
) as unknown as Layer.Layer<never>

export interface CounterPlan {
  readonly key: string
  readonly taskQueue: string
  readonly commands: ReadonlyArray<{ readonly at: number; readonly kind: "signal" | "update"; readonly by: number }>
  readonly queriesAt: ReadonlyArray<number>
}

export const draw = (dice: Dice, queues: ReadonlyArray<string>, chaosMillis: number): ReadonlyArray<CounterPlan> =>
  Array.from({ length: dice.between(1, 2) }, (_, index) => ({
    key: `${index + 1}`,
    taskQueue: dice.of(queues),
    commands: Array.from({ length: dice.between(3, 12) }, () => ({
      at: dice.between(0, chaosMillis),
      kind: dice.of(["signal", "signal", "update"] as const),
      by: dice.between(1, 9)
    })),
    queriesAt: Array.from({ length: dice.between(0, 2) }, () => dice.between(0, chaosMillis))
  }))

export const workflowId = (key: string): string => `Counter:${key}`

/** The entity of a key, as a process reaches it. */
export const at = (client: Context.Tag.Service<typeof Client>, { key, taskQueue }: CounterPlan) =>
  Effect.provideService(Counter.at(key, { taskQueue }), Client, client)

/** What the outside knows of a counter. */
export class CounterAccount {
  /** Of the life that all commands came to. */
  runId: string | undefined
  readonly sends: Array<Command & { told: "nothing" | "acknowledged" }> = []
  /** The sums that updates were answered with. */
  readonly answers: Array<number> = []
  state: State | undefined
}

/** Judges one counter; gives the number of its rollovers, too. */
export const judge = (
  { key }: CounterPlan,
  { answers, runId, sends, state }: CounterAccount,
  all: ReadonlyArray<Kin.Told>
): { readonly found: ReadonlyArray<string>; readonly rollovers: number } => {
  if (runId === undefined || state === undefined) return { found: ["nobody was told its end"], rollovers: 0 }
  const found: Array<string> = []
  const runs = all.filter(({ run }) => run.firstRunId === runId)
  const ended = Kin.chainOf(all, runId).flatMap(({ events }) => events).find(({ _tag }) =>
    _tag === "ExecutionCompleted"
  )
  const recorded = ended?._tag === "ExecutionCompleted" ? ended.result : undefined
  if (JSON.stringify(recorded) !== JSON.stringify(state)) found.push(`ended with ${JSON.stringify(recorded)}`)
  // Lives that later messages began, and that nobody waited for.
  const others = all.filter(({ run }) => run.workflowId === workflowId(key) && run.firstRunId !== runId)
    .flatMap(({ turns }) => turns.flatMap(({ events }) => events.flatMap(commandOf)))
  let sum = 0
  for (const { by, id, told } of sends) {
    const count = state.seen.filter((each) => each === id).length
    const elsewhere = others.filter((each) => each === id).length
    sum += count * by
    if (told === "acknowledged" && count !== 1) found.push(`command ${id} was acknowledged, and counts ${count} times`)
    if (count + elsewhere > 1) found.push(`command ${id} is there ${count + elsewhere} times`)
  }
  if (sum !== state.sum) found.push(`has ${state.sum}, and its commands make ${sum}`)
  if (new Set(answers).size < answers.length || answers.some((answer) => answer > state.sum)) {
    found.push(`answered ${answers.join(", ")}, and has ${state.sum}`)
  }
  for (const { run, turns } of runs) {
    const started = turns[0]?.events[0]
    const { snapshot } = (started?._tag === "ExecutionStarted" ? started.input : {}) as {
      readonly snapshot?: { state: State }
    }
    const before = snapshot?.state.seen ?? []
    if (before.some((id, index) => state.seen[index] !== id)) found.push(`run ${run.runId} began with another state`)
  }
  return { found: found.map((words) => `${workflowId(key)}: ${words}`), rollovers: runs.length - 1 }
}

const commandOf = (event: Event): ReadonlyArray<string> =>
  event._tag === "SignalReceived" && event.name === "add" || event._tag === "UpdateAccepted"
    ? [(event.input as Command).id]
    : []
