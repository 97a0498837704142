/**
 * A worker process of the demo: hosts the workflow and its activities on the shared database until it is let go, or
 * killed.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Worker } from "perdure"
import { SqliteStore } from "perdure/sqlite"
import * as Activities from "./activities.js"
import * as Child from "./child.js"
import { taskQueue } from "./contract.js"
import { OrderWorkflowLive } from "./workflow.js"

const Settings = Schema.Struct({
  worker: Schema.String,
  database: Schema.String,
  urls: Schema.Struct({
    stock: Schema.String,
    payment: Schema.String,
    shipping: Schema.String,
    mail: Schema.String
  })
})

const main = Effect.gen(function*() {
  const { database, urls, worker } = yield* Child.settings(Settings)
  const Live = Worker.layer({
    taskQueue,
    hosts: [
      OrderWorkflowLive,
      Activities.ReserveStockLive,
      Activities.ReleaseStockLive,
      Activities.ChargeCardLive,
      Activities.RefundChargeLive,
      Activities.ShipOrderLive,
      Activities.CancelShipmentLive,
      Activities.NotifyLive
    ]
  }).pipe(
    Layer.provide(Layer.succeed(Activities.Services, { worker, urls })),
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(SqliteStore.layer({ filename: database }))
  )
  yield* Effect.zipRight(Child.ready({ worker }), Child.released).pipe(Effect.provide(Live))
})

NodeRuntime.runMain(main)
