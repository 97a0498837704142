/**
 * The one workflow that runs every generated program, written as an author would write it, and its one activity.
 *
 * ```
 *   handlers set up ──▶ program ──▶ its messages, if it waits for them ──▶ returns, or goes on until it is canceled
 * ```
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type {
  ActivityError,
  ChildWorkflowError,
  WorkflowAlreadyStarted,
  WorkflowClosed,
  WorkflowNotFound
} from "perdure"
import { Activity, State, Step, Workflow } from "perdure"
import type { Failure } from "../../src/core/Failure.js"
import type { WorkflowContext } from "../../src/dsl/WorkflowContext.js"
import { label } from "./Expected.js"
import type { Endless, Program, Scenario, Version } from "./Program.js"
import * as Programs from "./Program.js"

/** Final: no policy retries it. */
export class Broken extends Schema.TaggedError<Broken>()("Broken", { where: Schema.String }) {}

/** Passing: every policy retries it. */
export class Busy extends Schema.TaggedError<Busy>()("Busy", { attempt: Schema.Number }) {}

/** Not declared by anything. */
class Fault extends Error {}

/** Longer than anything that ends. */
export const endlessMillis = 1e12

const payload = {
  label: Schema.String,
  fails: Schema.Number,
  ends: Programs.Ends,
  breaks: Schema.Boolean,
  millis: Schema.Number,
  beats: Schema.Boolean,
  salt: Schema.Number
}
const Payload = Schema.Struct(payload)
export type Payload = typeof Payload.Type

export const Work = Activity.make("Work", {
  payload,
  success: Schema.String,
  error: Schema.Union(Broken, Busy),
  startToCloseTimeout: 10 * endlessMillis,
  retry: { initialInterval: 0, nonRetryable: ["Broken", "Fault"] }
})

/** `send` tells the sends of one signal apart. */
const Note = Schema.Struct({ key: Schema.Number, send: Schema.optional(Schema.Number) })
const Add = Schema.Struct({ key: Schema.Number })

export const Generated = Workflow.make("Generated", {
  payload: Programs.Scenario,
  success: Schema.String,
  error: Schema.Union(Broken, Busy),
  // "echo": of the run to itself, or of its children, in words that it waits for.
  signals: { note: { payload: Note }, echo: { payload: Schema.String } },
  queries: { seen: { success: Schema.Number } },
  updates: { add: { payload: Add, success: Schema.String, error: Broken } }
})

/** What the world does with an attempt: writes it down, and takes its time. */
export interface World {
  /** Ends when the attempt is to end; fails and succeeds by the activity's own plan. */
  readonly work: (
    payload: Payload,
    info: Effect.Effect.Success<typeof Activity.info>
  ) => Effect.Effect<void>
  readonly step: (label: string, runId: string) => Effect.Effect<void>
}

/** The hosts of both, in a world, by some version of the code. */
export const hosts = (
  world: World,
  version: Version = "patched"
): readonly [Layer.Layer<never>, Layer.Layer<never>] => [
  Generated.toLayer((scenario) => body(scenario, world, version)) as unknown as Layer.Layer<never>,
  Work.toLayer((payload) => work(payload, world)) as unknown as Layer.Layer<never>
]

const work = (payload: Payload, world: World) =>
  Effect.gen(function*() {
    const info = yield* Activity.info
    if (payload.beats) yield* Activity.heartbeat(info.attempt)
    yield* world.work(payload, info)
    if (info.attempt <= payload.fails) return yield* new Busy({ attempt: info.attempt })
    if (payload.breaks || payload.ends === "breaks") return yield* new Broken({ where: payload.label })
    if (payload.ends === "dies") return yield* Effect.die(new Fault(payload.label))
    return payload.label
  })

// -----------------------------------------------------------------------------
// the body
// -----------------------------------------------------------------------------

/** How a body may fail. */
export type Trouble =
  | Broken
  | Busy
  | ActivityError
  | ChildWorkflowError
  | WorkflowAlreadyStarted
  | Cause.TimeoutException

type Body = Effect.Effect<
  string,
  Trouble,
  WorkflowContext | Activity.Hosted<"Work">
