/**
 * Encrypted payloads by the whole engine: nothing of them is in the file, all of it comes back (row N5).
 */
import { assert, describe } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import {
  Activity,
  ApplicationError,
  Client,
  Interceptor,
  PayloadCodec,
  SearchAttribute,
  StoreClient,
  Worker,
  Workflow
} from "perdure"
import { Store } from "perdure/sqlite"
import { disk, run, test, until } from "./World.js"

const Text = Schema.String
const Work = Activity.make("Work", {
  payload: { text: Text },
  success: Text,
  startToCloseTimeout: "1 minute",
  retry: { initialInterval: 10, maximumAttempts: 2 }
})
let attempts = 0
const WorkLive = Work.toLayer(({ text }) =>
  Effect.gen(function*() {
    yield* Activity.heartbeat(`${secret} heartbeat`)
    if (++attempts === 1) {
      return yield* new ApplicationError({ type: "Oops", message: `${secret} message`, details: `${secret} details` })
    }
    return `${text}, ${yield* Effect.orDie(Activity.lastHeartbeat(Text))}`
  })
)
const Box = Workflow.make("Box", {
  payload: { text: Text },
  success: Text,
  memo: { note: Text },
  searchAttributes: { region: SearchAttribute.keyword },
  signals: { put: { payload: Text } },
  queries: { get: { success: Text } },
  updates: { set: { payload: Text, success: Text } }
})
const BoxLive = Box.toLayer(({ text }) =>
  Effect.sync(() => {
    let held = text
    let ended = false
    return Box.of({
      signals: { put: (more) => Effect.sync(() => void (ended = (held = more) !== "")) },
      queries: { get: () => Effect.sync(() => `${secret} answer ${held.length}`) },
      updates: {
        set: (more) => Effect.zipRight(Workflow.upsertMemo(Box, { note: more }), Effect.succeed(`${secret} update`))
      },
      run: Effect.gen(function*() {
        const worked = yield* Work.execute({ text }, { summary: `${secret} purpose` })
        yield* Workflow.sleep("1 millis", { summary: `${secret} wait` })
        yield* Workflow.condition(() => ended)
        return `${worked}, ${held}`
      })
    })
  })
)

const Outer = Workflow.make("Outer", { payload: Text, success: Text })
const Inner = Workflow.make("Inner", { payload: Text, success: Text })
const OuterLive = Outer.toLayer((text) => Effect.orDie(Inner.execute(`${text} input`)))
const InnerLive = Inner.toLayer((text) => Effect.succeed(`${text}, child result`))

const secret = "confidential"
const keys = { k1: randomBytes(32), k2: randomBytes(32) }
const encrypting = (...ids: ReadonlyArray<keyof typeof keys>) =>
  PayloadCodec.layer([
    PayloadCodec.compression(),
    PayloadCodec.encryption({ keys: Object.fromEntries(ids.map((id) => [id, keys[id]])), current: ids[0]! })
  ], { failureMessages: true })

const worker = (codecs: ReturnType<typeof encrypting>) =>
  run(Worker.layer({ maxCachedExecutions: 0, hosts: [BoxLive, WorkLive] }).pipe(Layer.provide(codecs)))
/** Each of its calls has a header. */
const header = Interceptor.layer(Interceptor.make("header", {
  client: {
    start: (call, next) => next({ ...call, headers: { token: `${secret} header` } }),
    signal: (call, next) => next({ ...call, headers: { token: `${secret} header` } }),
    query: (call, next) => next({ ...call, headers: { token: `${secret} header` } })
  }
}))
const remote = (codecs: ReturnType<typeof encrypting>) =>
  Effect.provide(Client, StoreClient.layer.pipe(Layer.provide([codecs, header])))

/** All that is on disk. */
const bytes = Effect.map(
  Store,
  ({ about: { location } }) =>
    ["", "-wal"].map((end) => fs.existsSync(location + end) ? fs.readFileSync(location + end, "latin1") : "").join("")
)

