/**
 * Goal: code that changed goes on with runs that its earlier forms began (rows V1 to V3).
 *
 * Method: four forms of one body, as they are deployed one after the other; the histories of each are replayed on each,
 * and open runs go on with another form than the one that began them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Workflow } from "perdure"
import type { Turn } from "../../../src/core/Event.js"
import { WorkflowHost } from "../../../src/dsl/Workflow.js"
import { act, host } from "./Bodies.js"
import { brief, Driver } from "./Driver.js"

const { gen } = Effect

/** The forms of the code in the order of their deployments. Each ends with a step, so that runs can be left open. */
const forms = {
  before: gen(function*() {
    yield* act("old")
    return yield* act("last")
  }),
  patched: gen(function*() {
    if (yield* Workflow.patched("p")) yield* act("new")
    else yield* act("old")
    return yield* act("last")
  }),
  deprecated: gen(function*() {
    yield* Workflow.deprecatePatch("p")
    yield* act("new")
    return yield* act("last")
  }),
  removed: gen(function*() {
    yield* act("new")
    return yield* act("last")
  })
}
type Form = keyof typeof forms
const all = Object.keys(forms) as ReadonlyArray<Form>

const recorded = (form: Form): ReadonlyArray<Turn> => {
  const driver = new Driver(host(forms[form]))
  driver.start()
  driver.complete(1)
  driver.complete(2)
  assert.isDefined(driver.state.closed)
  return driver.turns
}

/** "ok", or what the history says and the code does not. */
const replayed = (history: ReadonlyArray<Turn>, form: Form): string => {
  try {
    new Driver(host(forms[form])).replay(history).evict()
    return "ok"
  } catch (error) {
    return String((error as Error).message)
  }
}

/** By the form that wrote the history (down) and the form that replays it (across). */
const matrix: Record<Form, Record<Form, RegExp>> = {
  before: { before: /^ok$/, patched: /^ok$/, deprecated: differs("old", "new"), removed: differs("old", "new") },
  patched: {
    before: /recorded patch p, attempted activity Act/,
    patched: /^ok$/,
    deprecated: /^ok$/,
    removed: /recorded patch p, attempted activity Act/
  },
  // The old code takes no patch of these for one it must know, and does what they do not say.
  deprecated: { before: differs("new", "old"), patched: /^ok$/, deprecated: /^ok$/, removed: /^ok$/ },
  // A run of the last form has no marker: to the patched code it is one of the old way.
  removed: { before: differs("new", "old"), patched: differs("new", "old"), deprecated: /^ok$/, removed: /^ok$/ }
}

function differs(was: string, is: string): RegExp {
  return new RegExp(
    `recorded activity Act #1 with {"label":"${was}"}, attempted activity Act #1 with {"label":"${is}"}`
  )
}

describe("the steps of a change (V3)", () => {
  for (const from of all) {
    const history = recorded(from)
    for (const to of all) {
      const expected = matrix[from][to]
      it(`a history of the code ${from}, on the code ${to}: ${String(expected)}`, () => {
        assert.match(replayed(history, to), expected)
        // And of every run that is still open.
        assert.match(replayed(history.slice(0, 2), to), expected)
      })
    }
  }

  it("an open run of the old code goes on with the patched code, on the old way", () => {
    const driver = new Driver(host(forms.before))
    driver.start()
    const patched = new Driver(host(forms.patched))
    patched.turns.push(...driver.turns)
    patched.restart()
    assert.deepStrictEqual(brief(patched.interpreter.turn(outcome(1)).commands), ["Act#2 last"])
  })
})

