/**
 * A worker of a garage as a process of its own: of cars on its queue, or of parts on the queue "parts".
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { existsSync } from "node:fs"
import { Activity, State, Worker, Workflow } from "perdure"
import { Ask, Car, Part, type Settings, Survey, Weld } from "./contract.js"
import * as Process from "./Process.js"

const CarLive = Car.toLayer(({ parts }) =>
  Effect.gen(function*() {
    const how = yield* State.make<string | undefined>(undefined)
    const scrapped = yield* State.make<string | undefined>(undefined)
    return Car.of({
      signals: { finish: how.set, scrap: scrapped.set },
      run: Effect.gen(function*() {
        const { workflowId } = yield* Workflow.info
        const children = yield* Effect.forEach(
          parts,
          (part) => Part.start(part, { workflowId: `${workflowId} ${part}`, taskQueue: "parts" }),
          { concurrency: "unbounded" }
        )
        yield* Workflow.condition(
          Effect.zipWith(how.get, scrapped.get, (finish, scrap) => finish !== undefined || scrap !== undefined)
        )
        const reason = yield* scrapped.get
        const finish = yield* how.get
        for (const child of children) {
          if (reason !== undefined) yield* child.cancel(reason)
          else yield* child.signal("finish", finish ?? "")
        }
        return yield* Effect.forEach(children, (child) =>
          Effect.catchTag(child.result, "ChildWorkflowError", ({ failure }) =>
            Effect.succeed(`${failure._tag}: ${failure.message}`)), { concurrency: "unbounded" })
      })
    })
  })
)

const partsOf = ({ go, name }: Settings) =>
  [
    Part.toLayer((part) =>
      Effect.gen(function*() {
        const how = yield* State.make<string | undefined>(undefined)
        return Part.of({
          signals: { finish: how.set },
          run: Effect.gen(function*() {
            yield* Workflow.condition(Effect.map(how.get, (finish) => finish !== undefined))
            return `${part}, ${yield* how.get}: ${yield* Weld.execute({ part })}`
          })
        })
      })
    ),
    Weld.toLayer(({ part }) =>
      Effect.gen(function*() {
        const { attempt } = yield* Activity.info
        console.log(`welding ${part}`)
        yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => existsSync(go) })
        return attempt === 1 ? "welded" : `welded again by ${name}`
      })
    )
  ] as const

const SurveyLive = Survey.toLayer(() =>
  Effect.gen(function*() {
    const stopped = yield* State.make(false)
    return Survey.of({
      signals: { stop: () => stopped.set(true) },
      run: Effect.gen(function*() {
        const ask = yield* Ask.start(undefined, { activityId: "ask" })
        yield* Effect.fork(Effect.zipRight(Workflow.condition(stopped.get), ask.cancel))
        return yield* ask.result.pipe(
          Effect.catchTag("Silent", ({ since }) => Effect.succeed(`silent since ${since}`)),
          Effect.catchTag("ActivityError", ({ failure }) => Effect.succeed(failure._tag))
        )
      })
    })
  })
)

const AskLive = Ask.toLayer(() =>
  Effect.gen(function*() {
    const { attempt, taskToken } = yield* Activity.info
    const saw = yield* Effect.orDie(Activity.lastHeartbeat(Schema.Unknown))
    console.log(`asked: ${JSON.stringify({ attempt, taskToken, saw })}`)
    return yield* Activity.completeAsync
  })
)

Process.run((settings) => {
  const { lease, taskQueue } = settings
  const options = { taskQueue, lease: lease as Duration.DurationInput, shutdownGrace: 0 }
  return settings.workflows
    ? Worker.layer({ ...options, hosts: [CarLive, SurveyLive, AskLive] })
    : Worker.layer({ ...options, hosts: partsOf(settings) })
})
