/**
 * Interceptors on the real engine: where they stand, what they may change, and the headers that they send along (N6).
 */
import { assert, describe } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { Activity, ApplicationError, Client, Interceptor, State, Step, StoreClient, Worker, Workflow } from "perdure"
import { ActivityEnvironment, Durable, Replayer, TestEnvironment } from "perdure/testing"
import { disk, gate, run, test, until } from "./World.js"

const Text = Schema.String
class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", { who: Text }) {}

const Work = Activity.make("Work", {
  payload: Text,
  success: Text,
  startToCloseTimeout: "1 minute",
  retry: { initialInterval: 5, maximumAttempts: 3 }
})
const WorkLive = Work.toLayer((text) => Effect.succeed(`worked ${text}`))

const Shop = Workflow.make("Shop", {
  payload: Text,
  success: Text,
  error: Forbidden,
  signals: { say: { payload: Text } },
  queries: { said: { payload: Text, success: Text } },
  updates: { add: { payload: Text, success: Text, error: Forbidden } }
})

/** Ends with what it was told, once it was told "end". */
const ShopLive = Shop.toLayer((text) =>
  Effect.gen(function*() {
    const said = yield* State.make<ReadonlyArray<string>>([])
    const say = (word: string) => said.update((all) => [...all, word])
    return Shop.of({
      signals: { say },
      queries: { said: (asked) => Effect.map(said.get, (all) => `${asked}: ${all.join()}`) },
      updates: { add: (word) => Effect.as(say(word), `added ${word}`) },
      run: Effect.gen(function*() {
        const worked = yield* Work.execute(text)
        yield* Workflow.condition(Effect.map(said.get, (all) => all.includes("end")))
        return `${worked} ${(yield* said.get).join()}`
      })
    })
  })
)

/** Writes down each of its hooks as it is passed, on the way in and on the way out. */
const tracing = (name: string, trail: Array<string>) => {
  const pass = (hook: string) => <C, A, E>(call: C, next: (call: C) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      trail.push(`${name} ${hook}`)
      return Effect.tap(next(call), () => void trail.push(`${hook} ${name}`))
    })
  return Interceptor.make(name, {
    client: {
      start: pass("start"),
      signal: pass("signal"),
      query: pass("query"),
      update: pass("update"),
      cancel: pass("cancel"),
      terminate: pass("terminate"),
      result: pass("result")
    },
    workflow: {
      execute: pass("> execute"),
      signal: pass("> signal"),
      query: pass("> query"),
      update: pass("> update"),
      executeActivity: pass("executeActivity")
    },
    activity: { execute: pass("> attempt"), heartbeat: pass("heartbeat") }
  })
}

const taken = (trail: Array<string>) => trail.splice(0)

