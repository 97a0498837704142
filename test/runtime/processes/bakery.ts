/**
 * A worker of a bakery, or of its ovens alone, as a process of its own.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { Activity, ApplicationError, State, Worker, Workflow } from "perdure"
import { Bake, Bakery, Far, type Settings, Spoiled } from "./contract.js"
import * as Process from "./Process.js"

const BakeryLive = Bakery.toLayer((town) =>
  Effect.gen(function*() {
    const orders = yield* State.make<ReadonlyArray<number>>([])
    const baked = yield* State.make<ReadonlyArray<string>>([])
    const closed = yield* State.make(false)
    const notes = yield* State.make<ReadonlyArray<unknown>>([])
    return Bakery.of({
      signals: {
        order: (n) => orders.update((all) => [...all, n]),
        close: () => closed.set(true)
      },
      queries: { baked: () => baked.get },
      updates: {
        taste: {
          validate: (what) => what === "" ? new Spoiled({ reason: "nothing to taste" }) : Effect.void,
          handle: (what) => what === "old" ? new Spoiled({ reason: "old" }) : Effect.map(baked.get, (all) => all.length)
        }
      },
      dynamic: {
        // The thread of this process with it, whatever else it has to do.
        signals: (name, payload) =>
          name === "spin" ? Effect.sync(spin) : notes.update((all) => [...all, [name, payload]]),
        queries: (name) => Effect.map(notes.get, (all) => ({ name, notes: all })),
        updates: {
          validate: (name) => name === "steal" ? new ApplicationError({ type: "No", message: "never" }) : Effect.void,
          handle: (name, payload) => Effect.map(notes.get, (all) => ({ name, payload, notes: all.length }))
        }
      },
      run: Effect.gen(function*() {
        for (let done = 0;; done++) {
          yield* Workflow.condition(
            Effect.map(orders.get, (all) => all.length > done).pipe(
              Effect.zipWith(closed.get, (more, closed) => more || closed)
            )
          )
          const order = (yield* orders.get)[done]
          if (order === undefined) return (yield* baked.get).map((each) => `${town}: ${each}`)
          const bread = order < 0
            ? yield* Far.execute(undefined, { taskQueue: "far" })
            : yield* Bake.execute(order)
          yield* baked.update((all) => [...all, bread])
        }
      })
    })
  })
)

const spin = (): never => {
  for (;;);
}

const farOf = ({ name }: Settings) => Far.toLayer(() => Effect.succeed(`far by ${name}`))

const bakeOf = ({ go, name }: Settings) =>
  Bake.toLayer((n) =>
    Effect.gen(function*() {
      const { attempt } = yield* Activity.info
      if (n === 0) {
        yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => existsSync(go) }).pipe(
          Effect.onInterrupt(() => Effect.sync(() => console.log("interrupted")))
        )
      }
      return `${n} by ${name} at ${attempt}`
    })
  )

Process.run((settings) => {
  const { lease, taskQueue } = settings
  const options = { taskQueue, lease: lease as Duration.DurationInput, shutdownGrace: 0 }
  return settings.workflows
    ? Worker.layer({ ...options, hosts: [BakeryLive, bakeOf(settings)] })
    : Worker.layer({ ...options, hosts: [farOf(settings), bakeOf(settings)] })
})
