/**
 * The journal of one body: the `WorkflowContext` that the body sees. Its numbered steps are in `Steps.ts`; each kind of
 * step that needs more than a few lines has a file of its own.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import type * as Random from "effect/Random"
import type { Event } from "../../core/Event.js"
import type { Continuation } from "../../core/family/Execution.js"
import type { Target } from "../../core/family/External.js"
import type { Attribute, Carried, MemoField } from "../../core/family/Notes.js"
import type { ContractError } from "../../dsl/Contract.js"
import type { HandlerChanges } from "../../dsl/ErasedHandlers.js"
import type { Hooks } from "../../dsl/Hooks.js"
import type {
  ActivityCall,
  ActivityOutcome,
  ChildCall,
  CurrentUpdate,
  StartedActivity,
  StepCall,
  StepOutcome,
  WorkflowInfo
} from "../../dsl/WorkflowContext.js"
import type { WorkflowContext } from "../../dsl/WorkflowContext.js"
import * as ActivityCalls from "./ActivityCalls.js"
import * as ChildCalls from "./ChildCalls.js"
import { Conditions } from "./Conditions.js"
import * as Guard from "./Guard.js"
import { updateInProgress } from "./Handlers.js"
import type { Notes } from "./Notes.js"
import * as Steps from "./Steps.js"

import { BodyDefect } from "./TurnFailure.js"

type Service = Context.Tag.Service<typeof WorkflowContext>
type Erased = Effect.Effect<unknown, unknown, unknown>

/**
 * What the journal needs of the body that it belongs to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body extends Steps.Body {
  readonly info: () => WorkflowInfo
  /** The run that ids derive from. */
  readonly seedRunId: string
  readonly hooks: Hooks["workflow"]
  readonly randomStream: (name: string) => Random.Random
  readonly handlersInProgress: number
  readonly setHandlers: (changes: HandlerChanges) => Effect.Effect<void>
  readonly compensate: (undo: Erased) => void
  readonly notes: Notes
  readonly unreadable: (event: Event, error: ContractError, number?: number) => Error
  readonly askPatch: (id: string, deprecated: boolean, place: string | undefined) => boolean
  readonly continueAsNew: (continuation: Continuation) => void
  readonly catchCancel: (effect: Erased, fallback: (reason: string) => Erased) => Erased
}

const noCalls: ReadonlyMap<number, StepCall> = new Map()

/** @since 0.1.0 */
export class Journal extends Steps.Steps<Body> implements Service {
  readonly conditions = new Conditions()
  /** Made for the first inline step: hardly a body has one. */
  private stepCalls: Map<number, StepCall> | undefined

  /** The inline steps that have no outcome, with the effects to run. */
  get steps(): ReadonlyMap<number, StepCall> {
    return this.stepCalls ?? noCalls
  }

  override deliver(event: Event): void {
    // Between two attempts: the body goes on waiting for the outcome.
    if (event._tag === "StepBackedOff" || event._tag === "StepResumed") return
    if (this.stepCalls !== undefined && "seq" in event) this.stepCalls.delete(event.seq)
    super.deliver(event)
  }

  override forget(): void {
    super.forget()
    this.stepCalls = undefined
    this.conditions.forget()
  }

  /** A durable timer. Zero and negative durations pass at once, without an event (row W4). */
  sleep(millis: number): Effect.Effect<void> {
    if (millis <= 0) return this.writing("a durable step", () => {})
    return this.step((seq, fiber) =>
      this.pause<void>(
        fiber,
        seq,
        () => this.issue({ _tag: "StartTimer", seq, delayMillis: millis, summary: this.summarize(fiber, seq) }),
        () => Effect.void,
        () => {
          if (this.leave(seq)) this.issue({ _tag: "CancelTimer", seq })
        }
      )
    )
  }

  // --- what the body sees

  get info(): Effect.Effect<WorkflowInfo> {
    return Effect.sync(() => this.body.info())
  }

  get hooks(): Hooks["workflow"] {
    return this.body.hooks
  }

  randomStream(name: string): Random.Random {
    return this.body.randomStream(name)
  }

  get handlersInProgress(): Effect.Effect<number> {
    return Effect.sync(() => this.body.handlersInProgress)
  }

  setHandlers(changes: HandlerChanges): Effect.Effect<void> {
    return Effect.zipRight(this.writing("setHandlers", () => {}), this.body.setHandlers(changes))
  }

