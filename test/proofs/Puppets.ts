/**
 * A run whose every message is delivered by the proof, in an order that is written down: an activity or step ends when
 * its string is pulled, and not before; time passes when the proof says so. What is free is how the messages are
 * batched: one by one, or several before the engine comes to commit the first. What its children and it tell each other
 * comes by their own commits: a cue that has them do so is the last one of its batch.
 *
 * ```
 *   rehearse: at rest ──▶ choose one of what can be delivered ──▶ deliver ──▶ at rest ...     gives the score
 *   perform:  the score, several at a time, on another cache, a slower store
 * ```
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Client } from "perdure"
import { Store } from "perdure/sqlite"
import type { Turn } from "../../src/core/Event.js"
import * as Timers from "../../src/core/family/Timer.js"
import * as Messages from "../../src/core/Message.js"
import * as RetryPolicy from "../../src/core/RetryPolicy.js"
import * as RunStates from "../../src/core/RunState.js"
import { RunIds } from "../../src/runtime/RunIds.js"
import * as CrashingStore from "../../src/testing/CrashingStore.js"
import { Life } from "../../src/testing/CrashingStore.js"
import { beginning, VirtualTime } from "../../src/testing/VirtualTime.js"
import type { World } from "./Generated.js"
import { endlessMillis, Generated } from "./Generated.js"
import * as Kin from "./Kin.js"
import * as Playing from "./Playing.js"
import type { Scenario } from "./Program.js"
import * as Programs from "./Program.js"

/** One thing that reaches the run. */
export type Cue =
  /** An attempt ends: by its plan, or interrupted. */
  | { readonly _tag: "Pull"; readonly name: string; readonly how: "ends" | "gives up" }
  | { readonly _tag: "Message"; readonly key: number }
  | { readonly _tag: "Cancel" }
  /** The next timer of a run is due: time goes on to there. */
  | { readonly _tag: "Timer"; readonly at: number }

/** What was delivered, one after the other. */
export type Score = ReadonlyArray<Noted>

interface Noted {
  readonly cue: Cue
  /** Runs told each other something because of it. */
  readonly ripples: boolean
}

/** Histories by run. */
export type Histories = Readonly<Record<string, ReadonlyArray<Turn>>>

/** How the cues are performed. */
export interface Manner {
  readonly name: string
  /** How many cues at a time, one after the other; then again from the first. */
  readonly bursts: ReadonlyArray<number>
  readonly settings: Playing.Settings
  /** Rounds of the event loop that each commit takes longer. */
  readonly slowRounds: number
  /** Whether another run is called upon before each cue, and a query asked after it. */
  readonly crowded: boolean
}

export const oneByOne: Manner = { name: "one by one", bursts: [1], settings: {}, slowRounds: 0, crowded: false }

/** The same for every performance: random numbers of a run are seeded by it. */
const runId = "01900000-0000-7000-8000-000000000001"
const crowdId = "01900000-0000-7000-9000-000000000001"

/** That of the run which follows one: the next number. */
const runIds = Layer.succeed(
  RunIds,
  (creator: string) =>
    creator.slice(0, -12) + (Number.parseInt(creator.slice(-12), 16) + 1).toString(16).padStart(12, "0")
)

/** At most so many cues: some programs would go on for ever. */
const cuesMax = 60

/** Chooses what happens next, among what can, and writes it down. */
export const rehearse = (
  scenario: Scenario,
  draws: Iterable<number>
): Effect.Effect<{ readonly score: Score; readonly histories: Histories }, unknown, Store> =>
  Effect.scoped(Effect.gen(function*() {
    const stage = yield* open(scenario, oneByOne)
    const score: Array<Noted> = []
    let histories = yield* stage.histories
    for (const draw of draws) {
      const cues = stage.cues(histories, score)
      const cue = cues[draw % cues.length]
      if (cue === undefined || score.length >= cuesMax) break
      yield* stage.deliver(cue)
      yield* stage.rest
      const after = yield* stage.histories
      score.push({ cue, ripples: haveTalked(histories, after) })
      histories = after
    }
    return { score, histories }
  }))

/** Performs a score in some manner, and gives the histories that this leaves. */
export const perform = (scenario: Scenario, score: Score, manner: Manner): Effect.Effect<Histories, unknown, Store> =>
  Effect.flatMap(attempt(scenario, score, manner), ({ histories, lacks }) =>
    lacks === undefined
      ? Effect.succeed(histories)
      : Effect.fail(`${manner.name}: ${JSON.stringify(lacks)} does not come about`))

