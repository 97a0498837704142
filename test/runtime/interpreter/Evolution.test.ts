/**
 * Goal: schemas may change while runs are open (row D7).
 *
 * Method: a history is written by the definitions of yesterday, and replayed on those of today, for every place at which a
 * body reads what was recorded.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Step, Workflow } from "perdure"
import { UnreadablePayload } from "../../../src/runtime/interpreter/TurnFailure.js"
import { brief, Driver, hostOf } from "./Driver.js"

const { gen } = Effect

const Yesterday = Schema.Struct({ id: Schema.String, old: Schema.Number })
/** A field with a default more, one less: reads what was written. */
const Today = Schema.Struct({
  id: Schema.String,
  lines: Schema.optionalWith(Schema.Array(Schema.Struct({ price: Schema.Number })), { default: () => [] })
})
/** Asks for what was never written. */
const Broken = Schema.Struct({ id: Schema.String, lines: Schema.Array(Schema.Struct({ price: Schema.Number })) })
type Any = Schema.Schema.AnyNoContext

/** All that a body reads, by one schema. What it read is its result. */
const on = (schema: Any, started = false) => {
  const Act = Activity.make("Act", { success: schema, startToCloseTimeout: "1 minute" })
  const definition = Workflow.make("Evolving", {
    payload: schema,
    success: Schema.Unknown,
    signals: { put: { payload: schema } },
    updates: { set: { payload: schema } }
  })
  const layer = definition.toLayer((input: unknown) =>
    gen(function*() {
      const read: Array<unknown> = [input]
      const take = (value: unknown) => Effect.sync(() => void read.push(value))
      return definition.of({
        signals: { put: take },
        updates: { set: take },
        run: gen(function*() {
          if (started) {
            const later = yield* Act.start()
            yield* Effect.sleep("1 hour")
            yield* take(yield* later.result)
          } else yield* take(yield* Act.execute())
          yield* take(yield* Step.run("look", { success: schema, execute: Effect.succeed(undefined) as never }))
          return read
        })
      }) as never
    }) as never
  )
  return hostOf(layer as never)
}

const value = (id: string) => ({ id, old: 1 })

/** Start, signal, update, activity, step: events 1, 3, 4, 5 and 7. */
const written = () => {
  const driver = new Driver(on(Yesterday))
  driver.start(value("start"))
  driver.signal("put", value("signal"))
  driver.update("set", value("update"))
  driver.complete(1, value("activity"))
  driver.completeStep(2, value("step"))
  assert.isDefined(driver.state.closed)
  return driver
}

const refused = (run: () => unknown): UnreadablePayload => {
  try {
    run()
  } catch (error) {
    assert.instanceOf(error, UnreadablePayload)
    return error as UnreadablePayload
  }
  throw new Error("it was read")
}

describe("a schema that changed (D7)", () => {
  it("a new field has its default, and one that is gone is ignored, in all that a body reads", () => {
    const old = written()
    const open = old.turns.slice(0, -1)
    const today = new Driver(on(Today))
    today.turns.push(...open)
    today.state = old.state
    today.interpreter.evict()
    today.interpreter = today.replay(open)
    const end = brief(
      today.interpreter.turn({
        at: today.now,
        events: [{ _tag: "StepCompleted", seq: 2, result: value("step") }],
        replaying: false,
        past: { events: 9, bytes: 0, updates: new Map() }
      }).commands
    )
    const ids = ["start", "signal", "update", "activity", "step"]
    assert.deepStrictEqual(end, [`completed ${JSON.stringify(ids.map((id) => ({ id, lines: [] })))}`])
  })

  const places = [
    ["start", 1, "ExecutionStarted", "payload of workflow Evolving"],
    ["signal", 3, "SignalReceived", "payload of signal Evolving.put"],
    ["update", 4, "UpdateAccepted", "payload of update Evolving.set"],
    ["activity", 6, "ActivityCompleted", "result of activity Act"],
    ["step", 8, "StepCompleted", "result of step look"]
  ] as const
  for (const [id, event, kind, subject] of places) {
    it(`${kind}: what cannot be read says which run, event, field and schema`, () => {
      const old = written()
      // All are unreadable as a struct of lines but for those before this one, which got what today's code wants.
      const turns = old.turns.map((turn) => ({
        ...turn,
        events: turn.events.map((each) => {
          const at = "input" in each ? "input" : "result" in each ? "result" : undefined
          const found = at === undefined ? undefined : (each as Record<string, unknown>)[at] as { id?: string }
          return at === undefined || found?.id === undefined || found.id === id
            ? each
            : { ...each, [at]: { ...found, lines: [] } }
        })
      }))
      const error = refused(() => new Driver(on(Broken)).replay(turns as never))
      assert.deepInclude({ ...error }, { workflow: "Evolving", runId: old.runId, event, kind, subject, path: "lines" })
      assert.match(
        error.message,
        /Evolving \(run .+\): what event \d \(\w+\) recorded cannot be read as .+, at lines: /
      )
      assert.match(error.message, /give a new field a default/)
    })
  }

  it("names the field by its whole path", () => {
    const driver = new Driver(on(Broken))
    const error = refused(() => driver.start({ id: "start", lines: [{ price: 1 }, { price: "2" }] }))
    assert.strictEqual(error.path, "lines[1].price")
  })

  it("an outcome that is read turns after it came is told by its own number", () => {
    const old = new Driver(on(Yesterday, true))
    old.start(value("start"))
    old.complete(1, value("activity"))
    old.fire()
    const turns = old.turns.map((turn) => ({
      ...turn,
      events: turn.events.map((each) =>
        each._tag === "ExecutionStarted" ? { ...each, input: { ...value("start"), lines: [] } } : each
      )
    }))
    const error = refused(() => new Driver(on(Broken, true)).replay(turns))
    assert.deepInclude({ ...error }, { event: 4, kind: "ActivityCompleted", subject: "result of activity Act" })
  })

  it("a signal that could not be read when it came stays dropped on every replay, whatever the schema is (S4)", () => {
    const driver = new Driver(on(Yesterday))
    driver.start(value("start"))
    const output = driver.turn({ _tag: "Signal", name: "put", input: { id: 5 } })
    assert.match(
      String(output.logs[0]?.message),
      /^signal put dropped: payload of signal Evolving.put: .*\(event 3\)$/s
    )
    assert.deepStrictEqual(driver.turns[1]?.events, [{
      _tag: "SignalReceived",
      name: "put",
      input: { id: 5 },
      dropped: true
    }])
    driver.restart()
    const lax = Schema.Struct({ id: Schema.Unknown })
    new Driver(on(lax)).replay(driver.turns).evict()
    driver.complete(1, value("activity"))
    assert.deepStrictEqual(
      brief(driver.completeStep(2, value("step"))),
      [`completed ${JSON.stringify([value("start"), value("activity"), value("step")])}`]
    )
  })
})
