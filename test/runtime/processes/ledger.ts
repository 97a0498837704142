/**
 * A worker of one namespace, as a process of its own, that says in its results who it is and where.
 */
import * as Effect from "effect/Effect"
import { Activity, State, Worker, Workflow } from "perdure"
import { Entry, Ledger, Note, Reader } from "./contract.js"
import * as Process from "./Process.js"

const notesUntilClosed = Effect.gen(function*() {
  const notes = yield* State.make<ReadonlyArray<string>>([])
  const closed = yield* State.make(false)
  return {
    signals: {
      note: (text: string) => notes.update((all) => [...all, text]),
      close: () => closed.set(true)
    },
    all: Effect.zipRight(Workflow.condition(closed.get), notes.get)
  }
})

const LedgerLive = Ledger.toLayer((page) =>
  Effect.gen(function*() {
    const { all, signals } = yield* notesUntilClosed
    const { namespace } = yield* Workflow.info
    return Ledger.of({
      signals,
      run: Effect.gen(function*() {
        const entered = yield* Effect.orDie(Entry.execute(page, { workflowId: "entry" }))
        const sent = yield* Effect.either(Workflow.external(Reader, "reader").signal("note", page))
        return [namespace, entered, sent._tag, ...yield* all]
      })
    })
  })
)

const ReaderLive = Reader.toLayer(() =>
  Effect.map(notesUntilClosed, ({ all, signals }) => Reader.of({ signals, run: all }))
)

Process.run(({ lease, name, taskQueue }) =>
  Worker.layer({
    taskQueue,
    lease: lease as `${number} seconds`,
    shutdownGrace: 0,
    hosts: [
      LedgerLive,
      ReaderLive,
      Entry.toLayer((text) => Effect.orDie(Note.execute(text))),
      Note.toLayer((text) => Effect.map(Activity.info, ({ namespace }) => `${text} by ${name} in ${namespace}`))
    ]
  })
)
