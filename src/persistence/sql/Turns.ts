/**
 * Writing turns that are known to be good: plain loops gather the rows, one statement a table writes them.
 *
 * Most turns touch two tables: their history row, and the tasks they add and remove. The run's own row is written only
 * when its wake-up, its attention or its status changes (I12).
 *
 * Added tasks go in before removed ones go out, and mail before closes, so that what comes and goes within one batch
 * ends as it should. Runs that turns create come after the closes: the next run of a chain takes its workflow id over, ahead
 * of any run that another turn would create under that id, whichever stands first in the batch. What concerns the children of closed runs comes after that, since a turn may start one and end its run; messages to other
 * runs come last, and meet all of it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { AttributeChange, Creation, NewMail, Outgoing as Message, Reply, TurnCommit } from "../Store.js"
import type * as Attributes from "./Attributes.js"
import * as Batch from "./Batch.js"
import type * as Children from "./Children.js"
import type * as Closing from "./Closing.js"
import type * as Creating from "./Creating.js"
import type { Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"
import type * as Mailbox from "./Mailbox.js"
import type * as Outgoing from "./Outgoing.js"
import type * as Releasing from "./Releasing.js"
import * as Rows from "./Rows.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Statements {
  readonly write: (tx: Tx, worker: string, turns: ReadonlyArray<TurnCommit>, now: number) => Effect.Effect<void, Fault>
  /**
   * Indexes of the turns that are in already, word for word. Of those that put messages away without a turn, the
   * reason tells, for as long as the run has the same owner.
   */
  readonly written: (tx: Tx, turns: ReadonlyArray<TurnCommit>) => Effect.Effect<ReadonlySet<number>, Fault>
}

