/**
 * What a cause becomes in the history, or in an answer.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Either from "effect/Either"
import type { Failure } from "../../core/Failure.js"
import * as Failures from "../../core/Failure.js"
import { ActivityError, toFailure as activityFailure } from "../../dsl/ActivityError.js"
import { ApplicationError, toFailure as applicationFailure } from "../../dsl/ApplicationError.js"
import { ChildWorkflowError, toFailure as childFailure } from "../../dsl/ChildWorkflowError.js"
import type { Codec } from "../../dsl/Contract.js"
import type { RunOptions } from "../../dsl/RunOptions.js"

/**
 * The recorded form: a declared error by its schema, everything else as what it is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failureOf = (error: Codec, cause: Cause.Cause<unknown>): Failure => {
  if (Cause.isInterruptedOnly(cause)) return { _tag: "Canceled", message: "interrupted" }
  const thrown = Cause.squash(cause)
  const isOwn = thrown instanceof ApplicationError || thrown instanceof ActivityError ||
    thrown instanceof ChildWorkflowError
  const encoded = isOwn || Cause.isDie(cause) ? undefined : error.encode(thrown)
  if (encoded === undefined || Either.isLeft(encoded)) return plain(thrown)
  const { message, type } = Failures.fromUnknown(thrown)
  return { _tag: "Declared", type, message, error: encoded.right }
}

/** Whether a cause fails the turn (I7), and neither the run nor the update: a defect, unless the workflow or its worker opts out (row W16). @since 0.1.0 */
export const failsTurn = (cause: Cause.Cause<unknown>, { failOnDefect }: RunOptions): boolean => {
  if (!Cause.isDie(cause) || failOnDefect === true) return false
  return typeof failOnDefect !== "function" || !Chunk.every(Cause.defects(cause), failOnDefect)
}

/** In words, for whoever asked. @since 0.1.0 */
export const messageOf = (cause: Cause.Cause<unknown>): string =>
  Cause.isInterruptedOnly(cause) ? "interrupted" : Failures.render(plain(Cause.squash(cause)))

/** Interrupted, or failed by a canceled activity or child whose error escaped: a request is sticky (row C3). @since 0.1.0 */
export const isCancellation = (cause: Cause.Cause<unknown>): boolean => {
  if (Cause.isInterruptedOnly(cause)) return true
  const thrown = Cause.squash(cause)
  return (thrown instanceof ActivityError || thrown instanceof ChildWorkflowError) && thrown.isCanceled
}

const plain = (thrown: unknown): Failure => {
  if (thrown instanceof ApplicationError) return applicationFailure(thrown)
  if (thrown instanceof ActivityError) return activityFailure(thrown)
  if (thrown instanceof ChildWorkflowError) return childFailure(thrown)
  return Failures.fromUnknown(thrown)
}
