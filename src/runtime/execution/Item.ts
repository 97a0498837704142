/**
 * What waits in the inbox of an execution, and what senders are told of it.
 *
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import type { Failure } from "../../core/Failure.js"
import type { Outcome } from "../../core/family/Update.js"
import type { Headers } from "../../core/Headers.js"
import type { Message } from "../../core/Message.js"
import type { StoreError } from "../../persistence/Store.js"

/**
 * What became of a message, told to whoever sent it, after the commit.
 *
 * @category models
 * @since 0.1.0
 */
export type Settled =
  | { readonly _tag: "Recorded" }
  /** In the store, for a later turn: the turn that took it in failed. */
  | { readonly _tag: "PutAway" }
  | { readonly _tag: "Dropped"; readonly reason: string }
  | { readonly _tag: "AlreadyRunning"; readonly runId: string }
  /** This worker lost the execution: send it again, through the store. */
  | { readonly _tag: "Moved" }
  /** The store is in trouble. The message is kept and may still be recorded. */
  | { readonly _tag: "Trouble"; readonly error: StoreError }

/** An answer to an update, at each of its stages. @since 0.1.0 */
export type UpdateAnswer =
  | { readonly _tag: "Accepted"; readonly runId?: string }
  | { readonly _tag: "Rejected"; readonly failure: Failure }
  | Outcome

/** A message, with the way back to its sender. @since 0.1.0 */
export interface Letter {
  readonly _tag: "Letter"
  readonly message: Message
  /** Its row in the mailbox, if it came by there. */
  readonly mailId: number | undefined
  readonly settled: ((settled: Settled) => void) | undefined
  /** Set on what an undone end left to be taken again: all of it goes into one turn (decision 4). */
  readonly together?: true
}

/** A query, with the way back to its sender. @since 0.1.0 */
export interface Question {
  readonly _tag: "Question"
  readonly name: string
  readonly input: unknown
  readonly headers?: Headers | undefined
  readonly answer: (answer: Either.Either<unknown, string>) => void
}

/** @since 0.1.0 */
export type Item = Letter | Question

/**
 * A letter from this process.
 *
 * @category constructors
 * @since 0.1.0
 */
export const letter = (message: Message, settled?: (settled: Settled) => void): Letter => ({
  _tag: "Letter",
  message,
  mailId: undefined,
  settled
})

/**
 * What the first turn takes in: the start, then all letters that wait already, in order (DESIGN section 5). Takes them
 * out of the inbox; questions stay.
 *
 * @category combinators
 * @since 0.1.0
 */
export const forFirstTurn = (first: Letter, inbox: Array<Item>): ReadonlyArray<Letter> => {
  const starts: Array<Letter> = []
  const others: Array<Letter> = []
  const questions: Array<Question> = []
  for (const item of [first, ...inbox]) {
    if (item._tag === "Question") questions.push(item)
    else (item.message._tag === "Start" ? starts : others).push(item)
  }
  inbox.splice(0, inbox.length, ...questions)
  return [...starts, ...others]
}

/**
 * What a later turn takes in: one letter, but for those that an undone end left (decision 4). Takes them out of the
 * inbox.
 *
 * @category combinators
 * @since 0.1.0
 */
export const forLaterTurn = (first: Letter, inbox: Array<Item>): ReadonlyArray<Letter> => {
  if (first.together === undefined) return [first]
  const letters = [first]
  const rest: Array<Item> = []
  for (const item of inbox) {
    if (item._tag === "Letter" && item.together !== undefined) letters.push(item)
    else rest.push(item)
  }
  inbox.splice(0, inbox.length, ...rest)
  return letters
}

/**
 * The order in which to take a turn again whose end is undone: what waited and undoes it goes into the same turn, ahead
 * of what ended it, and in the order of arrival.
 *
 * @category combinators
 * @since 0.1.0
 */
export const afterUndoneEnd = (taken: ReadonlyArray<Letter>, inbox: ReadonlyArray<Item>): ReadonlyArray<Item> => {
  const arrived = [...taken, ...inbox.filter((item): item is Letter => undoesEnd(item))]
  const again = [...arrived.filter(undoesEnd), ...arrived.filter((item) => !undoesEnd(item))]
  return [...again.map((item) => ({ ...item, together: true as const })), ...inbox.filter((item) => !undoesEnd(item))]
}

/** What is in no mailbox. @since 0.1.0 */
export const unmailed = (items: ReadonlyArray<Item>): ReadonlyArray<Item> =>
  items.filter((item) => item._tag === "Question" || item.mailId === undefined)

/** The mailbox rows of letters. @since 0.1.0 */
export const mailIds = (...lists: ReadonlyArray<ReadonlyArray<Letter>>): ReadonlyArray<number> => {
  const ids: Array<number> = []
  for (const letters of lists) {
    for (const letter of letters) if (letter.mailId !== undefined) ids.push(letter.mailId)
  }
  return ids
}

/** Signals and cancel requests that wait undo an end (row S3). @since 0.1.0 */
export const undoesEnd = (item: Item): boolean =>
  item._tag === "Letter" && (item.message._tag === "Signal" || item.message._tag === "Cancel")

/**
 * Tells senders that the run is at its end. Where another run follows, they send again to that one; what came by the
 * mailbox is there already (row U7). Gives the questions back, which a closed run answers too.
 *
 * @since 0.1.0
 */
export const tellClosed = (items: ReadonlyArray<Item>, followed: boolean): ReadonlyArray<Question> => {
  const questions: Array<Question> = []
  for (const item of items) {
    if (item._tag === "Question") questions.push(item)
    else item.settled?.(followed ? { _tag: "Moved" } : { _tag: "Dropped", reason: "closed" })
  }
  return questions
}

/** Tells senders that the store is in trouble, while their letters are kept. @since 0.1.0 */
export const tellTrouble = (letters: ReadonlyArray<Letter>, error: StoreError): void => {
  for (const letter of letters) letter.settled?.({ _tag: "Trouble", error })
}