describe("interceptors", () => {
  test("stand around each call once, the first listed outermost (N6)", () =>
    Effect.gen(function*() {
      const trail: Array<string> = []
      const { client } = yield* run(
        Worker.layer({ hosts: [ShopLive, WorkLive] }).pipe(
          Layer.provide(Interceptor.layer(tracing("a", trail), tracing("b", trail)))
        )
      )
      const around = (hook: string) => [`a ${hook}`, `b ${hook}`, `${hook} b`, `${hook} a`]
      const handle = yield* client.start(Shop, "x")
      yield* until(handle.history, (turns) => turns.length === 2)
      const begun = taken(trail)
      assert.sameMembers(begun, [
        ...around("start"),
        "a > execute",
        "b > execute",
        ...around("executeActivity"),
        ...around("> attempt")
      ])
      assert.deepStrictEqual(
        begun.filter((entry) => entry.endsWith("> attempt") || entry.startsWith("> attempt")),
        around("> attempt")
      )
      yield* handle.signal("say", "hello")
      assert.sameMembers(taken(trail), [...around("signal"), ...around("> signal")])
      assert.strictEqual(yield* handle.query("said", "now"), "now: hello")
      assert.deepStrictEqual(taken(trail), [
        "a query",
        "b query",
        ...around("> query"),
        "query b",
        "query a"
      ])
      assert.strictEqual(yield* handle.update("add", "more"), "added more")
      assert.sameMembers(taken(trail), [...around("update"), ...around("> update")])
      yield* handle.cancel()
      yield* Effect.flip(handle.result)
      assert.deepStrictEqual(taken(trail), [...around("cancel"), "a result", "b result"])
      yield* Effect.flip(handle.terminate())
      assert.deepStrictEqual(taken(trail), ["a terminate", "b terminate"])
    }))

  test("alter what is given and what comes back, on each way (N6)", () =>
    Effect.gen(function*() {
      const loud = Interceptor.make("loud", {
        client: {
          start: (call, next) => next({ ...call, payload: `${String(call.payload)}1` }),
          signal: (call, next) => next({ ...call, payload: `${String(call.payload)}1` }),
          query: (call, next) =>
            Effect.map(next({ ...call, payload: `${String(call.payload)}1` }), (answer) => `${String(answer)}!`),
          update: (call, next) => next({ ...call, payload: `${String(call.payload)}1` }),
          result: (call, next) => Effect.map(next(call), (result) => `${String(result)}!`)
        },
        workflow: {
          execute: (call, next) =>
            Effect.map(next({ ...call, payload: `${String(call.payload)}2` }), (result) => `${String(result)}?`),
          signal: (call, next) =>
            next({ ...call, payload: call.payload === "end1" ? "end" : `${String(call.payload)}2` }),
          query: (call, next) =>
            Effect.map(next({ ...call, payload: `${String(call.payload)}2` }), (answer) => `${String(answer)}?`),
          update: (call, next) =>
            Effect.map(next({ ...call, payload: `${String(call.payload)}2` }), (result) => `${String(result)}?`),
          executeActivity: (call, next) =>
            Effect.map(next({ ...call, payload: `${String(call.payload)}3` }), (result) => `${String(result)}.`)
        },
        activity: {
          execute: (call, next) =>
            Effect.map(next({ ...call, payload: `${String(call.payload)}4` }), (result) => `${String(result)},`)
        }
      })
      const { client } = yield* run(
        Worker.layer({ hosts: [ShopLive, WorkLive] }).pipe(Layer.provide(Interceptor.layer(loud)))
      )
      const handle = yield* client.start(Shop, "x")
      yield* until(handle.history, (turns) => turns.length === 2)
      assert.strictEqual(yield* handle.update("add", "u"), "added u12?")
      yield* handle.signal("say", "s")
      assert.strictEqual(yield* handle.query("said", "q"), "q12: u12,s12?!")
      yield* handle.signal("say", "end")
      assert.strictEqual(yield* handle.result, "worked x1234,. u12,s12,end?!")
    }))

  test("stand around children, handles, steps, other executions, heartbeats and ends too (N6)", () =>
    Effect.gen(function*() {
      const Kid = Workflow.make("Kid", { payload: Text, success: Text })
      const KidLive = Kid.toLayer((text) => text === "waits1" ? Effect.never : Effect.succeed(text))
      const Beat = Activity.make("Beat", {
        success: Text,
        startToCloseTimeout: "1 minute",
        retry: { initialInterval: 1, maximumAttempts: 2 }
      })
      const BeatLive = Beat.toLayer(() =>
        Effect.gen(function*() {
          const last = yield* Effect.orDie(Activity.lastHeartbeat(Text))
          if (last !== undefined) return last
          yield* Activity.heartbeat("beat")
          return yield* Effect.die("again")
        })
      )
      const Calls = Workflow.make("Calls", { success: Schema.Array(Text) })
      const CallsLive = Calls.toLayer(() =>
        Effect.gen(function*() {
          const step = yield* Step.run("step", { success: Text, execute: Effect.succeed("step") })
          const started = yield* Effect.flatMap(Work.start("x"), ({ result }) => result)
          const executed = yield* Kid.execute("kid")
          const child = yield* Effect.flatMap(Kid.start("started"), ({ result }) => result)
          yield* Workflow.external(Kid, "other").cancel("why")
          return [step, started, executed, child, yield* Beat.execute()]
        }).pipe(Effect.orDie)
      )
      const one = (value: unknown) => `${String(value)}1`
      const ones = Interceptor.make("ones", {
        client: {
          start: (call, next) =>
            next({
              ...call,
              options: { ...call.options, summary: "told" },
              payload: call.payload === undefined ? undefined : one(call.payload)
            }),
          cancel: (call, next) => next({ ...call, reason: one(call.reason) }),
          terminate: (call, next) => next({ ...call, reason: one(call.reason) })
        },
        workflow: {
          runStep: (call, next) => Effect.map(next(call), (result) => `${one(result)} of ${call.step}`),
          startActivity: (call, next) =>
            Effect.map(next({ ...call, payload: one(call.payload) }), (handle) => ({
              ...handle,
              result: Effect.map(handle.result, one)
            })),
          executeChild: (call, next) => next({ ...call, payload: one(call.payload) }),
          startChild: (call, next) =>
            next({ ...call, payload: one(call.payload), options: { ...call.options, workflowId: "named" } }),
          cancelExternal: (call, next) => next({ ...call, reason: one(call.reason) })
        },
        activity: { heartbeat: (call, next) => next({ ...call, details: one(call.details) }) }
      })
      const { client } = yield* run(
        Worker.layer({ hosts: [CallsLive, KidLive, WorkLive, BeatLive] }).pipe(Layer.provide(Interceptor.layer(ones)))
      )
      const other = yield* client.start(Kid, "waits", { workflowId: "other" })
      assert.strictEqual((yield* other.describe).summary, "told")
      assert.deepStrictEqual(yield* client.execute(Calls), [
        "step1 of step",
        "worked x11",
        "kid1",
        "started1",
        "beat1"
      ])
      assert.strictEqual((yield* client.handle(Kid, "named").describe).status, "Completed")
      assert.match((yield* Effect.flip(other.result)).message, /canceled: why1/)
      for (const end of ["cancel", "terminate"] as const) {
        const handle = yield* client.start(Kid, "waits")
        yield* handle[end]("end")
        assert.match((yield* Effect.flip(handle.result)).message, /ed: end1/)
      }
    }))

  test("of a host stand inside of those of its worker, and one that is there is not there twice (N6)", () =>
    Effect.gen(function*() {
      const trail: Array<string> = []
      const [a, b] = [tracing("a", trail), tracing("b", trail)]
      const inner = WorkLive.pipe(Layer.provide(Interceptor.layer(b, a)))
      const { client } = yield* run(
        Worker.layer({ hosts: [ShopLive, inner] }).pipe(Layer.provide(Interceptor.layer(a)))
      )
      const handle = yield* client.start(Shop, "x")
      yield* until(handle.history, (turns) => turns.length === 2)
      assert.deepStrictEqual(taken(trail).filter((entry) => entry.includes("> attempt")), [
        "a > attempt",
        "b > attempt",
        "> attempt b",
        "> attempt a"
      ])
    }))

  test("see both parts of a start with a signal or an update (N6, S10, U13)", () =>
    Effect.gen(function*() {
      const trail: Array<string> = []
      yield* run(Worker.layer({ hosts: [ShopLive, WorkLive] }))
      const stamp = Interceptor.make("stamp", {
        client: {
          start: (call, next) => next({ ...call, payload: "started", headers: { by: "start" } }),
          signal: (call, next) => next({ ...call, payload: "signaled", headers: { by: "signal" } }),
          update: (call, next) => next({ ...call, payload: "updated", headers: { by: "update" } })
        }
      })
      const client = yield* Effect.provide(
        Client,
        StoreClient.layer.pipe(Layer.provide(Interceptor.layer(stamp, tracing("a", trail))))
      )
      const first = yield* client.signalWithStart(Shop, "x", { name: "say", payload: "y" }, { workflowId: "1" })
      assert.deepStrictEqual(taken(trail), ["a start", "a signal", "signal a", "start a"])
      const { handle: second, update } = yield* client.updateWithStart(
        Shop,
        "x",
        { name: "add", payload: "y" },
        { workflowId: "2", idConflict: "Fail" }
      )
      assert.strictEqual(yield* update.result, "added updated")
      assert.deepStrictEqual(taken(trail), ["a start", "a update", "update a", "start a"])
      for (const handle of [first, second]) {
        const [turn] = yield* until(handle.history, (turns) => turns.length > 0)
        assert.deepInclude(turn!.events[0], { input: "started", headers: { by: "start" } })
        assert.deepInclude(turn!.events[1], { headers: { by: handle === first ? "signal" : "update" } })
      }
      const silent = Interceptor.make("silent", { client: { signal: () => Effect.void } })
      const mute = yield* Effect.provide(
        Client,
        StoreClient.layer.pipe(Layer.provide(Interceptor.layer(silent)))
      )
      const cause = yield* Effect.flip(Effect.sandbox(
        mute.signalWithStart(Shop, "x", { name: "say", payload: "y" }, { workflowId: "3" })
      ))
      assert.match(Cause.pretty(cause), /did not go on with its message: nothing was started/)
    }))
})