>

interface Surroundings {
  readonly world: World
  readonly notes: ReadonlyArray<Deferred.Deferred<string>>
  /** Messages that were handled well. */
  readonly handled: State.State<ReadonlySet<number>>
  readonly noted: State.State<number>
  /** The echoes that have come. */
  readonly heard: State.State<ReadonlySet<string>>
  readonly version: Version
  readonly queues: ReadonlyArray<string>
}

const body = (scenario: Scenario, world: World, version: Version) =>
  Effect.gen(function*() {
    const { messages } = scenario
    const notes = yield* Effect.forEach(messages, () => Deferred.make<string>())
    const { after = { items: 0, texts: [], handled: [], over: [] } } = scenario
    const handled = yield* State.make<ReadonlySet<number>>(new Set(after.handled))
    const over = yield* State.make<ReadonlySet<number>>(new Set(after.over))
    for (const key of after.handled) yield* Deferred.succeed(notes[key]!, `note ${key}`)
    const noted = yield* State.make(0)
    const heard = yield* State.make<ReadonlySet<string>>(new Set())
    const add = (key: number) => (keys: ReadonlySet<number>): ReadonlySet<number> => new Set(keys).add(key)
    const effort = (key: number) =>
      messages[key]?.works === true ? Effect.ignore(Work.execute(plain(`message ${key}`))) : Effect.void
    const around: Surroundings = { world, notes, handled, noted, heard, version, queues: scenario.queues ?? [] }
    const { at = { path: "p", round: 0 }, endless: kind, ending, program, ready } = scenario
    const parts = (items: ReadonlyArray<Program>) =>
      Effect.gen(function*() {
        const texts = [...after.texts]
        for (let index = after.items; index < items.length; index++) {
          const item = items[index]!
          texts.push(yield* interpret(item, `${at.path}.${index}`, at.round, around))
          if (item._tag !== "Anew") continue
          yield* Workflow.condition(Workflow.allHandlersFinished as Effect.Effect<boolean>)
          const known = { handled: [...yield* handled.get], over: [...yield* over.get] }
          return yield* Workflow.continueAsNew(Generated, { ...scenario, after: { items: index + 1, texts, ...known } })
        }
        return joined(texts)
      })
    const whole = Effect.gen(function*() {
      const text = program._tag === "Seq"
        ? yield* parts(program.items)
        : yield* interpret(program, at.path, at.round, around)
      if (scenario.waits) {
        const awaited = messages.filter((message) => message.ends !== "rejected").length
        yield* Workflow.condition(Effect.map(over.get, (keys) => keys.size >= awaited))
        yield* Workflow.condition(Workflow.allHandlersFinished as Effect.Effect<boolean>)
      }
      const { attempt } = yield* Workflow.info
      if (attempt <= (scenario.unlucky ?? 0)) return yield* new Busy({ attempt })
      if (ready !== undefined) {
        // Where its parent is not there to hear it any more, it ends with it.
        yield* Effect.ignore(Workflow.external(Generated, ready.workflowId).signal("echo", ready.words))
      }
      return ending === "returns" ? text : yield* endless(kind)
    })
    return Generated.of({
      signals: {
        note: ({ key }) =>
          Effect.gen(function*() {
            yield* effort(key)
            const note = notes[key]
            if (note !== undefined) yield* Deferred.succeed(note, `note ${key}`)
            yield* handled.update(add(key))
            yield* over.update(add(key))
          }),
        echo: (words) => heard.update((all) => new Set(all).add(words))
      },
      queries: { seen: () => Effect.map(handled.get, (keys) => keys.size) },
      updates: {
        add: {
          validate: ({ key }) =>
            messages[key]?.ends === "rejected" ? new Broken({ where: `rejected ${key}` }) : Effect.void,
          handle: ({ key }) =>
            Effect.gen(function*() {
              yield* effort(key)
              if (messages[key]?.ends === "breaks") return yield* new Broken({ where: `update ${key}` })
              yield* handled.update(add(key))
              return `added ${key}`
            }).pipe(Effect.ensuring(over.update(add(key))))
        }
      },
      run: ending === "caught" ? Workflow.catchCancel(whole, () => Effect.succeed("caught")) : whole
    })
  })