/** @category models @since 0.1.0 */
export interface Parts {
  readonly mailbox: Mailbox.Statements
  readonly attributes: Attributes.Statements
  readonly closing: Closing.Statements
  readonly creating: Creating.Statements
  readonly children: Children.Statements
  readonly outgoing: Outgoing.Statements
  readonly releasing: Releasing.Statements
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const statements = (
  dialect: Dialect,
  { attributes, children, closing, creating, mailbox, outgoing, releasing }: Parts
): Statements => {
  const history = Batch.make(dialect, {
    before: "INSERT INTO perdure_history (run_id, turn, at, format, events) VALUES",
    row: "(?, ?, ?, ?, ?)"
  })
  const addTasks = Batch.make(dialect, {
    before: `INSERT INTO perdure_activity_tasks (run_id, seq, turn, task_queue, state, worker, attempt, scheduled_at,
      due_at, expires_at, started_at, cancel_requested, pinned_to, namespace) VALUES`,
    row: "(?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, 0, ?, :namespace)"
  })
  const cancelTasks = Batch.make(dialect, {
    // Nobody waits for an operator any more: whoever has the queue ends it.
    before: `UPDATE perdure_activity_tasks SET cancel_requested = 1,
      state = CASE WHEN state = 'paused' THEN 'queued' ELSE state END WHERE (run_id, seq) IN (VALUES`,
    row: "(?, ?)",
    after: ")"
  })
  const removeTasks = Batch.make(dialect, {
    before: "DELETE FROM perdure_activity_tasks WHERE (run_id, seq) IN (VALUES",
    row: "(?, ?)",
    after: ")"
  })
  const sameTurns = Batch.make(dialect, {
    before: "SELECT h.run_id, h.turn FROM (VALUES",
    row: "(?, ?, ?, ?)",
    after: `) AS v JOIN perdure_history h
      ON h.run_id = v.column1 AND h.turn = v.column2 AND h.at = v.column3 AND h.events = v.column4`
  })
  const sameReasons = Batch.make(dialect, {
    before: "SELECT r.run_id, 0 AS turn FROM (VALUES",
    row: "(?, ?, ?)",
    after: `) AS v JOIN perdure_runs r
      ON r.run_id = v.column1 AND r.epoch = v.column2 AND r.attention = v.column3`
  })
  const setColumn = (column: string) =>
    Batch.make(dialect, {
      before: `UPDATE perdure_runs SET ${column} = v.column2 FROM (VALUES`,
      row: "(?, ?)",
      after: ") AS v WHERE perdure_runs.run_id = v.column1"
    })
  const setWake = setColumn("wake_at")
  const setAttention = setColumn("attention")
  const setNotes = setColumn("notes")
  const setVersion = Batch.make(dialect, {
    before: `UPDATE perdure_runs SET deployment = v.column2, build_id = v.column3, behavior = v.column4,
      pinned_to = v.column5 FROM (VALUES`,
    row: "(?, ?, ?, ?, ?)",
    after: ") AS v WHERE perdure_runs.run_id = v.column1"
  })

  return {
    write: (tx, worker, turns, now) => {
      const rows = gather(worker, turns)
      const steps: Array<Effect.Effect<unknown, Fault>> = []
      const step = (batch: Batch.Batch, params: ReadonlyArray<unknown>) => {
        if (params.length > 0) {
          steps.push(Batch.run(tx, batch, params))
        }
      }
      step(history, rows.history)
      step(addTasks, rows.added)
      step(cancelTasks, rows.canceled)
      step(removeTasks, rows.removed)
      step(setWake, rows.wakes)
      step(setAttention, rows.attentions)
      step(setNotes, rows.notes)
      step(setVersion, rows.assigned)
      if (rows.attributes.length > 0) {
        steps.push(attributes.set(tx, rows.attributes))
      }
      if (rows.mail.length > 0) {
        steps.push(mailbox.post(tx, rows.mail, now))
      }
      if (rows.consumed.length > 0) {
        steps.push(mailbox.drop(tx, rows.consumed))
      }
      if (rows.replies.length > 0) {
        steps.push(mailbox.reply(tx, rows.replies))
      }
      if (rows.moves.length > 0) {
        steps.push(mailbox.move(tx, rows.moves))
      }
      if (rows.closed.length > 0) {
        steps.push(closing.close(tx, rows.closed, worker))
      }
      if (rows.creations.length > 0) {
        steps.push(creating.create(tx, worker, rows.creations, now))
      }
      if (rows.parents.length > 0) {
        steps.push(children.closeWith(tx, rows.parents, now))
      }
      if (rows.outgoing.length > 0) {
        steps.push(outgoing.deliver(tx, rows.outgoing, now))
      }
      // Behind all mail: what comes to the run from here on is nobody's until it is claimed.
      if (rows.released.length > 0) {
        steps.push(releasing.release(tx, rows.released, now))
      }
      return Effect.forEach(steps, (step) => step, { discard: true })
    },
    written: (tx, turns) => {
      const history: Array<unknown> = []
      const reasons: Array<unknown> = []
      for (const { attention, epoch, history: row, mail, runId } of turns) {
        if (row !== undefined) {
          history.push(runId, row.turn, row.at, row.events)
        } else if (mail.length > 0 && attention?.text !== undefined) {
          reasons.push(runId, epoch, attention.text)
        }
      }
      return Effect.map(
        Effect.zipWith(
          Effect.flatMap(Batch.run(tx, sameTurns, history), Rows.turnKey),
          Effect.flatMap(Batch.run(tx, sameReasons, reasons), Rows.turnKey),
          (some, others) => new Set([...some, ...others].map(({ runId, turn }) => `${turn} ${runId}`))
        ),
        (keys) => new Set([...turns.keys()].filter((index) => keys.has(keyOf(turns[index]!))))
      )
    }
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const keyOf = ({ history, runId }: TurnCommit): string => `${history?.turn ?? 0} ${runId}`

const gather = (worker: string, turns: ReadonlyArray<TurnCommit>) => {
  const history: Array<unknown> = []
  const added: Array<unknown> = []
  const canceled: Array<unknown> = []
  const removed: Array<unknown> = []
  const consumed: Array<number> = []
  const mail: Array<NewMail> = []
  const replies: Array<Reply> = []
  const closed: Array<Closing.Closed> = []
  const creations: Array<Creation> = []
  const successors: Array<Creation> = []
  const moves: Array<{ readonly from: string; readonly to: string; readonly owner: string | undefined }> = []
  const parents: Array<string> = []
  const outgoing: Array<Message> = []
  const wakes = new Map<string, number | null>()
  const attentions = new Map<string, string | null>()
  const notes = new Map<string, string>()
  const attributes: Array<readonly [string, AttributeChange]> = []
  const assigned: Array<unknown> = []
  const released: Array<string> = []

  for (const turn of turns) {
    const { runId } = turn
    if (turn.history !== undefined) {
      const { at, events, format, turn: number } = turn.history
      history.push(runId, number, at, format, events)
    }
    for (const task of turn.tasksAdded) {
      const { expiresAt, scheduledAt, seq, taskQueue } = task
      const started = task.worker !== undefined
      added.push(
        runId,
        seq,
        turn.history?.turn ?? 0,
        taskQueue,
        started ? "started" : "queued",
        task.worker ?? null,
        scheduledAt,
        scheduledAt,
        expiresAt ?? null,
        started ? scheduledAt : null,
        task.pinnedTo ?? ""
      )
    }
    for (const seq of turn.tasksCanceled) {
      canceled.push(runId, seq)
    }
    for (const seq of turn.tasksRemoved) {
      removed.push(runId, seq)
    }
    for (const id of turn.consumed) {
      consumed.push(id)
    }
    mail.push(...turn.mail)
    replies.push(...turn.replies)
    for (const creation of turn.creates) {
      if (creation.run.runId === turn.close?.next) {
        successors.push(creation)
      } else {
        creations.push(creation)
      }
    }
    outgoing.push(...turn.outgoing)
    // A created run's row was inserted with them.
    if (turn.create === undefined && turn.wake !== undefined) {
      wakes.set(runId, turn.wake.at ?? null)
    }
    if (turn.create === undefined && turn.attention !== undefined) {
      attentions.set(runId, turn.attention.text ?? null)
    }
    if (turn.notes !== undefined) {
      notes.set(runId, turn.notes)
    }
    if (turn.attributes !== undefined) {
      for (const attribute of turn.attributes) {
        attributes.push([runId, attribute])
      }
    }
    if (turn.assigned !== undefined) {
      const { behavior, pinnedTo, version } = turn.assigned
      assigned.push(runId, version?.deployment ?? null, version?.buildId ?? null, behavior ?? null, pinnedTo)
    }
    if (turn.release === true) {
      released.push(runId)
    }
    if (turn.close !== undefined) {
      const { at, historyLength, scheduled = false, status } = turn.close
      closed.push({ runId, status, at, historyLength, scheduled })
      const to = turn.close.next
      if (to !== undefined) {
        const owned = turn.creates.some((creation) => creation.owned && creation.run.runId === to)
        moves.push({ from: runId, to, owner: owned ? worker : undefined })
      }
      if (turn.close.hasChildren === true) {
        parents.push(runId)
      }
    }
  }
  return {
    history,
    added,
    canceled,
    removed,
    consumed,
    mail,
    replies,
    closed,
    creations: successors.length === 0 ? creations : [...successors, ...creations],
    moves,
    parents,
    outgoing,
    wakes: [...wakes].flat(),
    attentions: [...attentions].flat(),
    notes: [...notes].flat(),
    attributes,
    assigned,
    released
  }
}