// -----------------------------------------------------------------------------
// headers
// -----------------------------------------------------------------------------

const tenant = FiberRef.unsafeMake("nobody")
const ofCall = ({ headers }: { readonly headers: Interceptor.Headers }) => String(headers["tenant"] ?? "nobody")
const stamped = <C extends { readonly headers: Interceptor.Headers }, A, E>(
  call: C,
  next: (call: C) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.flatMap(FiberRef.get(tenant), (name) => next({ ...call, headers: { ...call.headers, tenant: name } }))
const within = <C extends { readonly headers: Interceptor.Headers }, A, E>(
  call: C,
  next: (call: C) => Effect.Effect<A, E>
): Effect.Effect<A, E> => Effect.locally(next(call), tenant, ofCall(call))

/** Carries the tenant of a fiber wherever its calls go. */
const Tenant = Interceptor.make("Tenant", {
  client: { start: stamped, signal: stamped, query: stamped, update: stamped },
  workflow: {
    execute: within,
    signal: within,
    query: within,
    update: within,
    validate: within,
    executeActivity: stamped,
    startActivity: stamped,
    executeChild: stamped,
    startChild: stamped,
    signalExternal: stamped
  },
  activity: { execute: within }
})
const tenants = Interceptor.layer(Tenant)
const as = (name: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.locally(effect, tenant, name)

const Who = Activity.make("Who", {
  payload: Text,
  success: Text,
  startToCloseTimeout: "1 minute",
  retry: { initialInterval: 5, maximumAttempts: 3 }
})
/** Fails once for each payload. */
const whoLive = (failed: Set<string>, closed: { pass: Effect.Effect<void> } = { pass: Effect.void }) =>
  Who.toLayer((text) =>
    Effect.gen(function*() {
      const { attempt, headers } = yield* Activity.info
      yield* closed.pass
      if (!failed.has(text)) {
        failed.add(text)
        return yield* new ApplicationError({ type: "Once", message: "once" })
      }
      return `${text} ${yield* FiberRef.get(tenant)} ${JSON.stringify(headers)} ${attempt}`
    })
  )

const Leaf = Workflow.make("Leaf", { success: Text, signals: { go: {} } })
const LeafLive = Leaf.toLayer(() =>
  Effect.gen(function*() {
    const went = yield* Deferred.make<string>()
    return Leaf.of({
      signals: { go: () => Effect.flatMap(FiberRef.get(tenant), (name) => Deferred.succeed(went, name)) },
      run: Effect.gen(function*() {
        const by = yield* Deferred.await(went)
        return `leaf ${yield* FiberRef.get(tenant)} by ${by}`
      })
    })
  })
)
const Tree = Workflow.make("Tree", { payload: Schema.Number, success: Schema.Array(Text) })
const TreeLive = Tree.toLayer((left) =>
  Effect.gen(function*() {
    const { headers } = yield* Workflow.info
    const own = `tree ${yield* FiberRef.get(tenant)} ${JSON.stringify(headers)}`
    if (left > 0) return yield* Workflow.continueAsNew(Tree, left - 1)
    const executed = yield* Who.execute("execute")
    const started = yield* Effect.flatMap(Who.start("start"), ({ result }) => result)
    const leaf = yield* Leaf.start()
    yield* leaf.signal("go")
    return [own, executed, started, yield* leaf.result]
  }).pipe(Effect.orDie)
)
const expected = [
  `tree acme {"tenant":"acme"}`,
  `execute acme {"tenant":"acme"} 2`,
  `start acme {"tenant":"acme"} 2`,
  "leaf acme by acme"
]

describe("headers", () => {
  test("go with a start, to activities on every attempt, to children and their signals, to the next run (N6, W11, A1)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(
        Worker.layer({ maxCachedExecutions: 0, hosts: [TreeLive, LeafLive, whoLive(new Set())] }).pipe(
          Layer.provide(tenants)
        )
      )
      assert.deepStrictEqual(yield* as("acme")(client.execute(Tree, 0)), expected)
      const { client: other } = yield* run(
        Worker.layer({ hosts: [TreeLive, LeafLive, whoLive(new Set())], taskQueue: "other" }).pipe(
          Layer.provide(tenants)
        )
      )
      // Two runs later they are still there.
      assert.deepStrictEqual(yield* as("acme")(other.execute(Tree, 2, { taskQueue: "other" })), expected)
    }))

  test("are there after a restart, and on the attempt that follows it (N6)", () =>
    Effect.gen(function*() {
      const closed = gate()
      const failed = new Set(["execute", "start"])
      const first = yield* run(
        Worker.layer({ hosts: [TreeLive, LeafLive, whoLive(failed, closed)], shutdownGrace: 0 }).pipe(
          Layer.provide(tenants)
        )
      )
      const handle = yield* as("acme")(first.client.start(Tree, 0))
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "started")
      yield* first.stop
      const { client } = yield* run(
        Worker.layer({ hosts: [TreeLive, LeafLive, whoLive(new Set())] }).pipe(Layer.provide(tenants))
      )
      const [own, executed, , leaf] = yield* client.handle(Tree, handle.workflowId).result
      assert.deepStrictEqual([own, leaf], [expected[0], expected[3]])
      assert.match(executed!, /^execute acme {"tenant":"acme"} [23]$/)
    }), disk)

  test("of messages are told to their handlers, from other processes too (N6)", () =>
    Effect.gen(function*() {
      const Ear = Workflow.make("Ear", {
        success: Schema.Array(Text),
        signals: { say: {} },
        queries: { who: { success: Text } },
        updates: { ask: { success: Text } }
      })
      const who = (kind: string) => Effect.map(FiberRef.get(tenant), (name) => `${kind} ${name}`)
      const EarLive = Ear.toLayer(() =>
        Effect.gen(function*() {
          const heard = yield* State.make<ReadonlyArray<string>>([])
          const note = (kind: string) => Effect.tap(who(kind), (line) => heard.update((all) => [...all, line]))
          return Ear.of({
            signals: { say: () => note("signal") },
            queries: { who: () => who("query") },
            updates: { ask: { validate: () => Effect.void, handle: () => note("update") } },
            run: Effect.zipRight(Workflow.condition(Effect.map(heard.get, (all) => all.length === 4)), heard.get)
          })
        })
      )
      const { client } = yield* run(
        Worker.layer({ maxCachedExecutions: 0, hosts: [EarLive] }).pipe(Layer.provide(tenants))
      )
      const far = yield* Effect.provide(Client, StoreClient.layer.pipe(Layer.provide(tenants)))
      const { workflowId } = yield* as("start")(client.start(Ear))
      for (const [name, each] of [["near", client], ["far", far]] as const) {
        const handle = each.handle(Ear, workflowId)
        yield* as(name)(handle.signal("say"))
        assert.strictEqual(yield* as(name)(handle.query("who")), `query ${name}`)
        assert.strictEqual(yield* as(name)(handle.update("ask")), `update ${name}`)
      }
      assert.deepStrictEqual(yield* client.handle(Ear, workflowId).result, [
        "signal near",
        "update near",
        "signal far",
        "update far"
      ])
    }))

  test("are altered by a hook of continueAsNew, and taken over by a retry (N6, K10, X9)", () =>
    Effect.gen(function*() {
      const Again = Workflow.make("Again", {
        payload: Schema.Number,
        success: Text,
        retry: { initialInterval: 1, maximumAttempts: 2 }
      })
      const AgainLive = Again.toLayer((left) =>
        Effect.gen(function*() {
          const { attempt, headers } = yield* Workflow.info
          if (left > 0) return yield* Workflow.continueAsNew(Again, left - 1)
          if (attempt === 1) return yield* new ApplicationError({ type: "First", message: "attempt" })
          return JSON.stringify(headers)
        })
      )
      const counting = Interceptor.make("counting", {
        client: { start: (call, next) => next({ ...call, headers: { runs: 1, keeps: true } }) },
        workflow: {
          continueAsNew: (call, next) =>
            next({ ...call, headers: { ...call.headers, runs: Number(call.headers["runs"]) + 1 } })
        }
      })
      const { client } = yield* run(
        Worker.layer({ hosts: [AgainLive] }).pipe(Layer.provide(Interceptor.layer(counting)))
      )
      assert.strictEqual(yield* client.execute(Again, 2), `{"runs":3,"keeps":true}`)
    }))

  test("are bounded, and are JSON: what is not is refused at the call (N6, I10)", () =>
    Effect.gen(function*() {
      const given = { headers: {} as Interceptor.Headers }
      const free = Interceptor.make("free", {
        client: {
          start: (call, next) => next({ ...call, ...given }),
          signal: (call, next) => next({ ...call, ...given }),
          query: (call, next) => next({ ...call, ...given }),
          update: (call, next) => next({ ...call, ...given })
        },
        workflow: { executeActivity: (call, next) => next({ ...call, headers: { at: new Date(0) } }) }
      })
      const { client } = yield* run(
        Worker.layer({ hosts: [ShopLive, WorkLive] }).pipe(Layer.provide(Interceptor.layer(free)))
      )
      const handle = yield* client.start(Shop, "x")
      const { attention } = yield* until(handle.describe, ({ attention }) => attention !== undefined)
      assert.match(attention!.message, /activity Work: headers at at: a Date is not JSON/)
      const refused = () =>
        Effect.gen(function*() {
          const errors = yield* Effect.all([
            Effect.flip(client.start(Shop, "x")),
            Effect.flip(handle.signal("say", "x")),
            Effect.flip(handle.query("said", "x")),
            Effect.flip(handle.update("add", "x"))
          ])
          return errors.map((error) => `${error._tag} ${error.message}`)
        })
      given.headers = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`h${index}`, index]))
      for (const message of yield* refused()) assert.match(message, /^ContractError .*65 headers, more than 64/)
      given.headers = { long: "x".repeat(20_000) }
      for (const message of yield* refused()) assert.match(message, /^ContractError .*more than 16384/)
    }))

  test("leave no field where there are none (N6)", () =>
    Effect.gen(function*() {
      const nothing = Interceptor.make("nothing", {
        client: { start: (call, next) => next(call), signal: (call, next) => next({ ...call, headers: {} }) },
        workflow: {
          execute: (call, next) => next(call),
          executeActivity: (call, next) => next({ ...call, headers: {} })
        }
      })
      const { client } = yield* run(
        Worker.layer({ hosts: [ShopLive, WorkLive] }).pipe(Layer.provide(Interceptor.layer(nothing)))
      )
      const handle = yield* client.start(Shop, "x")
      yield* handle.signal("say", "end")
      yield* handle.result
      assert.notInclude(JSON.stringify(yield* handle.history), "headers")
    }))
})