describe("encrypted payloads", () => {
  test(
    "are in no file in the clear: input, headers, result, messages, answers, memo, heartbeats, failures (N5, N6)",
    () =>
      Effect.gen(function*() {
        attempts = 0
        const client = yield* remote(encrypting("k1"))
        const handle = yield* client.start(Box, { text: `${secret} input` }, {
          memo: { note: `${secret} memo` },
          searchAttributes: { region: "public-region" },
          details: `${secret} static`,
          summary: `${secret} summary`
        })
        const first = yield* worker(encrypting("k1"))
        yield* until(handle.describe, ({ pendingActivities, turns }) => turns >= 2 && pendingActivities.length === 0)
        assert.strictEqual(yield* handle.query("get"), `${secret} answer ${`${secret} input`.length}`)
        assert.strictEqual(yield* handle.update("set", `${secret} note`), `${secret} update`)
        assert.strictEqual((yield* handle.describe).memo.note, `${secret} note`)
        assert.strictEqual((yield* handle.describe).summary, `${secret} summary`)
        yield* first.stop
        // The next worker has a new key, and the old one to read with.
        yield* worker(encrypting("k2", "k1"))
        const second = yield* remote(encrypting("k2", "k1"))
        yield* second.handle(Box, handle.workflowId).signal("put", `${secret} signal`)
        assert.strictEqual(
          yield* second.handle(Box, handle.workflowId).result,
          `${secret} input, ${secret} heartbeat, ${secret} signal`
        )
        const [begun] = yield* second.handle(Box, handle.workflowId).history
        assert.deepInclude(begun!.events[0], { headers: { token: `${secret} header` } })
        const written = yield* bytes
        assert.notInclude(written, secret)
        assert.include(written, "public-region")
        assert.include(written, "\"key\":\"k2\"")
      }),
    disk
  )

  test("of children neither, on their way there and back (N5, K1)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(
        Worker.layer({ maxCachedExecutions: 0, hosts: [OuterLive, InnerLive] }).pipe(Layer.provide(encrypting("k1")))
      )
      assert.strictEqual(yield* client.execute(Outer, secret), `${secret} input, child result`)
      assert.notInclude(yield* bytes, secret)
    }), disk)

  test(
    "that cannot be opened keep the run open, and say which key and which run (N5)",
    () =>
      Effect.gen(function*() {
        attempts = 5
        const first = yield* worker(encrypting("k1"))
        const handle = yield* first.client.start(Box, { text: "a" })
        yield* until(handle.history, (turns) => turns.length >= 2)
        yield* first.stop
        const second = yield* worker(encrypting("k2"))
        const client = second.client
        yield* Effect.ignore(client.handle(Box, handle.workflowId).query("get", undefined, { timeout: "1 second" }))
        const { attention } = yield* until(
          client.handle(Box, handle.workflowId).describe,
          ({ attention }) => attention !== undefined
        )
        assert.match(
          attention!.message,
          new RegExp(`run ${handle.runId}: codec aes-256-gcm: it was encrypted with key k1`)
        )
      }),
    disk
  )

  test(
    "of children and of signals to them are in no file in the clear; a termination is told all the same (N5, K1, K8)",
    () =>
      Effect.gen(function*() {
        const { client } = yield* run(
          Worker.layer({ hosts: [ChildLive, FamilyLive] }).pipe(Layer.provide(encrypting("k1")))
        )
        assert.strictEqual(yield* client.execute(Family, `${secret} payload`), `${secret} payload, ${secret} signal`)
        const handle = yield* client.start(Family, "", { workflowId: "waits" })
        yield* until(handle.history, (turns) => turns.length >= 2)
        yield* client.handle(Child, "waits/child").terminate("now")
        assert.strictEqual((yield* Effect.flip(handle.result))._tag, "WorkflowFailure")
        assert.notInclude(yield* bytes, secret)
      }),
    disk
  )
})

// -----------------------------------------------------------------------------
// whose a value is
// -----------------------------------------------------------------------------

/**
 * A key for each workflow id, and within it for each activity: taken from the place alone, on both ways. What comes back
 * to another place than it went to is not JSON any more.
 */
