/**
 * Versions of workers (V6): who takes which run, what moves and what stays, what operators see and change.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Client } from "perdure"
import { Activity, Batch, Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import { remote, run, test, until } from "./World.js"

const build = (buildId: string) => ({ deployment: "shop", buildId })

const Where = Activity.make("Where", { success: Schema.String, startToCloseTimeout: "10 seconds" })

/** Each `step` signal appends on which build it was taken. */
const contract = {
  success: Schema.Array(Schema.String),
  signals: { step: {}, call: {}, next: { payload: Schema.Literal("as it is", "upgraded") }, end: {} },
  queries: { seen: { success: Schema.Array(Schema.String) }, code: { success: Schema.String } }
} as const

const Pinned = Workflow.make("Pinned", { ...contract, versioningBehavior: "Pinned" })
const Moving = Workflow.make("Moving", { ...contract, versioningBehavior: "AutoUpgrade" })
const Parent = Workflow.make("Parent", {
  payload: Schema.Struct({ child: Schema.String, taskQueue: Schema.optional(Schema.String) }),
  success: Schema.Array(Schema.String),
  versioningBehavior: "Pinned",
  signals: { go: {} }
})

const here = Effect.map(Workflow.info, ({ deploymentVersion }) => deploymentVersion?.buildId ?? "none")

const body = (workflow: typeof Pinned | typeof Moving, code: string) =>
  (workflow as typeof Pinned).toLayer(() =>
    Effect.gen(function*() {
      const seen: Array<string> = [yield* here]
      let ending: "" | "end" | "as it is" | "upgraded" = ""
      return (workflow as typeof Pinned).of({
        signals: {
          step: () => Effect.map(here, (build) => void seen.push(build)),
          call: () => Effect.map(Where.execute(), (by) => void seen.push(by)),
          next: (how) => Effect.sync(() => void (ending = how)),
          end: () => Effect.sync(() => void (ending = "end"))
        },
        queries: { seen: () => Effect.succeed(seen), code: () => Effect.succeed(code) },
        run: Effect.gen(function*() {
          yield* Workflow.condition(() => ending !== "")
          if (ending !== "end") yield* Workflow.continueAsNew(workflow, undefined, { upgrade: ending === "upgraded" })
          return seen
        })
      })
    })
  )

const worker = (
  code: string,
  options: Partial<Omit<Worker.Options<ReadonlyArray<Worker.HostLayer>>, "hosts" | "tuner">> = {}
) =>
  Worker.layer({
    version: code === "none" ? undefined : build(code),
    lease: "1 second",
    ...options,
    hosts: [
      body(Pinned, code),
      body(Moving, code),
      Where.toLayer(() => Effect.succeed(`activity on ${code}`)),
      Parent.toLayer(({ child, taskQueue }) =>
        Effect.sync(() => {
          let go = false
          return Parent.of({
            signals: { go: () => Effect.sync(() => void (go = true)) },
            run: Effect.zipRight(
              Workflow.condition(() => go),
              (child === "Pinned" ? Pinned : Moving).execute(undefined, {
                workflowId: `child ${child}${taskQueue ?? ""}`,
                taskQueue
              })
            ).pipe(Effect.orDie)
          })
        })
      )
    ]
  })

const seenBy = (
  handle: { readonly query: (name: "seen") => Effect.Effect<ReadonlyArray<string>, unknown> },
  count: number
) => until(handle.query("seen"), (seen) => seen.length >= count)

const deploymentOf = (client: Client["Type"]) => client.deployments.describe("shop")