// -----------------------------------------------------------------------------
// failures, services, determinism
// -----------------------------------------------------------------------------

describe("a hook", () => {
  test("of a workflow that throws fails the turn, and not the run (N6, I7)", () =>
    Effect.gen(function*() {
      let broken = true
      const faulty = Interceptor.make("faulty", {
        workflow: {
          execute: (call, next) => broken ? Effect.die(new Error("hook broke")) : next(call),
          signal: (call, next) => {
            if (broken) throw new Error("hook threw")
            return next(call)
          }
        }
      })
      const { client } = yield* run(
        Worker.layer({ hosts: [ShopLive, WorkLive] }).pipe(Layer.provide(Interceptor.layer(faulty)))
      )
      const handle = yield* client.start(Shop, "x")
      const first = yield* until(handle.describe, ({ attention }) => attention !== undefined)
      assert.match(first.attention!.message, /workflow Shop threw: Error: hook broke/)
      broken = false
      yield* until(handle.describe, ({ attention }) => attention === undefined)
      broken = true
      yield* handle.signal("say", "end")
      const second = yield* until(handle.describe, ({ attention }) => attention !== undefined)
      assert.match(second.attention!.message, /signal say threw: Error: hook threw/)
      broken = false
      assert.strictEqual(yield* handle.result, "worked x end")
    }))

  test("of an activity that throws fails the attempt, and one of a client the call (N6)", () =>
    Effect.gen(function*() {
      let attempts = 0
      const faulty = Interceptor.make("faulty", {
        client: { query: () => Effect.die(new Error("no queries")) },
        activity: {
          execute: (call, next) => ++attempts === 1 ? Effect.die(new Error("hook broke")) : next(call)
        }
      })
      const { client } = yield* run(
        Worker.layer({ hosts: [ShopLive, WorkLive] }).pipe(Layer.provide(Interceptor.layer(faulty)))
      )
      const handle = yield* client.start(Shop, "x")
      const asked = yield* Effect.exit(handle.query("said", "x"))
      assert.isTrue(Exit.isFailure(asked) && Cause.isDie(asked.cause))
      yield* handle.signal("say", "end")
      assert.strictEqual(yield* handle.result, "worked x end")
      assert.strictEqual(attempts, 2)
      const completed = (yield* handle.history).flatMap(({ events }) => events).find((event) =>
        event._tag === "ActivityCompleted"
      )
      assert.deepInclude(completed, { attempt: 2 })
    }))

  test("refuses an update that has no validator, with a declared error or another one (N6, U2)", () =>
    Effect.gen(function*() {
      const guard = Interceptor.make("guard", {
        client: { update: (call, next) => next({ ...call, headers: { who: call.payload } }) },
        workflow: {
          validate: (call, next) =>
            call.headers["who"] === "eve"
              ? new Forbidden({ who: "eve" })
              : call.headers["who"] === "mallory"
              ? new ApplicationError({ type: "Locked", message: "no" })
              : next(call)
        }
      })
      const { client } = yield* run(
        Worker.layer({ hosts: [ShopLive, WorkLive] }).pipe(Layer.provide(Interceptor.layer(guard)))
      )
      const handle = yield* client.start(Shop, "x")
      yield* until(handle.history, (turns) => turns.length === 2)
      const refused = yield* Effect.flip(handle.update("add", "eve"))
      assert.deepStrictEqual(refused, new Forbidden({ who: "eve" }))
      const locked = yield* Effect.flip(handle.update("add", "mallory"))
      assert.deepInclude(locked, { _tag: "UpdateFailed", rejected: true })
      assert.deepInclude((locked as { readonly failure: object }).failure, { type: "Locked" })
      assert.strictEqual((yield* handle.history).length, 2)
      assert.strictEqual(yield* handle.update("add", "ada"), "added ada")
    }))

  test("sees the services of its Layer, and gives others to what it stands around (N6)", () =>
    Effect.gen(function*() {
      class Rate extends Context.Tag("Rate")<Rate, number>() {}
      class Language extends Context.Reference<Language>()("Language", { defaultValue: () => "none" }) {}
      const seen: Array<number> = []
      const Price = Activity.make("Price", { success: Text, startToCloseTimeout: "1 minute" })
      const PriceLive = Price.toLayer(() =>
        Effect.gen(function*() {
          yield* Activity.heartbeat("alive")
          return `${yield* Rate} ${yield* Language}`
        })
      ).pipe(Layer.provide(Layer.succeed(Rate, 2)))
      const Quote = Workflow.make("Quote", { success: Text })
      const QuoteLive = Quote.toLayer(() =>
        Effect.flatMap(Effect.orDie(Price.execute()), (price) => Effect.map(Language, (own) => `${price} ${own}`))
      )
      const speaking = Interceptor.make("speaking", {
        client: { start: (call, next) => Effect.zipRight(Effect.map(Rate, (rate) => seen.push(rate)), next(call)) },
        workflow: { execute: (call, next) => Effect.provideService(next(call), Language, "latin") },
        activity: {
          execute: (call, next) =>
            Effect.flatMap(Rate, (rate) => {
              seen.push(rate)
              return Effect.provideService(next(call), Language, "greek")
            }),
          heartbeat: (call, next) =>
            Effect.flatMap(Rate, (rate) => {
              seen.push(rate)
              return next(call)
            })
        }
      })
      const { client } = yield* run(
        Worker.layer({ hosts: [QuoteLive, PriceLive] }).pipe(
          Layer.provide(Interceptor.layer(speaking).pipe(Layer.provide(Layer.succeed(Rate, 1))))
        )
      )
      // The body sees the rate of its own Layer, its interceptor that of the interceptor's.
      assert.strictEqual(yield* client.execute(Quote), "2 greek latin")
      assert.deepStrictEqual(seen, [1, 1, 1])
    }))

  test("draws random numbers of its own: those of the body are the same without it (N6, W2)", () =>
    Effect.gen(function*() {
      const Draw = Workflow.make("Draw", { success: Schema.Array(Schema.Number) })
      const DrawLive = Draw.toLayer(() =>
        Effect.gen(function*() {
          const first = yield* Random.next
          yield* Effect.orDie(Work.execute("x"))
          return [first, yield* Random.next]
        })
      )
      const drawn: Array<number> = []
      const drawing = (name: string) =>
        Interceptor.make(name, {
          workflow: {
            execute: (call, next) =>
              Effect.flatMap(Random.next, (number) => {
                drawn.push(number)
                return next(call)
              }),
            executeActivity: (call, next) => Effect.zipLeft(next(call), Random.next)
          }
        })
      const hosts = [DrawLive, WorkLive] as const
      const { client } = yield* run(
        Worker.layer({ hosts }).pipe(Layer.provide(Interceptor.layer(drawing("a"), drawing("b"))))
      )
      const handle = yield* client.start(Draw)
      const numbers = yield* handle.result
      assert.strictEqual(new Set([...numbers, ...drawn]).size, 4)
      // The same run without them, and with others: what its body drew it draws again.
      const history = { runId: handle.runId, turns: yield* handle.history }
      yield* Replayer.replay(hosts, history)
      const others = Interceptor.layer(drawing("a"), drawing("c"))
      yield* Replayer.replay(hosts.map((host) => Layer.provide(host as Layer.Layer<never>, others)), history)
      assert.strictEqual(drawn[2], drawn[0])
      assert.notStrictEqual(drawn[3], drawn[1])
    }))

  test("draws what it drew before a reset again, and other numbers from there on (N6, W2, C11)", () =>
    Effect.gen(function*() {
      const Waits = Workflow.make("Waits", { success: Schema.Array(Schema.Number), signals: { go: {} } })
      const WaitsLive = Waits.toLayer(() =>
        Effect.gen(function*() {
          const went = yield* Deferred.make<void>()
          return Waits.of({
            signals: { go: () => Deferred.succeed(went, undefined) },
            run: Effect.as(Deferred.await(went), [])
          })
        })
      )
      const drawing = Interceptor.make("drawing", {
        workflow: {
          execute: (call, next) =>
            Effect.gen(function*() {
              const first = yield* Random.next
              yield* next(call)
              return [first, yield* Random.next]
            })
        }
      })
      const { client } = yield* run(
        Worker.layer({ hosts: [WaitsLive] }).pipe(Layer.provide(Interceptor.layer(drawing)))
      )
      const handle = yield* client.start(Waits)
      yield* handle.signal("go")
      const drawn = yield* handle.result
      const again = yield* (yield* handle.reset()).result
      assert.strictEqual(again[0], drawn[0])
      assert.notStrictEqual(again[1], drawn[1])
    }))

  test("runs again on replay; a command that it adds is in the history (N6, N7)", () =>
    Effect.gen(function*() {
      const pausing = Interceptor.layer(Interceptor.make("pausing", {
        workflow: { executeActivity: (call, next) => Effect.zipRight(Effect.sleep("5 millis"), next(call)) }
      }))
      const hosts = [ShopLive.pipe(Layer.provide(pausing)), WorkLive] as const
      const { client } = yield* run(Worker.layer({ maxCachedExecutions: 0, hosts }))
      const handle = yield* client.start(Shop, "x")
      yield* handle.signal("say", "end")
      assert.strictEqual(yield* handle.result, "worked x end")
      const history = { runId: handle.runId, turns: yield* handle.history }
      yield* Replayer.replay(hosts, history)
      yield* Effect.provide(Replayer.replay([ShopLive], history), pausing)
      const differs = yield* Effect.flip(Replayer.replay([ShopLive], history))
      assert.strictEqual(differs._tag, "NondeterminismError")
    }))

  test("that calls for what no event records fails the turn, and names the place (N6, I8)", () =>
    Effect.gen(function*() {
      const careless = Interceptor.make("careless", {
        workflow: { execute: (call, next) => Effect.suspend(() => next({ ...call, headers: { now: Math.random() } })) }
      })
      const { client } = yield* run(
        Worker.layer({ hosts: [ShopLive, WorkLive] }).pipe(Layer.provide(Interceptor.layer(careless)))
      )
      const handle = yield* client.start(Shop, "x")
      const { attention } = yield* until(handle.describe, ({ attention }) => attention !== undefined)
      assert.match(attention!.message, /Math.random in a workflow body \(.*interceptors\.test\.ts/)
    }))

  test("stands around the calls of a client that an activity has (N6, A18)", () =>
    Effect.gen(function*() {
      const Orders = Activity.make("Orders", { success: Text, startToCloseTimeout: "1 minute" })
      const OrdersLive = Orders.toLayer(() =>
        Effect.flatMap(Client, (client) =>
          Effect.map(Effect.orDie(client.start(Leaf, undefined, { workflowId: "leaf" })), ({ workflowId }) =>
            workflowId))
      ).pipe(Layer.provide(StoreClient.layer))
      const Boss = Workflow.make("Boss", { success: Text })
      const BossLive = Boss.toLayer(() =>
        Effect.orDie(Orders.execute())
      )
      const { client } = yield* run(
        Worker.layer({ hosts: [BossLive, OrdersLive, LeafLive] }).pipe(Layer.provide(tenants))
      )
      yield* as("acme")(client.execute(Boss))
      const [turn] = yield* until(client.handle(Leaf, "leaf").history, (turns) => turns.length > 0)
      assert.deepInclude(turn!.events[0], { headers: { tenant: "acme" } })
    }))

  test("is there in a test environment, and around an activity alone (N6, T1, T3)", () =>
    Effect.gen(function*() {
      const given = Interceptor.layer(
        Tenant,
        Interceptor.make("twice", {
          activity: { execute: (call, next) => Effect.map(next(call), (text) => `${String(text)} twice`) }
        })
      )
      const EchoLive = Who.toLayer((text) => Effect.map(FiberRef.get(tenant), (name) => `${text} ${name}`))
      const environment = ActivityEnvironment.make({ info: { headers: { tenant: "acme" } } })
      assert.strictEqual(
        yield* environment.run(Who, EchoLive.pipe(Layer.provide(given)), "x"),
        "x acme twice"
      )
      const Asks = Workflow.make("Asks", { success: Text })
      const AsksLive = Asks.toLayer(() => Effect.zipRight(Effect.sleep("1 day"), Effect.orDie(Who.execute("x"))))
      const asked = yield* as("acme")(Effect.flatMap(Client, (client) => client.execute(Asks))).pipe(
        Effect.provide(TestEnvironment.layer({ hosts: [AsksLive, EchoLive] }).pipe(Layer.provide(given)))
      )
      assert.strictEqual(asked, "x acme twice")
    }))

  test("survives every crash, with what it adds (N6)", () =>
    Effect.gen(function*() {
      const auditing = Interceptor.layer(
        Tenant,
        Interceptor.make("audit", {
          workflow: {
            execute: (call, next) => Effect.zipLeft(next(call), Effect.sleep("1 second")),
            executeActivity: (call, next) =>
              Effect.zipRight(Effect.sleep("1 second"), next({ ...call, headers: { ...call.headers, audit: true } }))
          }
        })
      )
      const Pair = Workflow.make("Pair", { payload: Text, success: Text, signals: { next: {} } })
      const PairLive = Pair.toLayer((text) =>
        Effect.gen(function*() {
          const go = yield* Deferred.make<void>()
          return Pair.of({
            signals: { next: () => Deferred.succeed(go, undefined) },
            run: Effect.gen(function*() {
              const first = yield* Effect.orDie(Noted.execute(text))
              yield* Effect.timeoutOption(Deferred.await(go), "1 hour")
              return first
            })
          })
        })
      )
      const Noted = Activity.make("Noted", { payload: Text, success: Text, startToCloseTimeout: "5 seconds" })
      const NotedLive = Noted.toLayer(() => Effect.map(Activity.info, ({ headers }) => JSON.stringify(headers)))
      const report = yield* Durable.check(Pair, {
        runs: 4,
        shrinkMillis: 300,
        cancels: false,
        hosts: () => [PairLive.pipe(Layer.provide(auditing)), NotedLive.pipe(Layer.provide(auditing))],
        holds: ({ outcome }) =>
          assert.deepStrictEqual(outcome, { _tag: "Completed", value: `{"tenant":"nobody","audit":true}` })
      })
      assert.isAbove(report.crashPoints.tried, 20)
    }))
})
