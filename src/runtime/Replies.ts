/**
 * Answers for callers in other processes: stored replies, written in one with the end of the mail that asked.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Runtime from "effect/Runtime"
import type { Reply, Store } from "../persistence/Store.js"
import type { Letter } from "./execution/Item.js"

/** The answer that makes a client ask through the store. @since 0.1.0 */
export const movedReason = "perdure: this worker does not have the execution"

/** @since 0.1.0 */
export class Replies {
  constructor(
    private readonly store: Context.Tag.Service<typeof Store>,
    private readonly runtime: Runtime.Runtime<never>,
    private readonly now: () => number,
    /** The mail that asked is there still, and is to be handed over again. */
    private readonly again: () => void
  ) {}

  /** Answers a query. One that this worker has no code for is left to a worker that has. */
  query(requestId: string, mailId: number, answer: Either.Either<unknown, string>): void {
    if (Either.isLeft(answer) && answer.left === movedReason) return
    const body = JSON.stringify(
      Either.isRight(answer) ? { _tag: "Answered", value: answer.right } : { _tag: "Refused", reason: answer.left }
    )
    this.write([{ requestId, at: this.now(), body }], mailId)
  }

  /** Tells the sender of an update that its run was closed before it was taken in (row U7). */
  tooLate({ mailId, message }: Letter): void {
    if (mailId === undefined) return
    const replyTo = message._tag === "Update" ? message.replyTo : undefined
    const requestId = `${replyTo}/accepted`
    this.write(
      replyTo === undefined ? [] : [{ requestId, at: this.now(), body: JSON.stringify({ _tag: "Closed" }) }],
      mailId
    )
  }

  private write(replies: ReadonlyArray<Reply>, mailId: number): void {
    Runtime.runFork(this.runtime)(
      Effect.catchAll(
        this.store.reply(replies, [mailId]),
        (error) =>
          Effect.zipRight(
            Effect.logWarning("a reply could not be written; it is tried again", error),
            Effect.sync(this.again)
          )
      )
    )
  }
}
