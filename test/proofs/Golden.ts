/**
 * Workflows whose histories are kept: written as users write them, and never changed in what they do. Each recording
 * says how its history came about.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Activity, State, Step, Workflow } from "perdure"
import type { Version } from "../../src/core/family/Version.js"
import * as RetryPolicy from "../../src/core/RetryPolicy.js"
import type * as Succession from "../../src/core/Succession.js"
import * as Families from "./GoldenFamilies.js"

class Refused extends Schema.TaggedError<Refused>()("Refused", { what: Schema.String }) {}

const Do = Activity.make("Do", {
  payload: { what: Schema.String, fails: Schema.Number },
  success: Schema.String,
  error: Refused,
  startToCloseTimeout: "1 minute",
  retry: { initialInterval: "1 milli", maximumAttempts: 3, nonRetryable: ["Refused"] }
})

const DoLive = Do.toLayer(({ fails, what }) =>
  Effect.gen(function*() {
    const { attempt } = yield* Activity.info
    if (what === "never") return yield* Effect.never
    if (what.startsWith("refused")) return yield* new Refused({ what })
    return attempt <= fails ? yield* Effect.die(new Error(`attempt ${attempt}`)) : `${what} done`
  })
)

const act = (what: string, fails = 0) => Do.execute({ what, fails })

const Greeting = Workflow.make("Greeting", { payload: Schema.String, success: Schema.String, error: Refused })
const GreetingLive = Greeting.toLayer((name) => act(`hello ${name}`))

const Saga = Workflow.make("Saga", { payload: Schema.Boolean, success: Schema.String, error: Refused })
const SagaLive = Saga.toLayer((paid) =>
  Effect.gen(function*() {
    yield* Workflow.withCompensation(act("reserve"), () => act("release"))
    yield* Workflow.withCompensation(act("charge"), () => act("refund"))
    return yield* act(paid ? "ship" : "refused shipping")
  })
)

const Parallel = Workflow.make("Parallel", { success: Schema.Array(Schema.String), error: Refused })
const ParallelLive = Parallel.toLayer(() =>
  Effect.gen(function*() {
    const all = yield* Effect.forEach(["a", "b", "c"], (what) => act(what), { concurrency: 2 })
    const raced = yield* Effect.race(act("won"), act("never"))
    const late = yield* act("never").pipe(
      Effect.timeout("5 millis"),
      Effect.catchTag("TimeoutException", () => Effect.succeed("too late"))
    )
    const within = yield* Effect.timeout(act("in time"), "1 hour")
    return [...all, raced, late, within]
  })
)

const Basket = Workflow.make("Basket", {
  success: Schema.Array(Schema.String),
  signals: { close: {} },
  updates: { add: { payload: Schema.String, success: Schema.Number, error: Refused } }
})
const BasketLive = Basket.toLayer(() =>
  Effect.gen(function*() {
    const items = yield* State.make<ReadonlyArray<string>>([])
    const closed = yield* Deferred.make<void>()
    return Basket.of({
      signals: { close: () => Deferred.succeed(closed, undefined) },
      updates: {
        add: {
          validate: (item) => item === "" ? new Refused({ what: "nothing" }) : Effect.void,
          handle: (item) =>
            Effect.gen(function*() {
              yield* act(`price of ${item}`)
              return (yield* items.updateAndGet((before) => [...before, item])).length
            })
        }
      },
      run: Effect.gen(function*() {
        yield* Deferred.await(closed)
        yield* Workflow.condition(Effect.map(items.get, (all) => all.length >= 2))
        return yield* items.get
      })
    })
  })
)

const Canceled = Workflow.make("Canceled")
const CanceledLive = Canceled.toLayer(() =>
  Effect.scoped(
    Effect.gen(function*() {
      yield* Effect.acquireRelease(Effect.ignore(act("open")), () => Effect.ignore(act("close")))
      yield* Effect.sleep("1 day")
    })
  )
)

const Caught = Workflow.make("Caught", { success: Schema.String, error: Refused })
const CaughtLive = Caught.toLayer(() =>
  Workflow.catchCancel(
    Effect.as(Effect.ensuring(Effect.sleep("1 day"), Effect.ignore(act("tidy up"))), "slept"),
    (reason) => Effect.map(act(`note ${reason}`), (noted) => `canceled, ${noted}`)
  )
)

const Retries = Workflow.make("Retries", { success: Schema.Array(Schema.String), error: Refused })
const RetriesLive = Retries.toLayer(() =>
  Effect.gen(function*() {
    const slow = yield* act("slowly", 2)
    let round = 0
    const retried = yield* Effect.retry(
      Effect.suspend(() => act(round++ < 2 ? `refused ${round}` : "accepted")),
      Schedule.intersect(Schedule.recurs(3), Schedule.jittered(Schedule.spaced("2 millis")))
    )
    const failed = yield* Effect.catchAll(act("broken", 9), (error) => Effect.succeed(error._tag))
    return [slow, retried, failed]
  })
)

const Steps = Workflow.make("Steps", { success: Schema.Array(Schema.String), error: Refused })
const StepsLive = Steps.toLayer(() =>
  Effect.gen(function*() {
    const one = yield* Step.run("one", { success: Schema.String, execute: Effect.succeed("first") })
    const id = yield* Workflow.uuid
    const two = yield* Effect.all([
      Step.run("two", { success: Schema.String, execute: Effect.succeed("second") }),
      act(`beside ${id}`)
    ], { concurrency: "unbounded" })
    return [one, ...two]
  })
)

const host = (layer: Layer.Layer<never, never, never> | Layer.Layer<never, unknown, unknown>) =>
  layer as unknown as Layer.Layer<never>

/** All of them, by name. */
export const layers = {
  Greeting: host(GreetingLive),
  Saga: host(SagaLive),
  Parallel: host(ParallelLive),
  Basket: host(BasketLive),
  Canceled: host(CanceledLive),
  Caught: host(CaughtLive),
  Retries: host(RetriesLive),
  Steps: host(StepsLive),
  Parent: host(Families.layers.Parent),
  Talker: host(Families.layers.Talker),
  Counting: host(Families.layers.Counting),
  Patched: host(Families.layers.Patched),
  Noted: host(Families.layers.Noted),
  Endless: host(Families.layers.Endless),
  Paced: host(Families.layers.Paced),
  HardSteps: host(Families.layers.HardSteps),
  Strict: host(Families.layers.Strict),
  Versioned: host(Families.layers.Versioned)
} as const

