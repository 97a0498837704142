/**
 * Runs every feature in several orders of outcomes and prints the histories, as JSON. Started by the test in processes
 * that differ in what must not matter: fibers and random numbers used before, time zone, language.
 *
 * Usage: run-features.ts <rounds of unrelated work>
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { host } from "./Bodies.js"
import { Driver } from "./Driver.js"
import { features } from "./Features.js"

const rounds = Number(process.argv[2])
for (let i = 0; i < rounds; i++) {
  Math.random()
  Effect.runSync(Effect.zipRight(Random.next, Effect.fork(Effect.void)))
}

const histories: Record<string, ReadonlyArray<ReadonlyArray<string>>> = {}
for (const [name, body] of Object.entries(features)) {
  histories[name] = [1, 2, 3, 4].map((seed) => {
    const driver = new Driver(host(body))
    try {
      driver.start()
      driver.run(seed)
      driver.replay().evict()
      return [...driver.log, driver.state.status, String(driver.interpreter.fibers)]
    } catch (error) {
      return [...driver.log, String(error)]
    } finally {
      driver.interpreter.evict()
    }
  })
}
process.stdout.write(JSON.stringify({
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  language: Intl.DateTimeFormat().resolvedOptions().locale,
  histories
}))
