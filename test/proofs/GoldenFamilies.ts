/**
 * Workflows whose histories are kept, of the families that came later: children, other executions, chains, patches, notes,
 * and the rest of steps and updates. As those of `Golden`, never changed in what they do.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SearchAttribute, Step, Workflow } from "perdure"

class Unfit extends Schema.TaggedError<Unfit>()("Unfit", { what: Schema.String }) {}

/** Does as it is told; "endless" goes on until it is ended. */
const Child = Workflow.make("Child", { payload: Schema.String, success: Schema.String, error: Unfit })
const ChildLive = Child.toLayer((what) =>
  what === "endless" ? Effect.never : what === "unfit" ? new Unfit({ what }) : Effect.succeed(`${what} done`)
)

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onSuccess: () => "succeeded", onFailure: (error) => error._tag })

/** One of its children is terminated from outside. */
const Parent = Workflow.make("Parent", { success: Schema.Array(Schema.String) })
const ParentLive = Parent.toLayer(() =>
  Effect.gen(function*() {
    const well = yield* tagOf(Child.execute("well"))
    const unfit = yield* tagOf(Child.execute("unfit"))
    const late = yield* tagOf(Child.execute("endless", { runTimeout: "20 millis" }))
    const handle = yield* Child.start("endless", { workflowId: "recalled", parentClosePolicy: "RequestCancel" })
    const taken = yield* tagOf(Child.execute("well", { workflowId: "recalled" }))
    yield* handle.cancel("enough")
    const recalled = yield* tagOf(handle.result)
    const doomed = yield* tagOf(Child.execute("endless", { workflowId: "doomed", cancellation: "TryCancel" }))
    return [well, unfit, late, taken, recalled, doomed]
  })
)

const Talker = Workflow.make("Talker", {
  success: Schema.Array(Schema.String),
  signals: { word: { payload: Schema.String } }
})
const TalkerLive = Talker.toLayer(() =>
  Effect.gen(function*() {
    const heard = yield* Deferred.make<string>()
    return Talker.of({
      signals: { word: (word) => Deferred.succeed(heard, word) },
      run: Effect.gen(function*() {
        const { workflowId } = yield* Workflow.info
        yield* Effect.orDie(Workflow.external(Talker, workflowId).signal("word", "hello"))
        const word = yield* Deferred.await(heard)
        const nobody = Workflow.external(Talker, "nobody")
        const unheard = yield* tagOf(nobody.signal("word", "hello"))
        const unasked = yield* tagOf(nobody.cancel())
        const child = yield* Child.start("endless")
        yield* Effect.orDie(Workflow.external(Child, child.workflowId).cancel("by id"))
        return [word, unheard, unasked, yield* tagOf(child.result)]
      })
    })
  })
)

const Counting = Workflow.make("Counting", { payload: Schema.Number, success: Schema.Number, error: Unfit })
const CountingLive = Counting.toLayer((left) =>
  Effect.gen(function*() {
    yield* Effect.sleep("1 millis")
    const { attempt } = yield* Workflow.info
    if (left === 0) return attempt === 1 ? yield* new Unfit({ what: "the first attempt" }) : attempt
    return yield* Workflow.continueAsNew(Counting, left - 1)
  })
)

const Patched = Workflow.make("Patched", { success: Schema.Boolean })
const PatchedLive = Patched.toLayer(() =>
  Effect.gen(function*() {
    const answer = yield* Workflow.patched("a change")
    yield* Effect.sleep("1 millis")
    yield* Workflow.deprecatePatch("an older change")
    return answer
  })
)

const Noted = Workflow.make("Noted", {
  memo: { note: Schema.String },
  searchAttributes: { region: SearchAttribute.keyword, stops: SearchAttribute.int }
})
const NotedLive = Noted.toLayer(() =>
  Effect.gen(function*() {
    yield* Workflow.upsertMemo(Noted, { note: "begun" })
    yield* Workflow.upsertSearchAttributes(Noted, { region: "north", stops: 3 })
    yield* Effect.sleep("1 millis")
    yield* Workflow.upsertMemo(Noted, { note: null })
    yield* Workflow.upsertSearchAttributes(Noted, { region: null })
  })
)

const Endless = Workflow.make("Endless")
const EndlessLive = Endless.toLayer(() => Effect.sleep("1 day"))

const Paced = Workflow.make("Paced")
const PacedLive = Paced.toLayer(() => Effect.zipRight(Effect.sleep("1 millis"), Effect.sleep("1 day")))

const HardSteps = Workflow.make("HardSteps", { success: Schema.Array(Schema.String) })
const HardStepsLive = HardSteps.toLayer(() =>
  Effect.gen(function*() {
    const failed = yield* tagOf(
      Step.run("fails", { error: Unfit, execute: new Unfit({ what: "a step" }), retry: { maximumAttempts: 1 } })
    )
    const late = yield* tagOf(Effect.timeout(Step.run("hangs", { execute: Effect.never }), "5 millis"))
    let tries = 0
    const waited = yield* tagOf(Step.run("waits", {
      success: Schema.Number,
      error: Unfit,
      retry: { initialInterval: "30 millis" },
      inProcessBackoffMax: "10 millis",
      execute: Effect.suspend(() => ++tries < 2 ? new Unfit({ what: "the first try" }) : Effect.succeed(tries))
    }))
    return [failed, late, waited]
  })
)

const Strict = Workflow.make("Strict", {
  success: Schema.Number,
  updates: { add: { payload: Schema.Number, success: Schema.Number, error: Unfit } }
})
const StrictLive = Strict.toLayer(() =>
  Effect.sync(() => {
    let sum = 0
    let count = 0
    return Strict.of({
      updates: {
        add: (value) =>
          Effect.zipRight(
            Effect.sleep("1 millis"),
            Effect.suspend(() => {
              count++
              return value < 0 ? new Unfit({ what: `${value}` }) : Effect.sync(() => sum += value)
            })
          )
      },
      run: Effect.map(Workflow.condition(() => count >= 2), () => sum)
    })
  })
)

const Versioned = Workflow.make("Versioned", { success: Schema.String, versioningBehavior: "Pinned" })
const VersionedLive = Versioned.toLayer(() =>
  Effect.gen(function*() {
    const { deploymentVersion } = yield* Workflow.info
    // What it did was for the build that did it.
    yield* Effect.sleep(deploymentVersion?.buildId === "golden-1" ? "1 millis" : "2 millis")
    return `${deploymentVersion?.deployment} ${deploymentVersion?.buildId}`
  })
)

export const workflows = {
  Parent,
  Talker,
  Counting,
  Patched,
  Noted,
  Endless,
  Paced,
  HardSteps,
  Strict,
  Versioned
} as const

export const layers = {
  Parent: ParentLive,
  Talker: TalkerLive,
  Counting: CountingLive,
  Patched: PatchedLive,
  Noted: NotedLive,
  Endless: EndlessLive,
  Paced: PacedLive,
  HardSteps: HardStepsLive,
  Strict: StrictLive,
  Versioned: VersionedLive
} as const

/** The child of them all. */
export const childLive = ChildLive
