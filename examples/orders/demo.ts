/**
 * The demo: hundreds of orders, three kinds of services that fail as services do, and workers that are killed while
 * they work. At the end everybody's books are compared.
 *
 *   npm run demo -- [--orders FILE] [--seed N] [--keep]
 *
 *   demo (client) ──▶ orders.db ◀── worker-1, worker-2, ... ──HTTP──▶ stock, payment, shipping, mail (a ledger each)
 *          └─────────────── SIGKILL ────┘
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Client, StoreClient } from "perdure"
import { SqliteStore } from "perdure/sqlite"
import type { Evidence, Execution } from "./audit.js"
import { audit } from "./audit.js"
import { chance } from "./chance.js"
import type { Order } from "./contract.js"
import { OrderWorkflow } from "./contract.js"
import * as Csv from "./csv.js"
import type { Progress } from "./customers.js"
import { nothingYet, visit } from "./customers.js"
import { admission, carryOut, plan, startFleet, startService } from "./fleet.js"
import { summary } from "./report.js"
import * as Ledger from "./services/ledger.js"
import type { ServiceName } from "./services/rules.js"
import { serviceNames } from "./services/rules.js"
import type { Kill } from "./timeline.js"
import { choose, draw } from "./timeline.js"

/** No order ends for so long: whatever is still open is stuck. */
const stallMillis = 30_000
/** In any case the audit begins so long after the start of the demo: a tenth of a second for each order, or this. */
const limitMillis = (orders: number) => Math.max(100_000, orders * 100)

const main = Effect.gen(function*() {
  const started = Date.now()
  const { file, keep, seed } = yield* options
  const files = yield* FileSystem.FileSystem

  const text = yield* Effect.mapError(files.readFileString(file), ({ message }) => new Unusable({ reason: message }))
  const { malformed, orders } = Csv.read(text)
  for (const { line, reason } of malformed) say(`${file}:${line}: ${reason}`)
  if (orders.length === 0) return yield* new Unusable({ reason: `${file} has no order that could be read` })
  say(`${orders.length} orders accepted, ${malformed.length} malformed lines left out. Seed ${seed}.`)

  const folder = yield* files.makeTempDirectory({ prefix: "perdure-demo-" })
  const progress = nothingYet()
  const { crashes, evidence, kills } = yield* Effect.scoped(run(orders, { seed, folder, progress, started }))
  const findings = audit(evidence)

  const story = choose(evidence, kills)
  if (story !== undefined) {
    say("", "One of the orders that lived through a kill:", "", ...draw(story))
  }
  say("", ...summary({ evidence, findings, malformed, kills, progress, millis: Date.now() - started }))
  for (const { kind, message, orderId } of findings) say(`FOUND ${kind}: ${orderId}: ${message}`)
  for (const crash of crashes) say(`FOUND crash: ${crash}`)
  const clean = findings.length === 0 && crashes.length === 0
  if (!clean) process.exitCode = 1
  if (keep || !clean) say("", `The databases and logs of this run are in ${folder}`)
  else yield* files.remove(folder, { recursive: true })
})

// -----------------------------------------------------------------------------
// internal: the run
// -----------------------------------------------------------------------------

/** Sets everything up, lets it happen, and gathers the evidence once all services have said their last word. */
const run = (orders: ReadonlyArray<Order>, { folder, progress, seed, started }: {
  readonly seed: number
  readonly folder: string
  readonly progress: Progress
  /** When the demo began, in epoch milliseconds. */
  readonly started: number
}) =>
  Effect.gen(function*() {
    yield* deliver(orders, seed, join(folder, "stock.db"))
    const services = yield* Effect.forEach(serviceNames, (service) => startService(service, seed, folder), {
      concurrency: "unbounded"
    })
    const urls = Object.fromEntries(services.map(({ name, url }) => [name, url]))
    const kills: Array<Kill> = []
    const crashes: Array<string> = []

    const evidence = yield* Effect.gen(function*() {
      const fleet = yield* startFleet(folder, urls, kills, crashes)
      const showing = yield* Effect.fork(show(orders.length, progress, kills))
      const plans = yield* plan(orders.length, seed)
      const killing = yield* Effect.fork(carryOut(plans, fleet, seed, progress))
      yield* Effect.raceFirst(
        visit(orders, { seed, progress, admission: admission(plans) }),
        patience(orders.length, progress, started)
      )
      yield* Fiber.interruptAll([killing, showing])
      yield* line(orders.length, progress, kills, true)

      yield* fleet.release
      yield* Effect.forEach(services, ({ child }) => child.release, { concurrency: "unbounded" })
      return yield* gather(orders, folder, progress)
    }).pipe(Effect.provide(
      Layer.provide(StoreClient.layer, SqliteStore.layer({ filename: join(folder, "orders.db") }))
    ))
    return { evidence, kills, crashes }
  })

