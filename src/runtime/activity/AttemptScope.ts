/**
 * The Scope of one activity attempt, made when it is first used: most attempts never ask for one.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import type * as Exit from "effect/Exit"
import { pipeArguments } from "effect/Pipeable"
import * as Scope from "effect/Scope"

/** @since 0.1.0 */
export class AttemptScope implements Scope.Scope {
  readonly [Scope.ScopeTypeId]: Scope.ScopeTypeId = Scope.ScopeTypeId
  readonly strategy: ExecutionStrategy.ExecutionStrategy = ExecutionStrategy.sequential
  private opened: Scope.CloseableScope | undefined

  fork(strategy: ExecutionStrategy.ExecutionStrategy): Effect.Effect<Scope.Scope.Closeable> {
    return Effect.suspend(() => Scope.fork(this.open(), strategy))
  }

  addFinalizer(finalizer: Scope.Scope.Finalizer): Effect.Effect<void> {
    return Effect.suspend(() => Scope.addFinalizerExit(this.open(), finalizer))
  }

  /** Runs the finalizers; undefined when there are none to run. */
  close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> | undefined {
    return this.opened === undefined ? undefined : Scope.close(this.opened, exit)
  }

  pipe() {
    // oxlint-disable-next-line prefer-rest-params
    return pipeArguments(this, arguments)
  }

  private open(): Scope.CloseableScope {
    return this.opened ??= Effect.runSync(Scope.make())
  }
}
