/**
 * Fan-out and fan-in: many activities at once, ten at a time; what fails is told apart from what succeeded.
 *
 *   pages ──▶ Count × n, ten under way ──▶ sum, and the pages that could not be read
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Activity, Client, Workflow } from "perdure"

export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", { page: Schema.String }) {}

export const Count = Activity.make("Count", {
  payload: { page: Schema.String },
  success: Schema.Int,
  error: Unreadable,
  startToCloseTimeout: "10 seconds",
  retry: { nonRetryable: ["Unreadable"] }
})

export const CountAll = Workflow.make("CountAll", {
  payload: { pages: Schema.Array(Schema.String).pipe(Schema.maxItems(50)) },
  success: Schema.Struct({ words: Schema.Int, unreadable: Schema.Array(Schema.String) })
})

export const CountAllLive = CountAll.toLayer(Effect.fn(function*({ pages }) {
  const counts = yield* Effect.forEach(
    pages,
    (page) => Effect.either(Count.execute({ page }).pipe(Effect.catchTag("Unreadable", () => Effect.fail(page)))),
    { concurrency: 10 }
  )
  const unreadable: Array<string> = []
  let words = 0
  for (const count of counts) {
    if (Either.isRight(count)) words += count.right
    // Anything but a page that cannot be read fails the run.
    else if (typeof count.left === "string") unreadable.push(count.left)
    else return yield* count.left
  }
  return { words, unreadable }
}))

export const hosts = [
  CountAllLive,
  Count.toLayer(({ page }) => page.includes("torn") ? new Unreadable({ page }) : Effect.succeed(page.length))
] as const

export const play = Effect.flatMap(
  Client,
  (client) => client.execute(CountAll, { pages: ["one", "two", "three", "torn four", "five"] })
)