/** Work that succeeds at once. */
export const plain = (label: string): Payload => ({
  label,
  fails: 0,
  ends: "succeeds",
  breaks: false,
  millis: 1,
  beats: false,
  salt: 0
})

const endless = (kind: Endless): Effect.Effect<never, never, WorkflowContext | Activity.Hosted<"Work">> => {
  const forever = (cancellation: "TryCancel" | "WaitCancellationCompleted" | "Abandon") =>
    Effect.zipRight(
      Effect.orDie(Work.execute({ ...plain("endless"), ends: "never", millis: endlessMillis }, { cancellation })),
      Effect.never
    )
  switch (kind) {
    case "sleep":
      return Effect.zipRight(Effect.sleep(endlessMillis), Effect.never)
    case "activity":
      return forever("TryCancel")
    case "patient activity":
      return forever("WaitCancellationCompleted")
    case "abandoned activity":
      return forever("Abandon")
    case "never":
      return Effect.never
    case "signal":
      return Effect.flatMap(Deferred.make<never>(), Deferred.await)
    case "condition":
      return Effect.zipRight(Workflow.condition(() => false), Effect.never)
    case "child":
      return endlessChild({ cancellation: "TryCancel" })
    case "patient child":
      return endlessChild({})
    case "stubborn child":
      return endlessChild({}, "caught")
    case "requested child":
      return endlessChild({ cancellation: "WaitCancellationRequested" })
    case "abandoned child":
      return endlessChild({ cancellation: "Abandon" })
    case "unserved child":
      return endlessChild({ taskQueue: "nobody's" })
  }
}

const endlessChild = (options: Workflow.ChildOptions, ending: "canceled" | "caught" = "canceled") =>
  Effect.zipRight(Effect.orDie(Generated.execute({ ...child({ _tag: "Note" }), ending }, options)), Effect.never)

/** A child that does a program and returns. */
const child = (program: Program): Scenario => ({
  program,
  messages: [],
  waits: false,
  ending: "returns",
  endless: "never",
  early: null
})

