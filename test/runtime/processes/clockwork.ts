/**
 * A worker as a process of its own, whose workflow does nothing: it is for schedules to start.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Worker } from "perdure"
import { Tick } from "./contract.js"
import * as Process from "./Process.js"

Process.run(({ lease, taskQueue }) =>
  Worker.layer({
    taskQueue,
    lease: lease as Duration.DurationInput,
    shutdownGrace: 0,
    hosts: [Tick.toLayer(() => Effect.void)]
  })
)