/** Performs a score as far as it goes: what a cue is to bring to its end may not come about. */
export const attempt = (
  scenario: Scenario,
  score: Score,
  manner: Manner
): Effect.Effect<{ readonly histories: Histories; readonly lacks: Cue | undefined }, unknown, Store> =>
  Effect.scoped(Effect.gen(function*() {
    const stage = yield* open(scenario, manner)
    let inBurst = 0
    let burst = 0
    for (const { cue, ripples } of score) {
      const size = manner.bursts[burst % manner.bursts.length]!
      // What only comes about by the cues before it must wait for them.
      if (inBurst >= size || cue._tag === "Timer" || !stage.isReady(cue)) {
        yield* stage.rest
        inBurst = 0
        burst++
      }
      if (!stage.isReady(cue)) return { histories: yield* stage.histories, lacks: cue }
      inBurst = ripples ? Infinity : inBurst + 1
      yield* stage.deliver(cue)
    }
    yield* stage.rest
    return { histories: yield* stage.histories, lacks: undefined }
  }))

/** Whether there are turns that took in what one run told another, or a start by another one. */
const haveTalked = (before: Histories, after: Histories): boolean =>
  Object.entries(after).some(([of, turns]) =>
    turns.slice(before[of]?.length ?? 0).some(({ events }) => {
      const [first] = events
      if (first === undefined || /^(Child|External)/.test(first._tag)) return true
      return of !== runId && !/^(Activity|Step|Timer)/.test(first._tag) ||
        first._tag === "SignalReceived" && first.name === "echo"
    })
  )

// -----------------------------------------------------------------------------
// the stage
// -----------------------------------------------------------------------------

interface Puppet {
  readonly of: string
  readonly how: "ends" | "gives up"
  readonly pull: () => void
}

interface RetryTerms {
  readonly retry?: RetryPolicy.Options
}

interface Stage {
  /** All that could be delivered now, given what was. */
  readonly cues: (histories: Histories, before: Score) => ReadonlyArray<Cue>
  readonly isReady: (cue: Cue) => boolean
  readonly deliver: (cue: Cue) => Effect.Effect<void, unknown>
  readonly rest: Effect.Effect<void>
  readonly histories: Effect.Effect<Histories, unknown>
}

const open = (scenario: Scenario, manner: Manner): Effect.Effect<Stage, unknown, Store | Scope.Scope> =>
  Effect.gen(function*() {
    const store = yield* Store
    const time = new VirtualTime()
    const life = new Life(
      1,
      time,
      undefined,
      (operation) => operation === "commit" ? rounds(manner.slowRounds) : Effect.void
    )
    const puppets = new Map<string, Puppet>()
    const create = (runId: string, workflowId: string, input: Scenario, { retry }: RetryTerms) =>
      store.create({ runId, workflowId, workflow: "Generated", taskQueue: "proofs", startedAt: beginning }, {
        runId,
        kind: "Start",
        body: Messages.encode({
          _tag: "Start",
          workflow: "Generated",
          workflowId,
          taskQueue: "proofs",
          input,
          ...(retry === undefined ? {} : { retry: RetryPolicy.make(retry) })
        })
      })
    yield* create(runId, "the one", scenario, Programs.termsOf(scenario))
    if (manner.crowded) yield* create(crowdId, "the crowd", crowd, {})
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => CrashingStore.bury(life, scope))
    const client = yield* Scope.extend(Playing.worker(life, worldOf(puppets, life), manner.settings, runIds), scope)
    // What sleeps for no time at all goes on at once.
    const settle = Effect.suspend(() => time.to(time.now))
    const histories = Effect.map(Kin.everything(store), (all): Histories =>
      Object.fromEntries(
        all.filter(({ run }) => run.runId !== crowdId).map(({ run, turns }) => [run.runId, turns.map(comparable)])
      ))
    yield* settle
    return {
      cues: (histories, before) => {
        const states = Object.entries(histories).map(([runId, turns]) => RunStates.fold(runId, turns))
        const isOpen = (of: string) => states.some(({ closed, runId }) => runId === of && closed === undefined)
        const cues = [...puppets].flatMap(([name, { how, of }]): Array<Cue> =>
          isOpen(of) ? [{ _tag: "Pull", name, how }] : []
        )
        if (
          states.some(({ closed, runId: of, started }) => closed === undefined && (started?.firstRunId ?? of) === runId)
        ) {
          scenario.messages.forEach((_, key) => cues.push({ _tag: "Message", key }))
          // Not before much has happened: what follows a cancel request is short.
          if (scenario.ending !== "returns" && (before.length > 4 || cues.length === 0)) cues.push({ _tag: "Cancel" })
        }
        for (const state of states) {
          const due = state.closed === undefined ? Timers.next(state)?.dueAt : undefined
          if (due !== undefined && due < beginning + endlessMillis) cues.push({ _tag: "Timer", at: due })
        }
        return cues.filter((cue) => !before.some((each) => same(each.cue, cue)))
      },
      isReady: (cue) => cue._tag !== "Pull" || puppets.get(cue.name)?.how === cue.how,
      deliver: (cue) =>
        Effect.gen(function*() {
          if (manner.crowded) yield* call(client, crowdId)
          yield* deliver(cue, scenario, client, puppets, time)
          if (manner.crowded) yield* ask(client)
          if (cue._tag !== "Timer") yield* microtasks
        }),
      rest: settle,
      histories
    }
  })