const interpret = (program: Program, path: string, round: number, around: Surroundings): Body => {
  const at = label(path, round)
  const inside = (body: Program, part: string | number, of = round): Body =>
    interpret(body, `${path}.${part}`, of, around)
  const cleanUp = (part: string) => Effect.ignore(Work.execute(plain(label(`${path}.${part}`, round))))
  switch (program._tag) {
    case "Work": {
      const { beats, draws, ends, fails, millis, rounds } = program
      return Effect.gen(function*() {
        const salt = draws ? yield* Workflow.random : 0
        const payload: Payload = { label: at, fails, ends, breaks: round < rounds, millis, beats, salt }
        if (ends !== "once") return yield* Work.execute(payload)
        yield* Effect.either(Work.execute(payload, { retry: { maximumAttempts: 1 } }))
        return "once"
      })
    }
    case "Step": {
      let tries = 0
      return Effect.flatMap(Workflow.info, ({ runId }) =>
        Step.run(`step ${at}`, {
          success: Schema.String,
          error: Schema.Union(Broken, Busy),
          retry: { initialInterval: 0, nonRetryable: ["Broken"] },
          execute: Effect.gen(function*() {
            yield* around.world.step(`step ${at}`, runId)
            if (++tries <= program.fails) return yield* new Busy({ attempt: tries })
            return program.ends === "breaks" ? yield* new Broken({ where: at }) : at
          })
        }))
    }
    case "Sleep":
      return Effect.as(Effect.sleep(program.millis), "slept")
    case "Await":
      return Deferred.await(around.notes[program.key]!)
    case "Reach":
      return Effect.as(
        Workflow.condition(Effect.map(around.handled.get, (keys) => keys.size >= program.count)),
        "reached"
      )
    case "Note":
      return Effect.as(around.noted.update((count) => count + 1), "noted")
    case "Anew":
      return Effect.succeed("anew")
    case "Change": {
      const theOldWay = Work.execute(plain(`${at}${oldWay}`))
      const theNewWay = Effect.zipRight(Effect.sleep(1), Work.execute(plain(`${at}${newWay}`)))
      return Effect.as(
        Effect.gen(function*() {
          switch (around.version) {
            case "before":
              return yield* theOldWay
            case "patched":
              return (yield* Workflow.patched(patchOf(at))) ? yield* theNewWay : yield* theOldWay
            case "deprecated":
              yield* Workflow.deprecatePatch(patchOf(at))
              return yield* theNewWay
            case "removed":
              return yield* theNewWay
          }
        }),
        "changed"
      )
    }
    case "Echo":
      return Effect.gen(function*() {
        const words = `echo ${at}`
        const { workflowId } = yield* Workflow.info
        // It is open: that it were not found is a fault.
        yield* Effect.orDie(Workflow.external(Generated, workflowId).signal("echo", words))
        yield* hears(around, words)
        return "echoed"
      })
    case "Nobody": {
      const nobody = Workflow.external(Generated, "there is none of this name")
      const sent: Effect.Effect<void, WorkflowNotFound | WorkflowClosed, WorkflowContext> = program.kind === "signal"
        ? nobody.signal("echo", "anybody?")
        : nobody.cancel()
      return Effect.match(sent, {
        onSuccess: () => "somebody",
        onFailure: (error) => error._tag === "WorkflowNotFound" ? "nobody" : error._tag
      })
    }
    case "Child": {
      const { by, elsewhere, meanwhile, signals } = program
      const messages = Programs.signalsOf(signals)
      const scenario: Scenario = {
        ...child(program.body),
        messages,
        waits: signals > 0,
        at: placed(path, round),
        ...(program.unlucky === undefined ? {} : { unlucky: program.unlucky })
      }
      return Effect.gen(function*() {
        const options = { ...yield* optionsOf(elsewhere, around), ...Programs.termsOf(program) }
        if (signals === 0 && meanwhile === null) return yield* Generated.execute(within(scenario, around), options)
        const handle = yield* Generated.start(within(scenario, around), options)
        const target = by === "handle" ? handle : Workflow.external(Generated, handle.workflowId)
        // One that has failed already takes none.
        for (let key = 0; key < signals; key++) {
          yield* Effect.catchTag(target.signal("note", { key }), "WorkflowClosed", () => Effect.void)
        }
        if (meanwhile === null) return yield* handle.result
        const other = yield* inside(meanwhile, "meanwhile")
        return joined([yield* handle.result, other])
      }).pipe(Effect.catchTag("WorkflowNotFound", Effect.die))
    }
    case "Recall":
      return Effect.gen(function*() {
        const { workflowId } = yield* Workflow.info
        const words = `ready ${at}`
        const handle = yield* Generated.start(
          within({
            ...child(program.body),
            at: placed(path, round),
            ending: program.caught ? "caught" : "canceled",
            ready: { workflowId, words }
          }, around),
          { ...yield* optionsOf(program.elsewhere, around), cancellation: program.cancellation }
        )
        yield* hears(around, words)
        yield* program.by === "handle"
          ? handle.cancel("recalled")
          // It is open for as long as it is not canceled.
          : Effect.orDie(Workflow.external(Generated, handle.workflowId).cancel("recalled"))
        return yield* Effect.catchAll(handle.result, (error) => Effect.succeed(`!${wordsOf(error)}`))
      })
    case "Leave":
      return Effect.gen(function*() {
        const scenario: Scenario = { ...child(program.body), at: placed(path, round) }
        const options = yield* optionsOf(program.elsewhere, around)
        const { workflowId } = yield* Generated.start(
          within({ ...scenario, ending: program.ends ? "returns" : "canceled" }, around),
          { ...options, parentClosePolicy: program.policy }
        )
        if (!program.again) return "left"
        return yield* Effect.catchTag(
          Generated.execute(within(scenario, around), { workflowId }),
          "WorkflowAlreadyStarted",
          () => Effect.succeed("taken")
        )
      })
    case "Seq":
      return Effect.map(Effect.forEach(program.items, (item, index) => inside(item, index)), joined)
    case "All":
      return Effect.map(
        Effect.all(program.items.map((item, index) => inside(item, index)), {
          concurrency: program.concurrency === 0 ? "unbounded" : program.concurrency
        }),
        joined
      )
    case "Fork":
      return Effect.gen(function*() {
        const aside = yield* Effect.fork(inside(program.aside, "aside"))
        const main = yield* inside(program.main, "main")
        return joined([yield* Fiber.join(aside), main])
      })
    case "Race": {
      const winner = inside(program.winner, "winner")
      const loser = endless(program.loser)
      const race = Programs.mayFail(program.winner) ? Effect.raceFirst : Effect.race
      return program.loserFirst ? race(loser, winner) : race(winner, loser)
    }
    case "Timeout": {
      const body = inside(program.body, "body")
      return Effect.timeout(
        program.strikes === null ? body : Effect.zipRight(body, endless(program.strikes)),
        Programs.limit(program.body) + (program.slack ?? 0)
      )
    }
    case "Retry":
      return Effect.suspend(() => {
        let next = 0
        return Effect.retry(
          Effect.suspend(() => inside(program.body, "body", next++)),
          Schedule.intersect(Schedule.recurs(program.times), Schedule.jittered(Schedule.spaced(program.pause)))
        )
      })
    case "Scope": {
      const body = inside(program.body, "body")
      return program.kind === "ensuring"
        ? Effect.ensuring(body, cleanUp("release"))
        : Effect.scoped(Effect.zipRight(Effect.acquireRelease(cleanUp("acquire"), () => cleanUp("release")), body))
    }
    case "Compensated":
      return Workflow.withCompensation(inside(program.body, "body"), () => cleanUp("undo"))
    case "CatchCancel":
      return Workflow.catchCancel(inside(program.body, "body"), () => Effect.succeed("caught inside"))
    case "Attempt":
      return Effect.catchAll(inside(program.body, "body"), (error) => Effect.succeed(`!${wordsOf(error)}`))
  }
}