/** Fills the warehouse: of most goods there is enough, of some not quite. */
const deliver = (orders: ReadonlyArray<Order>, seed: number, ledger: string) => {
  const wanted = new Map<string, number>()
  for (const { quantity, sku } of orders) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity)
  return Effect.forEach(wanted, ([sku, quantity]) =>
    Ledger.write({
      operation: "deliver",
      orderId: "",
      key: "",
      amount: Math.ceil(quantity * (0.8 + chance(seed, "delivery", sku) * 0.6)),
      note: sku,
      undoes: null
    })).pipe(Effect.provide(Ledger.layer(ledger)))
}

/** Ends when no order has ended for long, or the time is up. */
const patience = (orders: number, progress: Progress, started: number) => {
  progress.lastEnd = Date.now()
  return Effect.repeat(Effect.void, {
    until: () => Date.now() - progress.lastEnd > stallMillis || Date.now() - started > limitMillis(orders),
    schedule: Schedule.spaced("200 millis")
  })
}

/** What perdure and the services say, read from their files. */
const gather = (orders: ReadonlyArray<Order>, folder: string, progress: Progress) =>
  Effect.gen(function*() {
    const client = yield* Client
    const executions = new Map<string, Execution>()
    yield* Effect.forEach(orders, ({ id }) => {
      const handle = client.handle(OrderWorkflow, id)
      return Effect.all({ description: handle.describe, turns: handle.history }).pipe(
        Effect.map((execution) => void executions.set(id, execution)),
        // The audit tells it: an order without an execution was lost.
        Effect.catchTag("WorkflowNotFound", () => Effect.void)
      )
    }, { discard: true })
    const read = (service: ServiceName) => Effect.provide(Ledger.read, Ledger.layer(join(folder, `${service}.db`)))
    const ledgers = yield* Effect.all({
      stock: read("stock"),
      payment: read("payment"),
      shipping: read("shipping"),
      mail: read("mail")
    })
    return { orders, executions, ledgers, acknowledged: progress.acknowledged } satisfies Evidence
  })

// -----------------------------------------------------------------------------
// internal: the terminal
// -----------------------------------------------------------------------------

class Unusable extends Schema.TaggedError<Unusable>()("Unusable", { reason: Schema.String }) {
  override get message(): string {
    return this.reason
  }
}

const options = Effect.try({
  try: () =>
    parseArgs({ options: { orders: { type: "string" }, seed: { type: "string" }, keep: { type: "boolean" } } }).values,
  catch: (error) => new Unusable({ reason: error instanceof Error ? error.message : String(error) })
}).pipe(
  Effect.flatMap(({ keep = false, orders, seed = "1" }) =>
    /^\d{1,9}$/.test(seed)
      ? Effect.succeed({
        file: orders ?? relative(process.cwd(), fileURLToPath(new URL("orders.csv", import.meta.url))),
        seed: Number(seed),
        keep
      })
      : new Unusable({ reason: `--seed ${seed}: a seed is a whole number` })
  )
)

const say = (...lines: ReadonlyArray<string>): void => console.log(lines.join("\n"))

const terminal = process.stdout.isTTY

/** Shows how far it is: in place on a terminal, every few seconds elsewhere. */
const show = (orders: number, progress: Progress, kills: ReadonlyArray<Kill>) =>
  Effect.schedule(
    line(orders, progress, kills, false),
    Schedule.spaced(terminal ? "250 millis" : "3 seconds")
  )

const line = (orders: number, progress: Progress, kills: ReadonlyArray<Kill>, last: boolean) =>
  Effect.sync(() => {
    const { placed, rejected, shipped } = progress
    const done = Math.round(((shipped + rejected) / orders) * 24)
    const text = `${"█".repeat(done)}${
      "░".repeat(24 - done)
    } placed ${placed}/${orders}, shipped ${shipped}, rejected ${rejected}, open ${
      placed - shipped - rejected
    }, workers killed ${kills.length}`
    process.stdout.write(terminal ? `\r${text}\x1b[K${last ? "\n" : ""}` : `${text}\n`)
  })

NodeRuntime.runMain(
  main.pipe(
    Effect.catchTag("Unusable", ({ reason }) =>
      Effect.sync(() => {
        console.error(reason)
        process.exitCode = 2
      })),
    Effect.provide(NodeContext.layer)
  )
)
