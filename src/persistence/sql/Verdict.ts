/**
 * Which turns of a batch go in, decided from what the database said: pure.
 *
 * 1. Turns are judged in order: a refusal takes all later turns of its run with it, and a close ends the run for those
 *    that follow.
 * 2. A run whose create met an open run that an earlier turn of this same batch closes is put off, to be judged again
 *    once that close is written. Each pass writes at least one close, so the passes end.
 * 3. An end that would drop a signal or a cancel request is refused, also one that was put away within this batch.
 *
 * @since 0.1.0
 */
import type { Mail, MailKind, Refusal, TurnCommit } from "../Store.js"

/**
 * What the database said about the runs of the turns.
 *
 * @category models
 * @since 0.1.0
 */
interface Facts {
  /** Epochs of the open runs that the worker owns, those just created among them. */
  readonly epochs: ReadonlyMap<string, number>
  /** By run: the open run that its create met; undefined where the run id itself was taken. */
  readonly conflicts: ReadonlyMap<string, string | undefined>
  /** Signals and cancel requests that wait for runs that are to close. */
  readonly mail: ReadonlyArray<Mail>
}

/** @category models @since 0.1.0 */
interface Verdict {
  readonly accepted: ReadonlyArray<TurnCommit>
  /** Indexes of turns to be judged again after these are written. */
  readonly putOff: ReadonlyArray<number>
}

/**
 * Judges the turns with the given indexes, and adds what it refuses to `refused`.
 *
 * @since 0.1.0
 */
export const judge = (
  turns: ReadonlyArray<TurnCommit>,
  indexes: ReadonlyArray<number>,
  facts: Facts,
  refused: Map<number, Refusal>
): Verdict => {
  const accepted: Array<TurnCommit> = []
  const putOff: Array<number> = []
  const closed = new Set<string>()
  const lost = new Map<string, Refusal | "PutOff">()
  const consumed = new Set<number>()
  const putAway = new Set<string>()

  const verdict = (turn: TurnCommit): Refusal | "PutOff" | undefined => {
    const { close, create, runId } = turn
    if (lost.has(runId)) {
      return lost.get(runId)
    }
    if (refusesItself(turn)) {
      return { _tag: "MailWaiting" }
    }
    if (create !== undefined && facts.conflicts.has(runId)) {
      const other = facts.conflicts.get(runId)
      return other === undefined
        ? { _tag: "Fenced" }
        : closed.has(other)
        ? "PutOff"
        : { _tag: "AlreadyRunning", runId: other }
    }
    if (closed.has(runId) || facts.epochs.get(runId) !== turn.epoch) {
      return { _tag: "Fenced" }
    }
    const waits = (mail: Mail) => mail.runId === runId && !consumed.has(mail.id) && !turn.consumed.includes(mail.id)
    return close?.refuseIfMail === true && (putAway.has(runId) || facts.mail.some(waits))
      ? { _tag: "MailWaiting" }
      : undefined
  }

  for (const index of indexes) {
    const turn = turns[index]!
    const result = verdict(turn)
    if (result === undefined) {
      accepted.push(turn)
      for (const id of turn.consumed) {
        consumed.add(id)
      }
      for (const mail of turn.mail) {
        if (refusing.has(mail.kind)) {
          putAway.add(mail.runId)
        }
      }
      if (turn.close !== undefined) {
        closed.add(turn.runId)
      }
    } else {
      lost.set(turn.runId, result)
      if (result === "PutOff") {
        putOff.push(index)
      } else {
        refused.set(index, result)
      }
    }
  }
  return { accepted, putOff }
}

/**
 * A turn that ends its run and puts a signal away for a later turn, which there will not be. Nothing need be asked of
 * the database to refuse it, so that no run is created for it either.
 *
 * @category refinements
 * @since 0.1.0
 */
export const refusesItself = ({ close, mail, runId }: TurnCommit): boolean =>
  close?.refuseIfMail === true && mail.some((one) => one.runId === runId && refusing.has(one.kind))

// internal -----------------------------------------------------------------------------------------------------------

const refusing: ReadonlySet<MailKind> = new Set<MailKind>(["Signal", "Cancel"])
