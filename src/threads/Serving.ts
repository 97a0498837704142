/**
 * The thread's side: runs the bodies of activities, one attempt at a time, and reports to the worker.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberStatus from "effect/FiberStatus"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import { parentPort } from "node:worker_threads"
import * as Failures from "../core/Failure.js"
import type { CancellationDetails } from "../dsl/ActivityContext.js"
import { ActivityContext } from "../dsl/ActivityContext.js"
import type { Hosted } from "../dsl/HostedActivity.js"
import { ActivityHost } from "../dsl/HostedActivity.js"
import type { Order, Report } from "./Protocol.js"

/**
 * Serves activities in a thread, by the Layers that `toLayer` of their contracts made; called once, at the top of the
 * module that the threads run. The Layers are built with the first attempt, and live as long as the thread.
 *
 * @category constructors
 * @since 0.1.0
 */
export const serve = (...hosts: ReadonlyArray<Layer.Layer<never, unknown>>): void => {
  const port = parentPort
  if (port === null) return
  const say = (report: Report) => port.postMessage(report)
  const [first, ...others] = hosts
  if (first === undefined) return
  const runtime = ManagedRuntime.make(Layer.mergeAll(first, ...others) as Layer.Layer<Hosted<string>, unknown>)
  let running: Fiber.RuntimeFiber<unknown, unknown> | undefined
  let current = 0
  let details: CancellationDetails | undefined
  const shutDown = Effect.unsafeMakeLatch()
  let shuttingDown = false

  const attempt = (order: Extract<Order, { readonly _tag: "Run" }>) =>
    Effect.gen(function*() {
      const context = yield* Effect.context<Hosted<string>>()
      const host = [...context.unsafeMap.values()].find(
        (service): service is ActivityHost => service instanceof ActivityHost && service.name === order.activity
      )
      if (host === undefined) {
        return yield* Effect.fail<Failures.Failure>({
          _tag: "Application",
          type: "NotFoundError",
          message: `activity ${order.activity} is not served by the thread's module`
        })
      }
      const own = Context.make(ActivityContext, {
        info: order.info,
        lastHeartbeat: order.lastHeartbeat,
        heartbeat: (details) => Effect.sync(() => say({ _tag: "Heartbeat", number: order.number, details })),
        shuttingDown: Effect.sync(() => shuttingDown),
        awaitShutdown: shutDown.await,
        cancellationDetails: Effect.sync(() => details),
        completeAsync: Effect.dieMessage("an activity on a thread cannot be handed over")
      })
      return yield* Effect.suspend(() => host.run(order.input)).pipe(
        Effect.scoped,
        Effect.provide(Context.merge(host.services, own))
      )
    })

  const ended = (number: number, exit: Exit.Exit<unknown, unknown>) => {
    running = undefined
    if (Exit.isSuccess(exit)) return say({ _tag: "Completed", number, result: exit.value })
    const failure = Cause.failureOption(exit.cause as Cause.Cause<Failures.Failure>)
    if (failure._tag === "Some") return say({ _tag: "Failed", number, failure: failure.value })
    if (Cause.isInterruptedOnly(exit.cause)) return say({ _tag: "Interrupted", number })
    say({ _tag: "Failed", number, failure: Failures.fromUnknown(Cause.squash(exit.cause)) })
  }

  /** Outside of its uninterruptible regions only: one that is uninterruptible to its end completes (row A6). */
  const interrupt = (fiber: Fiber.RuntimeFiber<unknown, unknown>): void => {
    if (running !== fiber) return
    Effect.runFork(Effect.map(fiber.status, (status) => {
      if (FiberStatus.isDone(status)) return
      if (RuntimeFlags.interruptible(status.runtimeFlags)) fiber.unsafeInterruptAsFork(fiber.id())
      else setTimeout(() => interrupt(fiber), reinterruptMillis)
    }))
  }

  port.on("message", (order: Order) => {
    switch (order._tag) {
      case "Run":
        details = undefined
        current = order.number
        running = runtime.runFork(attempt(order))
        return running.addObserver((exit) => ended(order.number, exit))
      case "Cancel":
        if (order.number !== current) return
        details = order.details
        return running === undefined ? undefined : interrupt(running)
      case "ShutDown":
        shuttingDown = true
        return shutDown.unsafeOpen()
    }
  })
}

/** How often a fiber that cannot be interrupted now is asked again. */
const reinterruptMillis = 10
