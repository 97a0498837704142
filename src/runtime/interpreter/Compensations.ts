/**
 * The compensations of one body: how to undo its steps, run after its program if the run fails or is canceled.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

type Erased = Effect.Effect<unknown, unknown, unknown>

/**
 * What the compensations need of the body that they belong to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  readonly failsTurn: (cause: Cause.Cause<unknown>) => boolean
  readonly warn: (message: string) => void
}

/** @since 0.1.0 */
export class Compensations {
  private readonly undos: Array<Erased> = []

  constructor(private readonly body: Body) {}

  add(undo: Erased): void {
    this.undos.push(undo)
  }

  forget(): void {
    this.undos.length = 0
  }

  /** The last one first; one that fails is told of, and the others go on. */
  run(): Erased {
    return Effect.suspend(() => {
      const undo = this.undos.pop()
      if (undo === undefined) return Effect.void
      // On a daemon: a cancel request that comes now interrupts the run's fiber and its children, and no compensation.
      // There it may use timeouts and races, too, which do not interrupt what is uninterruptible.
      return Effect.flatMap(
        Effect.forkDaemon(Effect.interruptible(undo)),
        (fiber) =>
          Effect.flatMap(fiber.await, (exit) => {
            if (Exit.isFailure(exit)) {
              if (this.body.failsTurn(exit.cause)) return exit
              this.body.warn(`a compensation failed, the others go on: ${Cause.pretty(exit.cause)}`)
            }
            return this.run()
          })
      )
    })
  }
}