  compensate(undo: Erased): Effect.Effect<void> {
    return this.writing("a compensation", () => this.body.compensate(undo))
  }

  continueAsNew(continuation: Continuation): Effect.Effect<never> {
    return Effect.zipRight(
      this.writing("Workflow.continueAsNew", (fiber) => {
        const update = fiber.getFiberRef(updateInProgress)
        if (update !== undefined) {
          throw new BodyDefect({
            in: `update ${update.name}`,
            reason: "Workflow.continueAsNew is not allowed there, since its caller waits for an answer of this run: " +
              "let the handler tell the run to continue"
          })
        }
        this.body.continueAsNew(continuation)
      }),
      // Not only at the next point that may be interrupted: nothing may come after it.
      Effect.interrupt
    )
  }

  catchCancel(effect: Erased, fallback: (reason: string) => Erased): Effect.Effect<never> {
    return Effect.zipRight(
      this.writing("Workflow.catchCancel", () => {}),
      this.body.catchCancel(effect, fallback)
    ) as Effect.Effect<never>
  }

  unreadable(event: { readonly seq: number }, error: ContractError): Effect.Effect<never> {
    return Effect.die(this.body.unreadable(event as unknown as Event, error, this.numberOf(event)))
  }

  get notes(): Effect.Effect<Carried> {
    return Effect.sync(() => this.body.notes.now)
  }

  upsertMemo(fields: ReadonlyArray<MemoField>): Effect.Effect<void> {
    return this.writing("Workflow.upsertMemo", () => this.body.notes.upsertMemo(fields))
  }

  upsertSearchAttributes(attributes: ReadonlyArray<Attribute>): Effect.Effect<void> {
    return this.writing("Workflow.upsertSearchAttributes", () => this.body.notes.upsertSearchAttributes(attributes))
  }

  setCurrentDetails(details: string): Effect.Effect<void> {
    return this.writing("Workflow.setCurrentDetails", () => void (this.body.notes.currentDetails = details))
  }

  get currentUpdate(): Effect.Effect<CurrentUpdate | undefined> {
    return FiberRef.get(updateInProgress)
  }

  askPatch(id: string, deprecated: boolean, place?: string): Effect.Effect<boolean> {
    return this.writing("Workflow.patched", () => this.body.askPatch(id, deprecated, place))
  }

  unguarded<A>(run: () => A): Effect.Effect<A> {
    return Effect.sync(() => Guard.pause(run))
  }

  assertWritable(what: string): Effect.Effect<void> {
    return Effect.sync(() => this.mustWrite(what))
  }

  executeActivity(call: ActivityCall, place?: string): Effect.Effect<ActivityOutcome> {
    return ActivityCalls.execute(this, call, place)
  }

  startActivity(call: ActivityCall, place?: string): Effect.Effect<StartedActivity> {
    return ActivityCalls.start(this, call, place)
  }

  runStep(call: StepCall, place?: string): Effect.Effect<StepOutcome> {
    return this.step((seq, fiber) =>
      this.pause<StepOutcome>(
        fiber,
        seq,
        () => {
          this.issue(
            { _tag: "RunStep", seq, name: call.name, summary: this.summarize(fiber, seq, call.summary) },
            place
          )
          this.stepCalls = (this.stepCalls ?? new Map()).set(seq, call)
        },
        Effect.succeed,
        () => {
          this.stepCalls?.delete(seq)
          if (this.leave(seq)) this.issue({ _tag: "CancelStep", seq })
        }
      )
    )
  }

  executeChild(call: ChildCall, place?: string) {
    return ChildCalls.execute(this, this.body.seedRunId, call, place)
  }

  startChild(call: ChildCall, place?: string) {
    return ChildCalls.start(this, this.body.seedRunId, call, place)
  }

  signalExternal(...[target, name, sent, place]: Parameters<Service["signalExternal"]>) {
    return ChildCalls.send<Effect.Effect.Success<ReturnType<Service["signalExternal"]>>>(
      this,
      ChildCalls.signal(target, name, sent),
      place
    )
  }

  cancelExternal(target: Target, reason: string, place?: string): ReturnType<Service["cancelExternal"]> {
    return ChildCalls.send(this, ChildCalls.cancel(target, reason), place)
  }

  condition(predicate: Effect.Effect<boolean, never, WorkflowContext>): Effect.Effect<void> {
    return Effect.zipRight(
      this.writing("Workflow.condition", () => {}),
      this.conditions.wait(predicate as Effect.Effect<boolean>)
    )
  }
}
