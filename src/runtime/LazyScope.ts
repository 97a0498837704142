/**
 * A Scope that is made when it is first used: most attempts and most bodies never ask for theirs.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import type * as Exit from "effect/Exit"
import { pipeArguments } from "effect/Pipeable"
import * as Scope from "effect/Scope"

/** @since 0.1.0 */
export class LazyScope implements Scope.Scope {
  readonly [Scope.ScopeTypeId]: Scope.ScopeTypeId = Scope.ScopeTypeId
  readonly strategy: ExecutionStrategy.ExecutionStrategy = ExecutionStrategy.sequential
  private opened: Scope.CloseableScope | undefined
  private closed: Exit.Exit<unknown, unknown> | undefined

  fork(strategy: ExecutionStrategy.ExecutionStrategy): Effect.Effect<Scope.Scope.Closeable> {
    return Effect.flatMap(this.open, (scope) => Scope.fork(scope, strategy))
  }

  addFinalizer(finalizer: Scope.Scope.Finalizer): Effect.Effect<void> {
    return Effect.flatMap(this.open, (scope) => Scope.addFinalizerExit(scope, finalizer))
  }

  /** Runs the finalizers; undefined when there are none to run. */
  close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> | undefined {
    this.closed = exit
    return this.opened === undefined ? undefined : Scope.close(this.opened, exit)
  }

  pipe() {
    // oxlint-disable-next-line prefer-rest-params
    return pipeArguments(this, arguments)
  }

  /** Made on the fiber that asks. Once closed, a finalizer runs when it is added, as in any scope. */
  private get open(): Effect.Effect<Scope.CloseableScope> {
    return Effect.suspend(() => {
      const { closed, opened } = this
      if (opened !== undefined) return Effect.succeed(opened)
      return Effect.tap(Scope.make(), (made) => {
        this.opened = made
        return closed === undefined ? Effect.void : Scope.close(made, closed)
      })
    })
  }
}
