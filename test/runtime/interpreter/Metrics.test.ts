/**
 * Goal: what a body counts is counted once, however often it is brought back (row W3).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import { act, host } from "./Bodies.js"
import { Driver } from "./Driver.js"

/** Used before any body is: its hook is older than the engine's interest in it. */
const old = Metric.counter("test_old")
Effect.runSync(Metric.increment(old))

const count = (counter: Metric.Metric.Counter<number>) => Effect.runSync(Metric.value(counter)).count

describe("metrics (W3)", () => {
  it("count live turns, and no replay, whoever used the metric first", () => {
    const fresh = Metric.counter("test_fresh")
    const tagged = Metric.tagged(Metric.counter("test_tagged"), "queue", "a")
    const late = Metric.counter("test_late")
    const gauge = Metric.gauge("test_gauge")
    const sizes = Metric.histogram("test_sizes", MetricBoundaries.linear({ start: 0, width: 10, count: 3 }))
    const words = Metric.frequency("test_words")
    const body = Effect.gen(function*() {
      yield* Effect.all([old, fresh, tagged].map((counter) => Metric.increment(counter)))
      yield* Metric.incrementBy(gauge, 1)
      yield* Metric.update(sizes, 5)
      yield* Metric.update(words, "word")
      yield* act("a")
      yield* Metric.increment(late)
      return yield* act("b")
    })
    const driver = new Driver(host(body))
    const before = count(old)
    driver.start()
    driver.replay().evict()
    driver.complete(1)
    for (let i = 0; i < 3; i++) driver.restart()
    assert.deepStrictEqual([count(old) - before, count(fresh), count(tagged), count(late)], [1, 1, 1, 1])
    assert.strictEqual(Effect.runSync(Metric.value(gauge)).value, 1)
    assert.strictEqual(Effect.runSync(Metric.value(sizes)).count, 1)
    assert.strictEqual(Effect.runSync(Metric.value(words)).occurrences.get("word"), 1)
  })

  it("of a metric that a replay met first count from then on", () => {
    const metric = Metric.counter("test_replayed_first")
    const driver = new Driver(host(Effect.zipRight(act("a"), act("b"))))
    driver.start()
    const counting = new Driver(
      host(Effect.gen(function*() {
        yield* Metric.increment(metric)
        yield* act("a")
        yield* Metric.increment(metric)
        return yield* act("b")
      }))
    )
    counting.turns.push(...driver.turns)
    counting.state = driver.state
    counting.restart()
    assert.strictEqual(count(metric), 0)
    counting.complete(1)
    assert.strictEqual(count(metric), 1)
  })

  it("outside of bodies count as ever, also while a replay fails", () => {
    const metric = Metric.counter("test_outside")
    const driver = new Driver(host(act("a")))
    driver.start()
    assert.throws(() => new Driver(host(act("b"))).replay(driver.turns))
    Effect.runSync(Metric.increment(metric))
    assert.strictEqual(count(metric), 1)
  })

  it("of a live query count, since it is asked once", () => {
    const metric = Metric.counter("test_query")
    const driver = new Driver(host(act("a")))
    driver.start()
    driver.restart()
    driver.interpreter.readOnly(Metric.increment(metric))
    assert.strictEqual(count(metric), 1)
  })
})
