/**
 * A store whose payloads are encoded: the one beneath it never sees a clear one (row N5).
 *
 * Provide it where the store is provided, in workers, clients and checks alike. Without it nothing of this runs. Encoding
 * happens before the transaction of a commit; a commit that is asked for again is encoded as it was, word for word.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Creation, HistoryRow, NewMail, NewRun, Outgoing, Reply, Run, Task, TurnCommit } from "../Store.js"
import { Store, StoreError } from "../Store.js"
import type { OutsideChange, TaskChange } from "../TaskChange.js"
import { Coding } from "./Coding.js"
import * as EncodedSchedules from "./EncodedSchedules.js"
import { nobody, Owners } from "./Owners.js"
import type { PayloadCodec, PayloadCodecError } from "./PayloadCodec.js"

type Encoding<A> = Effect.Effect<A, PayloadCodecError | StoreError>

/**
 * Encodes by the given codecs, in order; decodes in reverse. Values name their codecs, so that codecs may be added, and
 * taken away once no value names them.
 *
 * A history that cannot be decoded keeps its run open, and says which key or codec is missing; see `describe`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  codecs: ReadonlyArray<PayloadCodec>,
  options: {
    /** Encode messages and stacks of failures too. Default false: operators read them. */
    readonly failureMessages?: boolean | undefined
  } = {}
): Layer.Layer<Store, never, Store> =>
  Layer.effect(
    Store,
    Effect.map(Store, (store) => over(store, new Coding({ codecs, failureMessages: false, ...given(options) })))
  )

const given = ({ failureMessages }: { readonly failureMessages?: boolean | undefined }) =>
  failureMessages === undefined ? {} : { failureMessages }