const deliver = (
  cue: Cue,
  scenario: Scenario,
  client: Context.Tag.Service<typeof Client>,
  puppets: ReadonlyMap<string, Puppet>,
  time: VirtualTime
): Effect.Effect<void, unknown> => {
  const handle = client.handle(Generated, "the one")
  // Callers that wait for an answer wait beside; those that come too late are told so.
  const aside = (effect: Effect.Effect<unknown, unknown>) => Effect.asVoid(Effect.forkDaemon(Effect.exit(effect)))
  switch (cue._tag) {
    case "Pull":
      return Effect.sync(() => puppets.get(cue.name)!.pull())
    case "Message":
      return aside(
        scenario.messages[cue.key]!.kind === "signal"
          ? handle.signal("note", { key: cue.key })
          : handle.update("add", { key: cue.key }, { updateId: Playing.updateId(cue.key) })
      )
    case "Cancel":
      return aside(handle.cancel("enough"))
    case "Timer":
      return time.to(cue.at)
  }
}

/** Activities and steps that end when they are told to. */
const worldOf = (puppets: Map<string, Puppet>, life: Life): World => {
  const waits = (of: string, name: string, how: Puppet["how"]) =>
    Effect.async<void>((resume) => {
      life.time.pulse()
      const puppet: Puppet = {
        of,
        how,
        pull: () => {
          puppets.delete(name)
          resume(Effect.void)
        }
      }
      puppets.set(name, puppet)
      return Effect.sync(() => void puppets.delete(name))
    })
  let steps = 0
  return {
    work: (_, { activityId, attempt, runId: of }) => {
      if (of === crowdId) return Effect.void
      const name = `${of === runId ? "" : `of ${of}: `}activity ${activityId}, attempt ${attempt}`
      return Effect.onInterrupt(waits(of, name, "ends"), () => life.dead ? Effect.void : waits(of, name, "gives up"))
    },
    step: (label, of) => Effect.suspend(() => waits(of, `${label}, try ${++steps}`, "ends"))
  }
}

/** Another run, which is called upon between the cues so that the first one leaves the cache. */
const crowd: Scenario = {
  program: { _tag: "Note" },
  messages: [],
  waits: false,
  ending: "caught",
  endless: "never",
  early: null
}

const call = (client: Context.Tag.Service<typeof Client>, runId: string) =>
  Effect.asVoid(Effect.forkDaemon(Effect.exit(
    client.handle(Generated, "the crowd", runId).signal("note", { key: 0 })
  )))

const ask = (client: Context.Tag.Service<typeof Client>) =>
  Effect.asVoid(Effect.forkDaemon(Effect.exit(client.handle(Generated, "the one", runId).query("seen"))))

const same = (a: Cue, b: Cue): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Long enough for a message to arrive, too short for a commit, which takes a round of the event loop. */
const microtasks = Effect.promise(async () => {
  for (let count = 0; count < 500; count++) await undefined
})

const rounds = (count: number): Effect.Effect<void> =>
  count === 0
    ? Effect.void
    : Effect.async((resume) => {
      let left = count
      const round = () => void (--left <= 0 ? resume(Effect.void) : setImmediate(round))
      setImmediate(round)
    })

/** Stacks tell how a failure came about, and the address of an answer which way a call took: neither is of the run. */
const comparable = (turn: Turn): Turn =>
  JSON.parse(
    JSON.stringify(turn, (key, value: unknown) => key === "stack" || key === "replyTo" ? undefined : value)
  ) as Turn