const keyed = (asked: Array<string>): PayloadCodec.PayloadCodec => {
  const turned = (bytes: Uint8Array, place: PayloadCodec.Place) =>
    Effect.map(place.activity, (activity) => {
      const { kind, runId, workflow, workflowId } = place
      asked.push([kind, workflow, workflowId, activity?.activity, activity?.activityId].join(" "))
      if (runId !== undefined) assert.isDefined(workflow, `${kind} of ${runId}`)
      const key = createHash("sha256").update(`${workflowId} ${activity?.activity} ${activity?.activityId}`).digest()
      return bytes.map((byte, index) => byte ^ key[index % key.length]!)
    })
  return {
    name: "keyed",
    encode: (bytes, place) => Effect.map(turned(bytes, place), (bytes) => ({ bytes })),
    decode: ({ bytes }, place) => turned(bytes, place)
  }
}

const Fails = Activity.make("Fails", {
  payload: Text,
  success: Text,
  startToCloseTimeout: "1 minute",
  retry: { initialInterval: 200, maximumAttempts: 2 }
})
let fails = 0
const FailsLive = Fails.toLayer((text) =>
  Effect.gen(function*() {
    yield* Activity.heartbeat(`${text} heartbeat`)
    if (++fails === 1) return yield* new ApplicationError({ type: "Oops", message: "once", details: `${text} details` })
    return `${text}, ${yield* Effect.orDie(Activity.lastHeartbeat(Text))}`
  })
)
const Chain = Workflow.make("Chain", {
  payload: { left: Schema.Number, told: Text },
  success: Text,
  signals: { tell: { payload: Text } },
  updates: { ask: { payload: Text, success: Text } },
  queries: { which: { payload: Text, success: Text } }
})
const ChainLive = Chain.toLayer(({ left, told }) =>
  Effect.sync(() => {
    let heard = told
    return Chain.of({
      signals: { tell: (word) => Effect.sync(() => void (heard = word)) },
      queries: { which: (asked) => Effect.succeed(`${asked} ${left} ${heard}`) },
      updates: { ask: (word) => Effect.succeed(`${word} to you`) },
      run: Effect.gen(function*() {
        yield* Workflow.condition(() => heard !== "")
        if (left > 0) return yield* Workflow.continueAsNew(Chain, { left: left - 1, told: heard })
        // Without a payload: nothing in its turn is encoded.
        yield* Effect.orDie(Nothing.execute(undefined, { activityId: "bare" }))
        const failed = yield* Effect.orDie(Fails.execute(heard, { activityId: "named" }))
        yield* Workflow.external(Chain, "other").signal("tell", `${heard} passed on`)
        return failed
      }).pipe(Effect.orDie)
    })
  })
)
const Nothing = Activity.make("Nothing", { success: Text, startToCloseTimeout: "1 minute" })
const NothingLive = Nothing.toLayer(() => Effect.succeed("something"))

