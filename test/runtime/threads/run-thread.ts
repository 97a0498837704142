/** The module of the threads. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity } from "perdure"
import { Threads } from "perdure/threads"
import { Odd, Work } from "./contract.js"

const beating: Effect.Effect<never, never, Effect.Effect.Context<typeof Activity.info>> = Effect.forever(
  Effect.zipRight(Activity.heartbeat(1), Effect.sleep(5))
)

Threads.serve(Work.toLayer(({ n, what }) =>
  Effect.gen(function*() {
    const { attempt } = yield* Activity.info
    switch (what) {
      case "count": {
        let sum = 0
        for (let i = 0; i <= n; i++) sum += i
        return sum
      }
      case "fail":
        return yield* new Odd({ n })
      case "die":
        return yield* Effect.die(new TypeError("broken"))
      case "exit":
        return attempt === 1 ? process.exit(3) : attempt
      case "spin":
        yield* Activity.heartbeat("spinning")
        yield* Effect.sleep(1)
        for (;;);
      case "wait":
        return yield* beating
      case "swallow":
        yield* Activity.heartbeat("started")
        return yield* Effect.uninterruptible(Effect.as(Effect.sleep(1_000), n))
      case "resume": {
        const last = yield* Effect.orDie(Activity.lastHeartbeat(Schema.Number))
        if (last !== undefined) return last
        yield* Activity.heartbeat(n)
        return yield* Effect.die("again")
      }
    }
  })
))