const over = (store: Store["Type"], coding: Coding): Store["Type"] => {
  const owners = new Owners(store)
  const as = <A, E>(
    operation: string,
    effect: Effect.Effect<A, E | PayloadCodecError>
  ): Effect.Effect<A, E | StoreError> =>
    Effect.catchIf(
      effect,
      (error): error is PayloadCodecError =>
        (error as { readonly _tag?: string } | undefined)?._tag === "PayloadCodecError",
      (error) => new StoreError({ operation, reason: "Other", detail: error.message, transient: false })
    ) as Effect.Effect<A, E | StoreError>

  // --- out

  const optional = <A>(text: string | undefined, code: (text: string) => Encoding<A>): Encoding<A | undefined> =>
    text === undefined ? Effect.succeed(undefined) : code(text)
  const mail = <M extends NewMail>(one: M): Encoding<M> =>
    Effect.map(coding.encode(one.body, owners.of(one.runId)), (body) => ({ ...one, body }))
  const newRun = (run: NewRun): Encoding<NewRun> => {
    owners.met(run)
    return run.notes === undefined
      ? Effect.succeed(run)
      : Effect.map(coding.encode(run.notes, owners.of(run.runId)), (notes) => ({ ...run, notes }))
  }
  const reply = (one: Reply): Encoding<Reply> =>
    Effect.map(coding.encode(one.body, nobody), (body) => ({ ...one, body }))
  const creation = (one: Creation): Encoding<Creation> =>
    Effect.map(Effect.all([newRun(one.run), mail(one.start)]), ([run, start]) => ({ ...one, run, start }))
  // What became of it is worded within the transaction, and has no payload.
  const outgoing = (one: Outgoing): Encoding<Outgoing> =>
    Effect.gen(function*() {
      const { to, unbegun } = one
      const owner = to._tag === "Run" ? owners.of(to.runId) : owners.ofExecution(to.workflowId)
      return {
        ...one,
        body: yield* coding.encode(one.body, owner),
        unbegun: unbegun === undefined
          ? undefined
          : { ...unbegun, events: yield* coding.encode(unbegun.events, owner) }
      }
    })
  const turn = (commit: TurnCommit): Encoding<TurnCommit> =>
    Effect.gen(function*() {
      const { history, runId } = commit
      const owner = owners.of(runId)
      return {
        ...commit,
        create: commit.create === undefined ? undefined : yield* newRun(commit.create),
        history: history === undefined
          ? undefined
          : { ...history, events: yield* coding.encode(history.events, owner) },
        notes: yield* optional(commit.notes, (text) => coding.encode(text, owner)),
        mail: yield* Effect.forEach(commit.mail, mail),
        replies: yield* Effect.forEach(commit.replies, reply),
        creates: yield* Effect.forEach(commit.creates, creation),
        outgoing: yield* Effect.forEach(commit.outgoing, outgoing)
      }
    })
  const task = <T extends TaskChange | OutsideChange>(change: T): Encoding<T> => {
    switch (change._tag) {
      case "Retry":
        return Effect.map(
          coding.encodeWithin(change.failure, { ...placeOf(change), kind: "failure" }),
          (failure) => ({ ...change, failure })
        )
      case "Heartbeat":
        return Effect.map(
          optional(change.details, (text) => coding.encodeWhole(text, { ...placeOf(change), kind: "heartbeat" })),
          (details) => ({ ...change, details })
        )
      case "Settle":
        return Effect.map(mail(change.mail), (mail) => ({ ...change, mail }))
      default:
        return Effect.succeed(change)
    }
  }
  const placeOf = ({ runId, seq }: { readonly runId: string; readonly seq: number }) => ({
    owner: owners.of(runId),
    seq
  })
  /** By what was encoded: what is asked for again is the same text. */
  const once = <A extends object>(encode: (value: A) => Encoding<A>): (value: A) => Encoding<A> => {
    const known = new WeakMap<A, A>()
    return (value) => {
      const before = known.get(value)
      return before === undefined
        ? Effect.tap(encode(value), (encoded) => void known.set(value, encoded))
        : Effect.succeed(before)
    }
  }
  const turnOnce = once(turn)
  const taskOnce = once<TaskChange>(task)

  // --- back

  /** What cannot be decoded is told by whoever reads the events: the run stays open, and shows why. */
  const history = (runId: string) => <R extends HistoryRow>(row: R): Effect.Effect<R, StoreError> =>
    coding.decode(row.events, owners.of(runId)).pipe(
      Effect.catchTag("PayloadCodecError", (error) => Effect.succeed(JSON.stringify({ unreadable: error.message }))),
      Effect.map((events) => ({ ...row, events }))
    )
  const run = (one: Run): Encoding<Run> => {
    owners.met(one)
    return Effect.map(optional(one.notes, (text) => coding.decode(text, owners.of(one.runId))), (notes) => ({
      ...one,
      notes
    }))
  }
  const taskBack = <T extends Task>(one: T): Encoding<T> =>
    Effect.gen(function*() {
      const place = placeOf(one)
      return {
        ...one,
        heartbeat: yield* optional(one.heartbeat, (text) => coding.decodeWhole(text, { ...place, kind: "heartbeat" })),
        failure: yield* optional(one.failure, (text) => coding.decodeWithin(text, { ...place, kind: "failure" }))
      }
    })
  const mailBack = <M extends NewMail>(one: M): Encoding<M> =>
    Effect.map(coding.decode(one.body, owners.of(one.runId)), (body) => ({ ...one, body }))
  const each = <A, B, E, R>(code: (one: A) => Encoding<B>) => (all: Effect.Effect<ReadonlyArray<A>, E, R>) =>
    Effect.flatMap(all, (found) => Effect.forEach(found, code))
  const maybe = <A, B, E, R>(code: (one: A) => Encoding<B>) => (found: Effect.Effect<Option.Option<A>, E, R>) =>
    Effect.flatMap(
      found,
      (one): Encoding<Option.Option<B>> =>
        Option.isNone(one) ? Effect.succeed(Option.none()) : Effect.map(code(one.value), Option.some)
    )
  /** Tasks of one turn share its row. */
  const claimed = (all: ReturnType<Store["Type"]["claimTasks"]>) =>
    Effect.gen(function*() {
      const tasks = yield* all
      const rows = new Map<HistoryRow, HistoryRow>()
      for (const task of tasks) {
        owners.met(task)
        // It says what the activity is called: before what is of the activity.
        if (!rows.has(task.row)) rows.set(task.row, yield* history(task.runId)(task.row))
      }
      return yield* Effect.forEach(tasks, (one) => taskBack({ ...one, row: rows.get(one.row)! }))
    })

  return {
    ...store,
    ...EncodedSchedules.over(store, { as, coding, creation, history, owners }),
    commit: (commit) =>
      as(
        "commit",
        Effect.flatMap(
          Effect.all([Effect.forEach(commit.turns, turnOnce), Effect.forEach(commit.tasks, taskOnce)]),
          ([turns, tasks]) => store.commit({ ...commit, turns, tasks })
        )
      ),
    create: (one, start, options) =>
      as(
        "create",
        Effect.gen(function*() {
          const [run, begin] = yield* Effect.all([newRun(one), mail(start)])
          if (options === undefined) return yield* store.create(run, begin)
          const { mail: letters, terminate } = options
          return yield* store.create(run, begin, {
            ...options,
            mail: letters === undefined ? undefined : yield* Effect.forEach(letters, mail),
            terminate: terminate === undefined
              ? undefined
              : { ...terminate, events: yield* coding.encode(terminate.events, owners.ofExecution(one.workflowId)) }
          })
        })
      ),
    post: (one, now) => as("post", Effect.flatMap(mail(one), (encoded) => store.post(encoded, now))),
    terminate: (runId, events, format, now, toParent) =>
      as(
        "terminate",
        Effect.flatMap(coding.encode(events, owners.of(runId)), (text) =>
          store.terminate(runId, text, format, now, toParent))
      ),
    reset: (reset, now) =>
      as(
        "reset",
        Effect.gen(function*() {
          const { end, run: { runId, workflowId } } = reset
          return yield* store.reset({
            ...reset,
            run: yield* newRun(reset.run),
            history: yield* Effect.forEach(reset.history, (row) =>
              Effect.map(coding.encode(row.events, owners.of(runId)), (events) => ({ ...row, events }))),
            mail: yield* Effect.forEach(reset.mail, mail),
            end: { ...end, events: yield* coding.encode(end.events, owners.ofExecution(workflowId)) }
          }, now)
        })
      ),
    reply: (replies, consumed) =>
      as("reply", Effect.flatMap(Effect.forEach(replies, reply), (encoded) => store.reply(encoded, consumed))),
    reviseTask: (one) =>
      as(
        "reviseTask",
        Effect.flatMap(
          optional(one.heartbeat, (text) => coding.encodeWhole(text, { ...placeOf(one), kind: "heartbeat" })),
          (heartbeat) => store.reviseTask({ ...one, heartbeat })
        )
      ),
    settleWith: (settled, work) =>
      as(
        "settleWith",
        // Looked up before: within the transaction nothing else gets at the database.
        Effect.flatMap(owners.inAdvance(settled), (owner) =>
          store.settleWith(settled, (services) =>
            Effect.flatMap(
              work(services),
              (one) => Effect.map(coding.encode(one.body, owner), (body) => ({ ...one, body }))
            )))
      ),
    changeOutside: (change, now) =>
      as("changeOutside", Effect.flatMap(task(change), (encoded) => store.changeOutside(encoded, now))),

    findRun: (runId) => as("findRun", store.findRun(runId).pipe(maybe(run))),
    findLatest: (...args) => as("findLatest", store.findLatest(...args).pipe(maybe(run))),
    history: (runId, ...rest) => Effect.flatMap(store.history(runId, ...rest), Effect.forEach(history(runId))),
    lastTurn: (runId) => as("lastTurn", store.lastTurn(runId).pipe(maybe(history(runId)))),
    mail: (...args) => as("mail", store.mail(...args).pipe(each(mailBack))),
    mailOf: (...args) => as("mailOf", store.mailOf(...args).pipe(each(mailBack))),
    tasksOf: (runId) => as("tasksOf", store.tasksOf(runId).pipe(each(taskBack))),
    takeReply: (requestId) =>
      as(
        "takeReply",
        store.takeReply(requestId).pipe(
          maybe((one) => Effect.map(coding.decode(one.body, nobody), (body) => ({ ...one, body })))
        )
      ),
    runs: (options) => as("runs", store.runs(options).pipe(each(run))),
    claimRuns: (...args) => as("claimRuns", store.claimRuns(...args).pipe(each(run))),
    claimRun: (...args) => as("claimRun", store.claimRun(...args).pipe(maybe(run))),
    dueRuns: (...args) => as("dueRuns", store.dueRuns(...args).pipe(each(run))),
    claimTasks: (...args) => as("claimTasks", claimed(store.claimTasks(...args))),
    claimExpired: (...args) => as("claimExpired", claimed(store.claimExpired(...args))),
    claimQueries: (...args) => as("claimQueries", store.claimQueries(...args).pipe(each(mailBack)))
  }
}