describe("codecs", () => {
  test(
    "are told workflow and activity, the same on the way there and back, also after a restart and in other processes (N4)",
    () =>
      Effect.gen(function*() {
        fails = 0
        const asked: Array<string> = []
        const store = () => PayloadCodec.layer([keyed(asked)], { failureMessages: true })
        const working = () =>
          run(
            Worker.layer({ maxCachedExecutions: 0, hosts: [ChainLive, FailsLive, NothingLive, ChildLive, FamilyLive] })
              .pipe(
                Layer.provide(store())
              )
          )
        const first = yield* working()
        const far = yield* Effect.provide(Client, StoreClient.layer.pipe(Layer.provide(store())))
        yield* far.start(Chain, { left: 0, told: "" }, { workflowId: "other" })
        const handle = yield* far.start(Chain, { left: 1, told: "" }, { workflowId: "one" })
        assert.strictEqual(yield* handle.update("ask", "hello"), "hello to you")
        assert.strictEqual(yield* handle.query("which", "is"), "is 1 ")
        yield* handle.signal("tell", "news")
        // Stopped while the second attempt waits: what reads it is new to it all.
        yield* until(
          far.handle(Chain, "one").describe,
          ({ pendingActivities }) => pendingActivities.some(({ attempt }) => attempt === 2)
        )
        yield* first.stop
        yield* working()
        assert.strictEqual(yield* far.handle(Chain, "one").result, "news, news heartbeat")
        assert.strictEqual(yield* far.handle(Chain, "other").result, "news passed on, undefined")
        assert.strictEqual(
          yield* far.execute(Family, "kin", { workflowId: "kin" }),
          `kin, ${secret} signal`
        )
        const all = new Set(asked)
        for (
          const place of [
            "input Chain one  ",
            "input Chain one Fails named",
            "result Chain one Fails named",
            "result Chain one Nothing bare",
            "heartbeat Chain one Fails named",
            "details Chain one Fails named",
            "input Child kin/child  ",
            // To another execution by its workflow id, of which the sender knows no more.
            "input  other  ",
            // Answers to callers of other processes.
            "value    "
          ]
        ) assert.isTrue(all.has(place), `${place} among ${[...all].sort().join("; ")}`)
      }),
    disk
  )
})

describe("a value that its schema refuses", () => {
  const Even = Schema.Number.pipe(Schema.filter((n) => n % 2 === 0))
  const Takes = Activity.make("Takes", { payload: Even, startToCloseTimeout: "1 minute" })
  const TakesLive = Takes.toLayer(() => Effect.void)
  const Kid = Workflow.make("Kid", {
    payload: Even,
    signals: { put: { payload: Even } },
    updates: { add: { payload: Even } }
  })
  /** Where it is called, and nowhere else: whoever calls may catch it. */
  const told = <A, E, R>(call: Effect.Effect<A, E, R>) =>
    Effect.matchCause(call, {
      onSuccess: () => "taken",
      onFailure: (cause) => String(Cause.squash(cause)).split("\n")[0]!
    })
  const Caller = Workflow.make("Caller", { success: Schema.Array(Text) })
  const CallerLive = Caller.toLayer(() =>
    Effect.all([
      told(Takes.execute(1)),
      told(Takes.start(1)),
      told(Kid.execute(1)),
      told(Kid.start(1)),
      told(Workflow.external(Kid, "kid").signal("put", 1)),
      told(Workflow.continueAsNew(Kid, 1))
    ])
  )

  test("fails the call that it is given to, in a body and at a client (N4)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts: [CallerLive, TakesLive] }))
      const [executed, started, child, kid, signal, continued] = yield* client.execute(Caller)
      for (const refused of [executed, started]) assert.match(refused!, /ContractError: payload of activity Takes/)
      for (const refused of [child, kid, continued]) assert.match(refused!, /ContractError: payload of workflow Kid/)
      assert.match(signal!, /ContractError: payload of signal Kid.put/)
      const handle = client.handle(Kid, "none")
      const errors = yield* Effect.all([
        Effect.flip(client.start(Kid, 1)),
        Effect.flip(handle.signal("put", 1)),
        Effect.flip(handle.update("add", 1))
      ])
      assert.deepStrictEqual(errors.map(({ _tag }) => _tag), ["ContractError", "ContractError", "ContractError"])
    }))
})

const Child = Workflow.make("Child", { payload: Text, success: Text, signals: { put: { payload: Text } } })
const ChildLive = Child.toLayer((text) =>
  Effect.sync(() => {
    let held = ""
    return Child.of({
      signals: { put: (more) => Effect.sync(() => void (held = more)) },
      run: Effect.map(Workflow.condition(() => held !== ""), () => `${text}, ${held}`)
    })
  })
)
const Family = Workflow.make("Family", { payload: Text, success: Text })
const FamilyLive = Family.toLayer((text) =>
  Effect.gen(function*() {
    const { workflowId } = yield* Workflow.info
    const child = yield* Child.start(text, { workflowId: `${workflowId}/child` })
    if (text !== "") yield* child.signal("put", `${secret} signal`)
    return yield* child.result
  })
)
