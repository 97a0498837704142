/**
 * The people around the shop: customers who place orders and change their minds about the address, clerks who approve
 * what is above the limit, turn it down, or are out to lunch. All of it through a client, from a process that hosts no
 * workflow.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Handle } from "perdure"
import { Client } from "perdure"
import type { Acknowledged } from "./audit.js"
import { chance, pick } from "./chance.js"
import type { Order } from "./contract.js"
import { approvalLimit, OrderWorkflow, taskQueue } from "./contract.js"

/** How far the demo has got. Counted as it goes; the audit counts for itself. */
export interface Progress {
  placed: number
  shipped: number
  rejected: number
  /** When an order last ended, in epoch milliseconds. */
  lastEnd: number
  /** What became of calls that a customer or clerk made and that did not succeed. */
  readonly refusals: Map<string, number>
  readonly acknowledged: Array<Acknowledged>
  readonly statusesSeen: Map<string, number>
}

export const nothingYet = (): Progress => ({
  placed: 0,
  shipped: 0,
  rejected: 0,
  lastEnd: Date.now(),
  refusals: new Map(),
  acknowledged: [],
  statusesSeen: new Map()
})

/** Orders come in one by one, over this time at most ... */
const arrivalSpan = Duration.seconds(25)
/** ... and no slower than this apart. */
const arrivalGap = Duration.millis(50)

/** Places all orders and waits for the end of each. An order comes in when its time has come, and it is admitted. */
export const visit = (orders: ReadonlyArray<Order>, options: {
  readonly seed: number
  readonly progress: Progress
  readonly admission: (index: number) => Effect.Effect<void>
}) => {
  const gap = Math.min(Duration.toMillis(arrivalGap), Duration.toMillis(arrivalSpan) / orders.length)
  return Effect.forEach(
    orders,
    (order, index) =>
      Effect.sleep(gap * index).pipe(
        Effect.zipRight(options.admission(index)),
        Effect.zipRight(place(order, options.seed, options.progress))
      ),
    { concurrency: "unbounded", discard: true }
  )
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// The database is shared with processes that are killed while they write: a call may meet a lock, and is repeated.
// All of them are safe to repeat: a start by its workflow id, an update by its update id, a wait by nature.
const again = {
  schedule: Schedule.intersect(Schedule.spaced("200 millis"), Schedule.recurs(50)),
  while: (error: { readonly _tag: string }) => error._tag === "StoreUnavailable"
}

const place = (order: Order, seed: number, progress: Progress) =>
  Effect.gen(function*() {
    const client = yield* Client
    const handle: Handle<typeof OrderWorkflow> = yield* client.start(OrderWorkflow, order, {
      workflowId: order.id,
      taskQueue
    }).pipe(
      Effect.retry(again),
      // A start that was repeated after a lock had taken effect at first.
      Effect.catchTag("WorkflowAlreadyStarted", () => Effect.succeed(client.handle(OrderWorkflow, order.id)))
    )
    progress.placed++
    const clerk = order.total > approvalLimit ? attend(order, handle, seed, progress) : Effect.void
    yield* Effect.zip(ending(handle, progress), clerk, { concurrent: true })
  })

const ending = (handle: Handle<typeof OrderWorkflow>, progress: Progress) =>
  handle.result.pipe(
    Effect.retry(again),
    Effect.tapBoth({
      onFailure: () => Effect.sync(() => void progress.rejected++),
      onSuccess: () => Effect.sync(() => void progress.shipped++)
    }),
    Effect.ensuring(Effect.map(Clock.currentTimeMillis, (now) => void (progress.lastEnd = now))),
    // An order that ends otherwise than well is none of the demo's errors; whether it ended rightly, the audit says.
    Effect.ignore
  )

/** What happens around an order that needs approval, while it waits. */
const attend = (order: Order, handle: Handle<typeof OrderWorkflow>, seed: number, progress: Progress) => {
  const luck = (what: string) => chance(seed, what, order.id)
  const acknowledged = (message: Acknowledged["message"], input: unknown) => () =>
    Effect.sync(() => void progress.acknowledged.push({ orderId: order.id, message, input }))
  const count = (counts: Map<string, number>, what: string) =>
    Effect.sync(() => void counts.set(what, (counts.get(what) ?? 0) + 1))
  const refused = (what: string) => (error: { readonly _tag: string }) =>
    count(progress.refusals, `${what}: ${error._tag}`)

  const move = Effect.suspend(() => {
    const change = { address: `${Math.ceil(luck("house") * 200)} New Street, Porto` }
    return handle.update("changeAddress", change, { updateId: `${order.id}-move` }).pipe(
      Effect.retry(again),
      Effect.tap(acknowledged("changeAddress", change)),
      Effect.catchAll(refused("change of address"))
    )
  })
  const look = handle.query("status").pipe(
    Effect.retry(again),
    Effect.flatMap((status) => count(progress.statusesSeen, status)),
    Effect.catchAll(refused("look at the status"))
  )
  const decide = (approved: boolean) => {
    const decision = { by: approved ? "ada" : "grace", approved }
    return handle.signal("approve", decision).pipe(
      Effect.retry(again),
      Effect.tap(acknowledged("approve", decision)),
      Effect.catchAll(refused("decision"))
    )
  }
  const decision = pick(luck("decision"), [[0.7, decide(true)], [0.15, decide(false)]], Effect.void)
  return Effect.gen(function*() {
    yield* Effect.sleep(Duration.millis(200 + 1_000 * luck("pause")))
    if (luck("moves") < 0.3) yield* move
    if (luck("looks") < 0.3) yield* look
    yield* Effect.sleep(Duration.millis(1_500 * luck("deliberation")))
    yield* decision
  })
}