describe("patched (V1)", () => {
  it("is true live, with one marker before what follows, and true on replay", () => {
    const driver = new Driver(host(forms.patched))
    assert.deepStrictEqual(brief(driver.start()), ["patch p", "Act#1 new"])
    driver.restart()
    assert.deepStrictEqual(brief(driver.complete(1)), ["Act#2 last"])
    driver.replay().evict()
  })

  const twice = gen(function*() {
    const first = yield* Workflow.patched("p")
    yield* act("between")
    return [first, yield* Workflow.patched("p"), yield* Workflow.patched("q")]
  })

  it("is answered once per run and id", () => {
    const driver = new Driver(host(twice))
    assert.deepStrictEqual(brief(driver.start()), ["patch p", "Act#1 between"])
    assert.deepStrictEqual(brief(driver.restart().complete(1)), ["patch q", "completed [true,true,true]"])
    driver.replay().evict()
  })

  const unpatched = gen(function*() {
    yield* act("between")
    return yield* act("end")
  })

  it("asked first while an old history is replayed, it is false for ever in this run", () => {
    const old = new Driver(host(unpatched))
    old.start()
    const driver = new Driver(host(twice))
    driver.turns.push(...old.turns)
    driver.restart()
    driver.state = old.state
    assert.deepStrictEqual(brief(driver.complete(1)), ["patch q", "completed [false,false,true]"])
    driver.replay().evict()
  })

  it("asked first live in an old run, it is true, and stays it", () => {
    const late = gen(function*() {
      yield* act("between")
      return (yield* Workflow.patched("p")) ? yield* act("new") : yield* act("end")
    })
    const old = new Driver(host(unpatched))
    old.start()
    const driver = new Driver(host(late))
    driver.turns.push(...old.turns)
    driver.state = old.state
    driver.restart()
    assert.deepStrictEqual(brief(driver.complete(1)), ["patch p", "Act#2 new"])
    assert.deepStrictEqual(brief(driver.restart().complete(2)), ["completed \"new\""])
  })

  it("a worker may decline: false in this run for ever, and no marker", () => {
    const asked: Array<string> = []
    const patched = host(twice)
    const declining = new WorkflowHost(patched.definition, patched.body, patched.services, {
      activatesPatch: ({ id, workflow }) => {
        asked.push(`${workflow} ${id}`)
        return id !== "p"
      }
    })
    const driver = new Driver(declining)
    assert.deepStrictEqual(brief(driver.start()), ["Act#1 between"])
    assert.deepStrictEqual(brief(driver.restart().complete(1)), ["patch q", "completed [false,false,true]"])
    assert.deepStrictEqual(asked, ["Plain p", "Plain q"], "asked live, and once")
    // A worker that does not decline replays it all the same.
    new Driver(patched).replay(driver.turns).evict()
  })

  it("concurrent fibers and loops get one answer", () => {
    const many = gen(function*() {
      const answers = yield* Effect.all(Array.from({ length: 3 }, () => Workflow.patched("p")), {
        concurrency: "unbounded"
      })
      yield* act("x")
      return answers
    })
    const driver = new Driver(host(many))
    assert.deepStrictEqual(brief(driver.start()), ["patch p", "Act#1 x"])
    assert.deepStrictEqual(brief(driver.restart().complete(1)), ["completed [true,true,true]"])
  })

  it("an id has a bound", () => {
    assert.throws(() => Workflow.patched(""), /must not be empty/)
    assert.throws(() => Workflow.patched("p".repeat(1_001)), /at most 1000 characters/)
  })

  it("is refused in a query and in a validator (W14)", () => {
    const driver = new Driver(host(gen(function*() {
      return yield* act("x")
    })))
    driver.start()
    const exit = driver.interpreter.readOnly(Workflow.patched("p"))
    assert.match(String(exit), /Workflow.patched is not allowed there: it only reads/)
    assert.deepStrictEqual(brief(driver.complete(1)), ["completed \"x\""])
  })
})

const outcome = (seq: number) => ({
  at: 0,
  events: [{ _tag: "ActivityCompleted", seq, attempt: 1, result: "done" }] as const,
  replaying: false,
  past: { events: 2, bytes: 0, updates: new Map() }
})
