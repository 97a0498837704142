/**
 * The process of one service: its rules and its ledger behind an HTTP server, on a port that the system chooses.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import * as Child from "../child.js"
import * as Ledger from "./ledger.js"
import { serviceNames, services } from "./rules.js"
import { app } from "./service.js"

const Settings = Schema.Struct({
  service: Schema.Literal(...serviceNames),
  seed: Schema.Number,
  ledger: Schema.String
})

const main = Effect.gen(function*() {
  const { ledger, seed, service } = yield* Child.settings(Settings)
  yield* Effect.gen(function*() {
    const late = yield* FiberSet.make()
    yield* HttpServer.serveEffect(yield* app(services[service](seed), late))
    yield* HttpServer.addressFormattedWith((url) => Child.ready({ url }))
    yield* Child.released
    // What was promised late is still done: the audit comes after the last word of every service.
    yield* FiberSet.awaitEmpty(late)
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Layer.merge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }), Ledger.layer(ledger))
    )
  )
})

NodeRuntime.runMain(main)