/** What they call. */
export const called: ReadonlyArray<Layer.Layer<never>> = [host(DoLive), host(Families.childLive)]

export const workflows = {
  Greeting,
  Saga,
  Parallel,
  Basket,
  Canceled,
  Caught,
  Retries,
  Steps,
  ...Families.workflows
} as const

/** A kept history, as it stands in its file: the rows of the store, their events readable. */
export const Kept = Schema.Struct({
  recordedBy: Schema.String,
  runId: Schema.String,
  rows: Schema.Array(Schema.Struct({
    turn: Schema.Number,
    at: Schema.Number,
    format: Schema.Number,
    events: Schema.Array(Schema.Unknown)
  }))
})

const retry = RetryPolicy.make({ initialInterval: "1 millis", maximumAttempts: 2 })

/** How each history comes about: which workflow, with what, and what is sent to it. */
export const recordings: Readonly<
  Record<string, {
    readonly workflow: keyof typeof workflows
    readonly input?: unknown
    /** What bounds it. */
    readonly terms?: Succession.Terms
    /** Sent before any worker runs, so that the first turn takes it in. */
    readonly before?: ReadonlyArray<Message>
    /** Sent once this many turns are recorded. */
    readonly then?: { readonly turns: number; readonly sent: Message | Command }
    /** Terminated once it is there. */
    readonly ends?: string
    /** The run that is kept is the one that a reset, or the end of the first one, makes. */
    readonly follows?: true
    /** The version of its worker. */
    readonly version?: Version
  }>
> = {
  "greeting": { workflow: "Greeting", input: "Ada" },
  "on a build of a deployment": { workflow: "Versioned", version: { deployment: "golden", buildId: "golden-1" } },
  "saga completed": { workflow: "Saga", input: true },
  "saga compensated": { workflow: "Saga", input: false },
  "parallel with race and timeouts": { workflow: "Parallel" },
  "signals and updates before the first turn": {
    workflow: "Basket",
    before: [
      { _tag: "Update", id: "first", name: "add", input: "book" },
      { _tag: "Signal", name: "close" },
      { _tag: "Update", id: "second", name: "add", input: "pen" }
    ]
  },
  "cancel with cleanup": {
    workflow: "Canceled",
    then: { turns: 2, sent: { _tag: "Cancel", reason: "enough" } }
  },
  "cancel caught": { workflow: "Caught", then: { turns: 1, sent: { _tag: "Cancel", reason: "enough" } } },
  "retries": { workflow: "Retries" },
  "steps": { workflow: "Steps" },
  "children": { workflow: "Parent", ends: "doomed" },
  "messages between executions": { workflow: "Talker" },
  "continued as new": { workflow: "Counting", input: 1 },
  "follows another run": { workflow: "Counting", input: 1, follows: true, terms: { retry } },
  "tried again": { workflow: "Counting", input: 0, terms: { retry } },
  "patches": { workflow: "Patched" },
  "notes": { workflow: "Noted" },
  "timed out": { workflow: "Endless", terms: { runTimeoutMillis: 1_500 } },
  "terminated": { workflow: "Endless", then: { turns: 1, sent: { _tag: "Terminate" } } },
  "reset": { workflow: "Paced", then: { turns: 2, sent: { _tag: "Reset", turn: 2 } }, follows: true, ends: "reset" },
  "steps that fail and wait": { workflow: "HardSteps" },
  "updates that fail": {
    workflow: "Strict",
    before: [
      { _tag: "Update", id: "first", name: "add", input: 1 },
      { _tag: "Update", id: "second", name: "add", input: -1 }
    ]
  }
}

export type Message =
  | { readonly _tag: "Signal"; readonly name: string; readonly input?: unknown }
  | { readonly _tag: "Update"; readonly id: string; readonly name: string; readonly input?: unknown }
  | { readonly _tag: "Cancel"; readonly reason: string }

export type Command = { readonly _tag: "Terminate" } | { readonly _tag: "Reset"; readonly turn: number }

export const fileOf = (name: string): URL => new URL(`./histories/${name.replaceAll(" ", "-")}.json`, import.meta.url)

/** What each kept file was when it was written: one that was touched since shows. */
export const sumsFile = new URL("./histories/SHA256SUMS", import.meta.url)