describe("a deployment", () => {
  test("new runs go to the current build; a pinned one stays, one that moves moves at its next turn (V6)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      yield* run(worker("1"))
      yield* client.deployments.setCurrent("shop", "1")
      const pinned = yield* client.start(Pinned, undefined, { workflowId: "pinned" })
      const moving = yield* client.start(Moving, undefined, { workflowId: "moving" })
      assert.deepStrictEqual(yield* seenBy(pinned, 1), ["1"])
      assert.deepStrictEqual(yield* seenBy(moving, 1), ["1"])
      yield* run(worker("2"))
      yield* client.deployments.setCurrent("shop", "2")
      yield* pinned.signal("step")
      yield* moving.signal("step")
      assert.deepStrictEqual(yield* seenBy(pinned, 2), ["1", "1"])
      assert.deepStrictEqual(yield* seenBy(moving, 2), ["1", "2"])
      assert.strictEqual(yield* pinned.query("code"), "1")
      assert.strictEqual(yield* moving.query("code"), "2")
      const late = yield* client.start(Pinned, undefined, { workflowId: "late" })
      assert.deepStrictEqual(yield* seenBy(late, 1), ["2"])
      yield* Effect.forEach([pinned, moving, late], (handle) => handle.signal("end"))
      assert.deepStrictEqual(yield* pinned.result, ["1", "1"])
      assert.deepStrictEqual(yield* moving.result, ["1", "2"])
      assert.deepStrictEqual(yield* late.result, ["2"])
      const turns = yield* moving.history
      assert.deepStrictEqual(
        turns.flatMap(({ events }) => events.flatMap((event) => event._tag === "VersionAssigned" ? [event] : [])),
        ["1", "2"].map((buildId) => ({
          _tag: "VersionAssigned" as const,
          version: build(buildId),
          behavior: "AutoUpgrade" as const
        }))
      )
      assert.strictEqual(turns[0]!.events[1]!._tag, "VersionAssigned")
    }))

  test("in the memory of the worker that serves the client, the same holds (V6)", () =>
    Effect.gen(function*() {
      const one = yield* run(worker("1"))
      const { client } = one
      yield* client.deployments.setCurrent("shop", "1")
      const moving = yield* client.start(Moving)
      const pinned = yield* client.start(Pinned)
      yield* run(worker("2"))
      yield* client.deployments.setCurrent("shop", "2")
      yield* Effect.forEach([moving, pinned], (handle) => handle.signal("step"))
      assert.deepStrictEqual(yield* seenBy(moving, 2), ["1", "2"])
      assert.deepStrictEqual(yield* seenBy(pinned, 2), ["1", "1"])
      assert.deepStrictEqual(yield* seenBy(yield* client.start(Pinned), 1), ["2"])
    }))

  test("an idle run moves by its timer, too (V6)", () =>
    Effect.gen(function*() {
      const Sleeper = Workflow.make("Sleeper", { success: Schema.String, versioningBehavior: "AutoUpgrade" })
      const sleeper = (buildId: string) =>
        Worker.layer({
          version: build(buildId),
          hosts: [Sleeper.toLayer(() => Effect.zipRight(Effect.sleep("300 millis"), here))]
        })
      const { client } = yield* run(sleeper("1"))
      yield* client.deployments.setCurrent("shop", "1")
      const handle = yield* client.start(Sleeper)
      yield* until(handle.describe, ({ turns }) => turns === 1)
      yield* run(sleeper("2"))
      yield* client.deployments.setCurrent("shop", "2")
      assert.strictEqual(yield* handle.result, "2")
    }))

  test("workers without a version take what no deployment has, and nothing that is pinned (V6)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      yield* run(worker("none"))
      const before = yield* client.start(Moving, undefined, { workflowId: "before" })
      const kept = yield* client.start(Pinned, undefined, { workflowId: "kept" })
      assert.deepStrictEqual(yield* seenBy(before, 1), ["none"])
      assert.deepStrictEqual(yield* seenBy(kept, 1), ["none"])
      const one = yield* run(worker("1"))
      // Nothing is sent to it yet.
      const still = yield* client.start(Moving, undefined, { workflowId: "still" })
      assert.deepStrictEqual(yield* seenBy(still, 1), ["none"])
      const pinned = yield* client.start(Moving, undefined, {
        workflowId: "pinned",
        versioning: { pinned: build("1") }
      })
      assert.deepStrictEqual(yield* seenBy(pinned, 1), ["1"])
      yield* client.deployments.setCurrent("shop", "1")
      // What was begun without a version moves, whatever its code says there: it was pinned to none.
      yield* Effect.forEach([before, kept, still], (handle) => handle.signal("step"))
      for (const handle of [before, kept, still]) assert.deepStrictEqual(yield* seenBy(handle, 2), ["none", "1"])
      // And back again, but for those whose code pins them.
      yield* client.deployments.setCurrent("shop", undefined)
      yield* Effect.forEach([before, kept], (handle) => handle.signal("step"))
      assert.deepStrictEqual(yield* seenBy(before, 3), ["none", "1", "none"])
      assert.deepStrictEqual(yield* seenBy(kept, 3), ["none", "1", "1"])
      yield* one.stop
      yield* kept.signal("end")
      yield* until(kept.describe, ({ attention, owner }) => owner === undefined && attention?._tag === "NoWorker")
    }))

  test("a ramp sends its part of the workflow ids, and keeps them as it rises (V6)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      yield* run(worker("1"))
      yield* run(worker("2"))
      yield* client.deployments.setCurrent("shop", "1")
      yield* client.deployments.setRamping("shop", { buildId: "2", percentage: 30 })
      const ids = Array.from({ length: 40 }, (_, index) => `order-${index}`)
      const handles = yield* Effect.forEach(ids, (workflowId) => client.start(Moving, undefined, { workflowId }))
      const builds = () =>
        Effect.forEach(handles, (handle) => Effect.map(seenBy(handle, 1), (seen) => seen.at(-1)!), { concurrency: 4 })
      const first = yield* builds()
      const ramped = first.filter((each) => each === "2").length
      assert.isAbove(ramped, 2)
      assert.isBelow(ramped, 25)
      yield* client.deployments.setRamping("shop", { buildId: "2", percentage: 70 })
      yield* Effect.forEach(handles, (handle) => handle.signal("step"))
      const second = yield* Effect.forEach(
        handles,
        (handle) => Effect.map(seenBy(handle, 2), (seen) => seen[1]!),
        { concurrency: 4 }
      )
      assert.isAbove(second.filter((each) => each === "2").length, ramped)
      for (const [index, each] of first.entries()) if (each === "2") assert.strictEqual(second[index], "2")
      const { current, ramping } = yield* deploymentOf(client)
      assert.deepStrictEqual({ current, ramping }, { current: "1", ramping: { buildId: "2", percentage: 70 } })
    }))

  test("a pinned run whose workers are gone waits, and says so, until one comes (V6)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const one = yield* run(worker("1"))
      yield* run(worker("2"))
      yield* client.deployments.setCurrent("shop", "1")
      const pinned = yield* client.start(Pinned)
      yield* seenBy(pinned, 1)
      yield* client.deployments.setCurrent("shop", "2")
      yield* one.stop
      yield* pinned.signal("step")
      const { attention, pinnedTo, version } = yield* pinned.describe
      assert.strictEqual(attention?._tag, "NoWorker")
      assert.include(attention?.message, "build 1 of deployment shop")
      assert.deepStrictEqual({ pinnedTo, version }, { pinnedTo: build("1"), version: build("1") })
      yield* Effect.sleep("300 millis")
      assert.strictEqual((yield* pinned.describe).owner, undefined)
      yield* run(worker("1"))
      assert.deepStrictEqual(yield* seenBy(pinned, 2), ["1", "1"])
      assert.isUndefined((yield* pinned.describe).attention)
    }))

  test("an operator moves a run that is pinned, and one whose owner is alive loses it (V6)", () =>
    Effect.gen(function*() {
      const one = yield* run(worker("1"))
      const two = yield* run(worker("2"))
      yield* one.client.deployments.setCurrent("shop", "1")
      const pinned = yield* one.client.start(Pinned, undefined, { workflowId: "p" })
      yield* pinned.signal("step")
      yield* two.client.handle(Pinned, "p").setVersioning({ pinned: build("2") })
      yield* pinned.signal("step")
      assert.deepStrictEqual(yield* seenBy(pinned, 3), ["1", "1", "2"])
      assert.deepInclude(yield* pinned.describe, {
        version: build("2"),
        versioningBehavior: "Pinned",
        versioningOverride: { pinned: build("2") },
        pinnedTo: build("2")
      })
      yield* pinned.setVersioning("AutoUpgrade")
      yield* pinned.signal("step")
      assert.deepStrictEqual((yield* seenBy(pinned, 4)).at(-1), "1")
      // Taken back, its code counts again: it is pinned to where it is.
      yield* pinned.setVersioning(undefined)
      yield* pinned.signal("step")
      assert.deepStrictEqual((yield* seenBy(pinned, 5)).at(-1), "1")
      assert.deepInclude(yield* pinned.describe, { versioningOverride: undefined, pinnedTo: build("1") })
      // And many at once.
      const report = yield* one.client.batch("BuildId = '1'", Batch.setVersioning({ pinned: build("2") }))
      assert.deepInclude(report, { done: 1, failed: 0 })
      yield* pinned.signal("end")
      assert.deepStrictEqual((yield* pinned.result).length, 5)
      assert.strictEqual((yield* Effect.flip(pinned.setVersioning(undefined)))._tag, "WorkflowClosed")
    }))

  test("the next run of a pinned one stays with its build, unless it asks to be upgraded (V6)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      yield* run(worker("1"))
      yield* run(worker("2"))
      yield* client.deployments.setCurrent("shop", "1")
      yield* client.start(Pinned, undefined, { workflowId: "p" })
      const pinned = client.handle(Pinned, "p")
      yield* seenBy(pinned, 1)
      yield* client.deployments.setCurrent("shop", "2")
      yield* pinned.signal("next", "as it is")
      yield* until(pinned.describe, ({ previousRunId }) => previousRunId !== undefined)
      assert.deepStrictEqual(yield* seenBy(pinned, 1), ["1"])
      const second = (yield* pinned.describe).runId
      yield* pinned.signal("next", "upgraded")
      yield* until(pinned.describe, ({ runId }) => runId !== second)
      assert.deepStrictEqual(yield* seenBy(pinned, 1), ["2"])
    }))

  test("a child has the version of a parent that is pinned, on the same queue (V6)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      yield* run(worker("1"))
      yield* run(worker("2"))
      yield* run(worker("none", { taskQueue: "other" }))
      yield* client.deployments.setCurrent("shop", "1")
      const parents = yield* Effect.forEach(["Pinned", "Moving"], (child) => client.start(Parent, { child }))
      const other = yield* client.start(Parent, { child: "Pinned", taskQueue: "other" })
      yield* Effect.forEach([...parents, other], (parent) => until(parent.describe, ({ turns }) => turns > 0))
      yield* client.deployments.setCurrent("shop", "2")
      const children = { Pinned: ["1"], Moving: ["1", "2"] } as const
      for (const [index, name] of (["Pinned", "Moving"] as const).entries()) {
        yield* parents[index]!.signal("go")
        const child = client.handle(name === "Pinned" ? Pinned : Moving, `child ${name}`)
        yield* until(Effect.option(child.describe), ({ _tag }) => _tag === "Some")
        yield* seenBy(child, 1)
        if (name === "Moving") {
          yield* child.signal("step")
          yield* seenBy(child, 2)
        }
        yield* child.signal("end")
        assert.deepStrictEqual(yield* parents[index]!.result, children[name])
        assert.strictEqual((yield* child.describe).root.workflowId, parents[index]!.workflowId)
      }
      yield* other.signal("go")
      const child = client.handle(Pinned, "child Pinnedother")
      yield* until(Effect.option(child.query("seen")), (seen) => seen._tag === "Some" && seen.value[0] === "none")
      yield* child.signal("end")
      assert.deepStrictEqual(yield* other.result, ["none"])
    }))

  test("activities of a pinned run go to its version, and wait for it (V6)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const one = yield* run(worker("1", { maxConcurrentActivities: 0 }))
      yield* run(worker("2"))
      yield* client.deployments.setCurrent("shop", "1")
      const pinned = yield* client.start(Pinned)
      const moving = yield* client.start(Moving)
      yield* Effect.forEach([pinned, moving], (handle) => handle.signal("call"))
      yield* until(pinned.describe, ({ pendingActivities }) => pendingActivities.length === 1)
      yield* until(moving.describe, ({ pendingActivities }) => pendingActivities.length === 1)
      yield* client.deployments.setCurrent("shop", "2")
      // That of a run which moves goes to whoever is current when it starts.
      assert.deepStrictEqual(yield* seenBy(moving, 2), ["1", "activity on 2"])
      assert.strictEqual((yield* pinned.describe).pendingActivities[0]?.state, "queued")
      yield* one.stop
      yield* run(worker("1"))
      assert.deepStrictEqual(yield* seenBy(pinned, 2), ["1", "activity on 1"])
    }))

  test("is described with what still needs its builds, and is told nothing of builds that nobody saw (V6)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const { deployments } = client
      assert.strictEqual((yield* Effect.flip(deploymentOf(client)))._tag, "DeploymentError")
      const one = yield* run(worker("1"))
      assert.deepStrictEqual(yield* deployments.list, [
        { deployment: "shop", current: undefined, ramping: undefined, changedAt: 0 }
      ])
      const refused = yield* Effect.flip(deployments.setCurrent("shop", "9"))
      assert.include(refused.message, "seen are: 1")
      assert.strictEqual(
        (yield* Effect.flip(deployments.setRamping("shop", { buildId: "1", percentage: 101 })))._tag,
        "DeploymentError"
      )
      yield* deployments.setCurrent("shop", "1")
      const pinned = yield* client.start(Pinned)
      yield* seenBy(pinned, 1)
      yield* run(worker("2", { taskQueue: "other" }))
      yield* deployments.setRamping("shop", { buildId: "2", percentage: 0.01 })
      const statuses = Effect.map(
        deploymentOf(client),
        ({ versions }) =>
          Object.fromEntries(
            versions.map(({ buildId, pinned, status, workers }) => [buildId, [status, pinned, workers]])
          )
      )
      assert.deepStrictEqual(yield* statuses, { 1: ["Current", 1, 1], 2: ["Ramping", 0, 1] })
      yield* deployments.setCurrent("shop", "2")
      assert.deepStrictEqual(yield* statuses, { 1: ["Draining", 1, 1], 2: ["Current", 0, 1] })
      assert.isUndefined((yield* deploymentOf(client)).ramping)
      yield* pinned.signal("end")
      yield* pinned.result
      assert.deepStrictEqual(yield* statuses, { 1: ["Drained", 0, 1], 2: ["Current", 0, 1] })
      yield* one.stop
      assert.deepStrictEqual(yield* statuses, { 1: ["Drained", 0, 0], 2: ["Current", 0, 1] })
      yield* deployments.setCurrent("shop", "3", { allowUnknown: true })
      assert.strictEqual((yield* deploymentOf(client)).current, "3")
    }))

  test("a worker with a version asks how each of its workflows behaves, when it starts (V6, N1)", () =>
    Effect.gen(function*() {
      const Silent = Workflow.make("Silent", {})
      const silent = Silent.toLayer(() => Effect.void)
      const failed = yield* Effect.flip(run(Worker.layer({ version: build("1"), hosts: [silent] })))
      assert.include(String(failed), "Silent")
      assert.include(String(failed), "versioningBehavior")
      yield* run(Worker.layer({ version: { ...build("1"), defaultBehavior: "Pinned" }, hosts: [silent] }))
      const named = yield* Effect.flip(
        run(Worker.layer({ version: { deployment: "a:b", buildId: "1" }, hosts: [silent] }))
      )
      assert.include(String(named), "colon")
    }))

  test("runs are found by root, length, build and behaviour (X15)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      yield* run(worker("1"))
      yield* client.deployments.setCurrent("shop", "1")
      const parent = yield* client.start(Parent, { child: "Moving" }, { workflowId: "parent" })
      yield* parent.signal("go")
      const child = client.handle(Moving, "child Moving")
      yield* until(Effect.option(child.describe), (seen) => seen._tag === "Some" && seen.value.turns > 0)
      const found = (query: string) =>
        Effect.map(
          client.listPage(query, { order: "Oldest" }),
          ({ executions }) => executions.map(({ workflowId }) => workflowId)
        )
      assert.deepStrictEqual(yield* found("RootWorkflowId = 'parent'"), ["parent", "child Moving"])
      assert.deepStrictEqual(yield* found("RootWorkflowId = 'child Moving'"), [])
      assert.deepStrictEqual(yield* found("VersioningBehavior = 'AutoUpgrade'"), ["child Moving"])
      assert.deepStrictEqual(yield* found("BuildId = '1' AND DeploymentName = 'shop'"), ["parent", "child Moving"])
      const { historyLength } = yield* child.describe
      assert.deepStrictEqual(yield* found(`HistoryLength = ${historyLength} AND WorkflowId = 'child Moving'`), [
        "child Moving"
      ])
      yield* child.signal("end")
      yield* parent.result
      const { executions } = yield* client.listPage("WorkflowId = 'child Moving'")
      assert.strictEqual(executions[0]!.historyLength, (yield* child.describe).historyLength)
      assert.deepInclude(executions[0], { rootWorkflowId: "parent", version: build("1") })
      const store = yield* Store
      const closed = (yield* store.runs({ limit: 9 })).find(({ workflowId }) => workflowId === "child Moving")
      assert.strictEqual(closed?.historyLength, executions[0]!.historyLength, "kept with its end")
    }))
})
