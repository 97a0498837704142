/**
 * The program of one body: what its author wrote, from the start of the run to its one end.
 *
 * ```
 *  Start ──▶ body: state, handlers ──▶ run ──▶ scope closes ──▶ compensations, if it failed ──▶ the command that ends it
 *                                       ▲ failRun, continueAsNew: interrupted, and their word counts in place of its end
 * ```
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { Command } from "../../core/Command.js"
import type { Continuation, ExecutionStarted } from "../../core/family/Execution.js"
import { none as noHeaders } from "../../core/Headers.js"
import type { ErasedImplementation } from "../../dsl/ErasedHandlers.js"
import { isImplementation } from "../../dsl/ErasedHandlers.js"
import type { Hooks } from "../../dsl/Hooks.js"
import { through } from "../../dsl/Hooks.js"
import type { WorkflowHost } from "../../dsl/Workflow.js"
import { LazyScope } from "../LazyScope.js"
import type { CancelRequests } from "./CancelRequests.js"
import { Compensations } from "./Compensations.js"
import * as Ending from "./Ending.js"
import { defect } from "./TurnFailure.js"

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>
type Erased = Effect.Effect<unknown, unknown, unknown>

/**
 * What the program needs of the body that it belongs to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  readonly definition: WorkflowHost["definition"]
  readonly hooks: Hooks["workflow"]
  readonly runId: string
  readonly requests: CancelRequests
  /** Forks the fiber to which a cancel request goes. */
  readonly forkRoot: (effect: Erased) => AnyFiber
  readonly setUp: (implementation: ErasedImplementation) => Effect.Effect<void>
  readonly failsTurn: (cause: Cause.Cause<unknown>) => boolean
  readonly issue: (command: Command) => void
  readonly warn: (message: string) => void
  /** Fails the turn. */
  readonly fail: (error: Error) => void
}

/** @since 0.1.0 */
export class Program {
  readonly scope = new LazyScope()
  private readonly compensations: Compensations
  private root: AnyFiber | undefined
  /** What fails the run in place of its own end: a signal handler's failure. */
  private failing: Cause.Cause<unknown> | undefined
  /** What continues it in place of its own end. The first of the two counts. */
  private continuing: Continuation | undefined
  private isEnded = false

  constructor(private readonly body: Body) {
    this.compensations = new Compensations(body)
  }

  get began(): boolean {
    return this.root !== undefined
  }

  get ended(): boolean {
    return this.isEnded
  }

  begin(written: WorkflowHost["body"], payload: unknown, started: ExecutionStarted): void {
    const { hooks: { execute }, runId } = this.body
    const running = (payload: unknown): Erased =>
      Effect.flatMap(
        Effect.suspend(() => written(payload)),
        // The handlers of waiting messages begin before the program does (row W9).
        (made) => isImplementation(made) ? Effect.zipRight(this.body.setUp(made), made.run) : Effect.succeed(made)
      )
    const { headers = noHeaders, workflow, workflowId } = started
    const program = execute === undefined
      ? running(payload)
      : Effect.suspend(() =>
        through(execute, { workflow, workflowId, runId, payload, headers }, (call) => running(call.payload))
      )
    const main = Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        Effect.flatMap(Effect.exit(restore(program)), (exit) => this.closeScope(exit)),
        (exit) =>
          Exit.isSuccess(exit) || this.continuing !== undefined || this.body.failsTurn(exit.cause)
            ? exit
            : Effect.zipRight(this.compensations.run(), exit)
      )
    )
    this.root = this.body.forkRoot(main)
    this.body.requests.begin(this.root)
    this.root.addObserver((exit) => this.end(exit))
  }

  /** Fails the run from beside its program, which is interrupted: its finalizers and compensations run first. */
  failRun(cause: Cause.Cause<unknown>): void {
    if (this.isEnded || this.continuing !== undefined) return
    this.failing ??= cause
    this.root?.unsafeInterruptAsFork(FiberId.none)
  }

  /** Continues the run by a new one. Its program is interrupted: its finalizers run first, and no compensation. */
  continueAsNew(continuation: Continuation): void {
    if (this.isEnded || this.failing !== undefined) return
    this.continuing ??= continuation
    this.root?.unsafeInterruptAsFork(FiberId.none)
  }

  compensate(undo: Erased): void {
    this.compensations.add(undo)
  }

  forget(): void {
    this.root = undefined
    this.failing = undefined
    this.compensations.forget()
  }

  // --- internal

  private end(exit: Exit.Exit<unknown, unknown>): void {
    const { body } = this
    const { definition, requests } = body
    if (Exit.isFailure(exit) && body.failsTurn(exit.cause)) {
      return body.fail(defect(`workflow ${definition.name}`, exit.cause))
    }
    this.isEnded = true
    const { continuing, failing } = this
    const command = Ending.commandOf({ definition, exit, failing, continuing, cancelReason: requests.reason })
    if (Either.isLeft(command)) body.fail(command.left)
    else body.issue(command.right)
  }

  /** As `Effect.scoped` does; most bodies never ask for their scope. */
  private closeScope(exit: Exit.Exit<unknown, unknown>): Effect.Effect<Exit.Exit<unknown, unknown>> {
    const closing = this.scope.close(exit)
    return closing === undefined
      ? Effect.succeed(exit)
      : Effect.map(Effect.exit(closing), (closed) => Exit.zipLeft(exit, closed))
  }
}
