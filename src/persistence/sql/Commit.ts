/**
 * The group commit: finished turns of many runs, and what hosts write about attempts, in one transaction (I3).
 *
 * ```
 *   turns ──▶ create runs ──▶ ask: who owns, what waits ──▶ judge ──▶ write the accepted ones
 *               ▲                                             └─ put off: once more, after the closes before them
 *               └─────────────────────────────────────────────────┘
 *   then task changes, then COMMIT
 * ```
 *
 * A refused turn changes nothing and holds up nobody else's (I4). A crash before COMMIT leaves nothing of the batch;
 * one after it leaves all: the caller that was not answered finds its turn in the history. So does a commit that is
 * asked for again: what is in, word for word, is answered and not written twice. (Another owner's turn could only be
 * taken for it if it had the same number, the same millisecond and the same events.)
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Commit, Refusal, Store, TurnCommit } from "../Store.js"
import * as Batch from "./Batch.js"
import type { Changes } from "./Changes.js"
import type * as Creating from "./Creating.js"
import type { Database, Tx } from "./Database.js"
import type { Registered } from "./Leases.js"
import type * as Mailbox from "./Mailbox.js"
import * as Rows from "./Rows.js"
import type * as TaskChanges from "./TaskChanges.js"
import type * as Turns from "./Turns.js"
import * as Verdict from "./Verdict.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  db: Database,
  turns: Turns.Statements,
  taskChanges: TaskChanges.Statements,
  mailbox: Mailbox.Statements,
  creating: Creating.Statements,
  registered: Registered,
  changes: Changes
): Pick<Store["Type"], "commit"> => {
  const { dialect } = db
  const fence = Batch.make(dialect, {
    // The plus signs keep the planner to the key: through an index of the status it would read all open runs' entries.
    before: "SELECT run_id, epoch FROM perdure_runs WHERE +status = 'Running' AND +owner = ? AND run_id IN (",
    row: "?",
    after: `)${dialect.lockRows}`
  })

  const createRuns = (tx: Tx, worker: string, creates: ReadonlyArray<TurnCommit>) =>
    Effect.gen(function*() {
      if (creates.length === 0) {
        return noConflicts
      }
      if (!(yield* registered(tx, worker))) {
        return new Map(creates.map(({ runId }) => [runId, undefined]))
      }
      return yield* creating.insert(
        tx,
        creates.map(({ attention, create, epoch, wake }) => ({
          run: create!,
          owner: worker,
          epoch,
          wakeAt: wake?.at,
          attention: attention?.text
        }))
      )
    })

  const pass = (
    tx: Tx,
    { now, turns: all, worker }: Commit,
    indexes: ReadonlyArray<number>,
    refused: Map<number, Refusal>
  ) =>
    Effect.gen(function*() {
      const creates: Array<TurnCommit> = []
      const epochs = new Map<string, number>()
      const owned = new Set<string>()
      const closing: Array<string> = []
      for (const index of indexes) {
        const turn = all[index]!
        if (turn.create === undefined) {
          owned.add(turn.runId)
        } else if (!Verdict.refusesItself(turn)) {
          creates.push(turn)
        }
        if (turn.close?.refuseIfMail === true) {
          closing.push(turn.runId)
        }
      }
      const conflicts = yield* createRuns(tx, worker, creates)
      for (const { epoch, runId } of creates) {
        if (!conflicts.has(runId)) {
          epochs.set(runId, epoch)
          owned.delete(runId)
        }
      }
      for (const { epoch, runId } of yield* Effect.flatMap(Batch.run(tx, fence, [...owned], [worker]), Rows.fence)) {
        epochs.set(runId, epoch)
      }
      const mail = closing.length === 0 ? [] : yield* mailbox.refusing(tx, closing)
      const verdict = Verdict.judge(all, indexes, { epochs, conflicts, mail }, refused)
      yield* turns.write(tx, worker, verdict.accepted, now)
      return verdict.putOff
    })

  const knownOf = (tx: Tx, { tasks, turns: all, worker }: Commit) =>
    Effect.zipWith(
      turns.written(tx, all),
      taskChanges.applied(tx, worker, tasks),
      (turns, tasks): Known => ({ turns, tasks })
    )

  const applyTasks = (tx: Tx, { now, tasks, worker }: Commit, known: ReadonlySet<number>) => {
    if (known.size === 0) {
      return taskChanges.apply(tx, worker, tasks, now)
    }
    const places = [...tasks.keys()].filter((index) => !known.has(index))
    return Effect.map(
      taskChanges.apply(tx, worker, places.map((index) => tasks[index]!), now),
      ({ posted, stale }) => ({ posted, stale: new Set([...stale].map((place) => places[place]!)) })
    )
  }

  return {
    commit: (commit) =>
      db.write("commit", (tx) =>
        Effect.gen(function*() {
          const refused = new Map<number, Refusal>()
          const known = commit.again === true ? yield* knownOf(tx, commit) : nothingKnown
          let indexes: ReadonlyArray<number> = [...commit.turns.keys()].filter((index) => !known.turns.has(index))
          while (indexes.length > 0) {
            indexes = yield* pass(tx, commit, indexes, refused)
          }
          const { posted, stale } = commit.tasks.length === 0
            ? noChanges
            : yield* applyTasks(tx, commit, known.tasks)
          return { committed: { refused, stale }, posted }
        })).pipe(
          Effect.flatMap(({ committed, posted }) =>
            Effect.as(
              posted || commit.turns.some(concernsAll)
                ? changes.announce
                : concernsOthers(commit)
                ? changes.announceToOthers
                : Effect.void,
              committed
            )
          )
        )
  }
}

// internal -----------------------------------------------------------------------------------------------------------

/** Indexes of what of a commit is in already, from when its answer was lost. */
interface Known {
  readonly turns: ReadonlySet<number>
  readonly tasks: ReadonlySet<number>
}

const nothingKnown: Known = { turns: new Set(), tasks: new Set() }

const noChanges = { stale: new Set<number>() as ReadonlySet<number>, posted: false }

const noConflicts: Creating.Conflicts = new Map()

/** Mail was posted, to the writer's own runs perhaps; or a schedule became due. */
const concernsAll = ({ close, creates, mail, outgoing, replies }: TurnCommit): boolean =>
  mail.length > 0 || replies.length > 0 || outgoing.length > 0 || close?.hasChildren === true ||
  close?.scheduled === true ||
  creates.some(({ report }) => report !== undefined)

/** Another worker or client in this process may wait for a result, or host the queue of a task. */
const concernsOthers = ({ tasks, turns }: Commit): boolean =>
  turns.some((turn) =>
    turn.close !== undefined || turn.release === true || turn.tasksCanceled.length > 0 || turn.creates.length > 0 ||
    turn.tasksAdded.some((task) => task.worker === undefined)
  ) ||
  tasks.some((change) => change._tag === "Retry")