const joined = (texts: ReadonlyArray<string>): string => `(${texts.join(" ")})`

/** The patch at a place of a program, and what labels the activities of both ways there. */
export const patchOf = (at: string): string => `change ${at}`
export const oldWay = ", the old way"
export const newWay = ", the new way"

/** Where the program of a child stands. */
const placed = (path: string, round: number) => ({ path: `${path}.child`, round })

const within = (scenario: Scenario, { queues }: Surroundings): Scenario =>
  queues.length === 0 ? scenario : { ...scenario, queues }

/** Elsewhere: on the queue after its parent's, among those that are served. */
const optionsOf = (elsewhere: boolean, { queues }: Surroundings) =>
  Effect.map(
    Workflow.info,
    ({ taskQueue }): Workflow.ChildOptions =>
      elsewhere && queues.length > 1 ? { taskQueue: queues[(queues.indexOf(taskQueue) + 1) % queues.length] } : {}
  )

const hears = ({ heard }: Surroundings, words: string) =>
  Workflow.condition(Effect.map(heard.get, (all) => all.has(words)))

/** A failure as `Expected` words it. */
export const wordsOf = (error: Trouble): string => {
  switch (error._tag) {
    case "Broken":
      return `Broken ${error.where}`
    case "Busy":
      return "Busy"
    case "TimeoutException":
      return "TimeoutException"
    case "ActivityError":
    case "ChildWorkflowError":
      return wordsOfFailure(error.failure)
    case "WorkflowAlreadyStarted":
      return error._tag
  }
}

/** A recorded failure: the innermost is what went wrong, however many runs it came through. */
export const wordsOfFailure = (failure: Failure): string => {
  switch (failure._tag) {
    case "Activity":
    case "ChildWorkflow":
      return wordsOfFailure(failure.cause)
    case "Declared": {
      const { where } = (failure.error ?? {}) as { readonly where?: string }
      return failure.type === "Broken" ? `Broken ${where}` : failure.type
    }
    case "Application":
      return failure.type === "TimeoutException" ? failure.type : `${failure.type} ${failure.message}`
    default:
      return failure._tag
  }
}
