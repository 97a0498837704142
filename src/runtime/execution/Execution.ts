/**
 * An execution in memory: the actor that takes its messages in, one a turn.
 *
 * ```
 *  inbox ──▶ accept ──▶ [interpreter: turn] ──▶ events ──▶ committer ──▶ let go: answers, activities, steps
 *    ▲                        │ throws                         │ refused
 *    └── put back ◀───────────┴── fail the turn (I7) ◀─────────┴── this copy is dropped (I4)
 * ```
 *
 * 1. A turn takes in one message (I1); the first one takes in the start and all that already waits, and one whose end
 *    was undone all that undid it.
 * 2. Turns may run ahead of their commits, in order; nothing of a turn is let go before its commit (I2).
 * 3. Once a turn failed or was refused, this copy takes no further turn: it is dropped, and brought back from the store.
 *
 * @since 0.1.0
 */
import * as Commands from "../../core/Command.js"
import type { Event, Turn } from "../../core/Event.js"
import * as Events from "../../core/Event.js"
import { followerOf } from "../../core/family/Execution.js"
import * as Signals from "../../core/family/Signal.js"
import * as InlineSteps from "../../core/family/Step.js"
import type { Update } from "../../core/family/Update.js"
import * as HistoryLimits from "../../core/HistoryLimits.js"
import { Limits } from "../../core/Limits.js"
import * as Routing from "../../core/Routing.js"
import type { RunState } from "../../core/RunState.js"
import * as RunStates from "../../core/RunState.js"
import type { Attention } from "../../dsl/Client.js"
import type { WorkflowHost } from "../../dsl/Workflow.js"
import type { NewRun, Refusal, Run, TurnCommit } from "../../persistence/Store.js"
import type { Attempt } from "../activity/Attempt.js"
import type { TurnOutput } from "../interpreter/Interpreter.js"
import { Interpreter } from "../interpreter/Interpreter.js"
import * as Consequences from "./Consequences.js"
import * as FailedTurn from "./FailedTurn.js"
import { InOrder } from "./InOrder.js"
import * as Intake from "./Intake.js"
import type { Item, Letter, Question, UpdateAnswer } from "./Item.js"
import * as Items from "./Item.js"
import * as LettingGo from "./LettingGo.js"
import * as Replaying from "./Replaying.js"
import * as Successor from "./Successor.js"
import type { Surroundings } from "./Surroundings.js"
import { UpdateCalls } from "./UpdateCalls.js"
import { notBeforeDue, WakeUp } from "./WakeUp.js"

/** @since 0.1.0 */
export class Execution {
  readonly inbox: Array<Item> = []
  state: RunState
  interpreter: Interpreter
  private readonly commits = new InOrder()
  /** Mailbox rows that were handed in and are there still. */
  private readonly mail = new Set<number>()
  fibers = 0
  /** As many of them as its engine has counted. */
  countedFibers = 0
  readonly epoch: number
  private created: NewRun | undefined
  private readonly updates: UpdateCalls
  private readonly wakeUp: WakeUp
  private attention: Attention | undefined
  isStopped = false
  isLost = false
  private turnsTaken = 0
  /** As of which change of the routes it is known to be in its place. */
  private routed = 0
  private pumping = false
  private readonly refusedItems: Array<Item> = []

  constructor(
    readonly run:
      & Pick<Run, "runId" | "workflowId" | "workflow" | "taskQueue" | "startedAt">
      & Pick<NewRun, "expiresAt" | "pinnedTo" | "override">,
    readonly host: WorkflowHost,
    private readonly around: Surroundings<Execution>,
    from: { readonly epoch: number; readonly wakeAt: number | undefined; readonly attention: Attention | undefined },
    created?: NewRun
  ) {
    this.epoch = from.epoch
    this.wakeUp = new WakeUp(around, from.wakeAt, (due) => this.post(Items.letter(due)), () => this.expire())
    this.attention = from.attention
    this.created = created
    this.state = RunStates.empty(run.runId)
    this.interpreter = new Interpreter({
      ...run,
      host,
      namespace: around.namespace,
      onLate: (place) => this.isStopped ? undefined : this.fail(FailedTurn.wokenOutside(run.workflow, place), []),
      turnMillisMax: () => this.around.turnBound.of(this.epoch, this.turnsTaken++ === 0),
      readMillisMax: around.turnBound.each
    })
    this.updates = new UpdateCalls({
      state: this.state,
      canAnswer: (update) => this.interpreter.knowsUpdate(update.name),
      validate: (update) => this.interpreter.validate(update),
      settle: (letter, update, answer) => this.settleUpdate(letter, update, answer)
    })
  }

  get runId(): string {
    return this.run.runId
  }

  /** Whether it may be forgotten without losing anything. */
  get isIdle(): boolean {
    return this.inbox.length === 0 && this.commits.underWay === 0 && !InlineSteps.isPerforming(this.state) &&
      this.updates.waiting === 0
  }

  /** When the clock wakes it, should it be forgotten now. */
  get wakeAt(): number | undefined {
    return RunStates.wakeAt(this.state)
  }

  /** Takes recorded turns in, checking that the body still does what it did. Throws what makes it differ. */
  replay(history: ReadonlyArray<Turn>): void {
    Replaying.replay(history, {
      run: this.run,
      state: this.state,
      interpreter: this.interpreter,
      strict: false
    })
  }

  /** Back from the store: performs what only the owner performs, and takes up its messages. */
  resume(items: ReadonlyArray<Item>): void {
    this.fibers = this.interpreter.fibers
    const steps = InlineSteps.performing(this.state)
    this.wakeUp.arm(this.state)
    for (const item of items) if (this.isNew(item)) this.inbox.push(item)
    // Left to the clock, it would come too late for a small cache, which forgets what is idle.
    const due = this.wakeUp.due(this.state, this.around.now())
    if (due !== undefined) this.inbox.push(Items.letter(due))
    if (this.attention?._tag === "TurnFailed" && this.inbox.length === 0) this.recovered()
    this.pump()
    // A step whose outcome was among the messages is not performed again.
    if (this.isStopped || steps.length === 0) return
    const still = new Set(InlineSteps.performing(this.state))
    this.around.startSteps(this, steps.filter((seq) => still.has(seq)))
  }

  post(item: Item): void {
    if (this.isStopped) return this.around.tooLate(item)
    if (!this.isNew(item)) return
    this.inbox.push(item)
    this.pump()
  }

  /** The body came back, and no message is left that failed it: what was wrong is over. */
  private recovered(): void {
    this.attention = undefined
    const change = { attention: { text: undefined }, wake: this.wakeUp.refresh(this.state) }
    this.commit({ ...this.blank(), ...change }, [], [], undefined)
  }

  /** Whether a mailbox row was not handed in before: polls may show it again. */
  private isNew(item: Item): boolean {
    if (item._tag === "Question" || item.mailId === undefined) return true
    if (this.mail.has(item.mailId)) return false
    this.mail.add(item.mailId)
    return true
  }

  /** Forgets the body. The store has all that is needed to bring it back. */
  evict(lost = false): void {
    this.isStopped = true
    this.isLost = lost
    this.wakeUp.disarm()
    this.interpreter.evict()
  }

  /** Writes the wake-up time again: the store's was kept early on purpose, and has passed. */
  refreshWake(): void {
    if (this.isStopped || this.commits.underWay > 0 || this.state.closed !== undefined) return
    const wake = this.wakeUp.refresh(this.state)
    if (wake !== undefined) this.commit({ ...this.blank(), wake }, [], [], undefined)
  }

  /** Finds out whether it is its worker's still. */
  probe(): void {
    if (!this.isStopped) this.commit(this.blank(), [], [], undefined)
  }

  // --- turns

  private pump(): void {
    if (this.pumping) return
    this.pumping = true
    try {
      while (
        !this.isStopped && this.commits.underWay < Limits.uncommittedTurnsMax &&
        // After the end, messages wait: the end may yet be refused (row S3).
        this.state.closed === undefined
      ) {
        if (this.routed !== this.around.routes.generation && this.isMisplaced()) return this.giveUp()
        const end = HistoryLimits.exceeded(this.state)
        // No code could bring it on or to an end: its callers and its parent are to hear of it (row K11).
        if (end !== undefined) this.commitTurn(this.clock(), [end], Intake.noOutput, [], [], true)
        const item = end === undefined ? this.inbox.shift() : undefined
        if (item === undefined) break
        if (item._tag === "Question") this.ask(item)
        else this.take(item)
      }
    } finally {
      this.pumping = false
    }
    if (!this.isStopped) this.around.touched(this)
  }

  /** Another version is to go on with it (row V6), once no step is performed here. Its first turn may unpin it. */
  private isMisplaced(): boolean {
    const { routes } = this.around
    const pinnedTo = Routing.pinnedTo(this.run, this.state)
    const isPlaced = routes.takes({ workflowId: this.run.workflowId, pinnedTo })
    if (isPlaced && this.state.turn > 0) this.routed = routes.generation
    return !isPlaced && !InlineSteps.isPerforming(this.state)
  }

  private giveUp(): void {
    const items = [...this.updates.takeEarly(), ...this.inbox.splice(0)]
    this.evict()
    this.commits.after(() => {
      const gone = () => this.around.drop(this, items, "Refused")
      const letters = items.filter((item) => item._tag === "Letter")
      this.around.commit({ ...this.blank(), release: true }, gone, (error) => Items.tellTrouble(letters, error))
    })
  }

  /** The time of the next turn: never before the last one's. */
  private clock(): number {
    return Math.max(this.state.time, Math.trunc(this.around.now()))
  }

  private ask(question: Question): void {
    const answer = this.interpreter.query(question.name, question.input, question.headers)
    // It may have seen turns that are not committed: it is answered when they are (I2).
    this.commits.after(() => question.answer(answer))
  }

  private take(letter: Letter): void {
    const { message } = letter
    if (message._tag === "Update" && this.updates.answers(letter, message)) return
    const letters = (this.state.turn === 0 ? Items.forFirstTurn : Items.forLaterTurn)(letter, this.inbox)
    const { events, later, taken, dropped: refused } = Intake.of(letters, this.state, this.host)
    const dropped: Array<Letter> = []
    for (const [each, reason] of refused) this.dropLetter(each, reason, dropped)
    this.inbox.push(...later)
    if (events.length === 0) return this.consume(dropped)
    const at = notBeforeDue(this.state, letters, this.clock())
    let output: TurnOutput
    try {
      output = this.interpreter.turn({ at, events, replaying: false, past: this.state })
      Intake.assertBounded(this.run.workflow, this.state, events, output)
    } catch (error) {
      return this.fail(error, [...dropped, ...taken])
    }
    const recorded = Intake.recorded(events, output)
    const ending = output.commands.some(Commands.isEnd)
    if (ending) {
      for (const each of Intake.takeMoot(this.inbox, this.state, events)) {
        this.dropLetter(each, "it was canceled", dropped)
      }
    }
    if (ending && this.mustRedo()) {
      // Signals are waiting: the end is undone, and the turn taken again with them (row S3).
      return this.leave([...dropped, ...Items.afterUndoneEnd(taken, this.inbox)], "Reload")
    }
    this.commitTurn(at, recorded, output, taken, dropped, ending)
  }

  /** Only what was sent and not yet taken in counts; a run that ends by a signal handler's failure ends all the same. */
  private mustRedo(): boolean {
    return this.state.turn > 0 && this.inbox.some((item) => Items.undoesEnd(item))
  }

  private dropLetter(letter: Letter, reason: string, dropped: Array<Letter>): void {
    dropped.push(letter)
    // Taken in before, perhaps with a commit that is still under way: its sender is told so then (row S1).
    if (reason === Signals.repeated) return this.commits.after(() => letter.settled?.({ _tag: "Recorded" }))
    if (letter.message._tag === "Signal") this.around.warn(this, `signal ${letter.message.name} dropped: ${reason}`)
    letter.settled?.({ _tag: "Dropped", reason })
  }

  /** Messages that came to nothing leave the mailbox, without a turn. */
  private consume(letters: ReadonlyArray<Letter>): void {
    const consumed = Items.mailIds(letters)
    if (consumed.length > 0) this.commit({ ...this.blank(), consumed }, [], [], undefined)
  }

  private settleUpdate(letter: Letter, message: Update, answer: UpdateAnswer): void {
    const tell = () => {
      letter.settled?.({ _tag: "Recorded" })
      this.around.updateAnswered(this.runId, message.id, answer)
    }
    if (letter.mailId === undefined) return this.commits.after(tell)
    this.commit(
      {
        ...this.blank(),
        consumed: [letter.mailId],
        replies: Consequences.repliesTo(message.replyTo, answer, this.around.now())
      },
      [],
      [],
      undefined,
      tell
    )
  }

  private commitTurn(
    at: number,
    messages: ReadonlyArray<Event>,
    output: TurnOutput,
    taken: ReadonlyArray<Letter>,
    dropped: ReadonlyArray<Letter>,
    ending: boolean
  ): void {
    const events: Array<Event> = [...messages]
    const state = Successor.begun(this.state, messages)
    for (const command of output.commands) events.push(Commands.decide(command, at, state))
    const next = ending
      ? Successor.complete(events, this.run, this.state, at, this.around)
      : Consequences.nothing.creates
    const text = Events.encode(events)
    const turn: Turn = { turn: this.state.turn + 1, at, events, bytes: text.length }
    const { bytes, events: count } = this.state
    const consequences = Consequences.of(events, {
      run: this.run,
      state: this.state,
      at,
      worker: this.around.workerId(),
      serves: this.around.serves,
      takes: this.around.takes,
      reserveSlot: this.around.reserveSlot
    })
    consequences.unfinished = output.unfinished
    if (output.rejected.size > 0) Consequences.addRejected(consequences, output.rejected, taken, at)
    RunStates.evolve(this.state, turn)
    this.fibers = this.interpreter.fibers
    const { closed } = this.state
    if (closed !== undefined) Consequences.addEnd(consequences, this.state, closed, at)
    const creates = next.length === 0 ? consequences.creates : [...consequences.creates, ...next]
    // Written out: copying the parts of it together took a tenth of a turn's time.
    this.commit(
      {
        runId: this.runId,
        epoch: this.epoch,
        create: this.takeCreated(),
        history: { turn: turn.turn, at, format: Events.format, events: text },
        wake: this.wakeUp.after(this.state, at),
        attention: this.attentionAfter(),
        close: Consequences.closeOf(this.state, at),
        notes: consequences.notes,
        attributes: consequences.attributes,
        assigned: consequences.assigned,
        consumed: Items.mailIds(taken, dropped),
        tasksAdded: consequences.tasksAdded,
        tasksRemoved: consequences.tasksRemoved,
        tasksCanceled: consequences.cancels,
        mail: Consequences.nothing.mail,
        replies: consequences.replies,
        creates,
        outgoing: consequences.outgoing
      },
      taken,
      consequences.starts,
      { letters: taken, consequences, closing: closed, creates }
    )
    for (const warning of HistoryLimits.warnings(count, bytes, this.state, turn)) this.around.warn(this, warning)
    if (output.logs.length > 0) this.around.log(this, output.logs)
    this.inbox.push(...this.updates.afterTurn())
    if (!this.isStopped) this.wakeUp.arm(this.state)
  }

  /** A turn that got on clears what was wrong; one that leaves nothing to wake it says so (I5). */
  private attentionAfter(): TurnCommit["attention"] {
    const stuck = this.state.closed === undefined && RunStates.pending(this.state) === 0 &&
      !this.interpreter.reachable && this.updates.waiting === 0
    const next = stuck ? FailedTurn.noWakeUp : undefined
    if (next?._tag === this.attention?._tag) return undefined
    this.attention = next
    return { text: next === undefined ? undefined : JSON.stringify(next) }
  }

  /** A commit of this run that writes nothing yet. */
  private blank(): TurnCommit {
    return { ...Consequences.nothing, runId: this.runId, epoch: this.epoch, create: this.takeCreated() }
  }

  /** The first commit creates the run. */
  private takeCreated(): NewRun | undefined {
    const { created } = this
    this.created = undefined
    return created
  }

  // --- commits

  private commit(
    commit: TurnCommit,
    letters: ReadonlyArray<Letter>,
    starts: ReadonlyArray<Attempt>,
    release: Consequences.Release | undefined,
    then?: () => void
  ): void {
    this.commits.handOver()
    this.around.commit(
      commit,
      (refusal) => {
        this.commits.arrived()
        if (refusal !== undefined) return this.refused(refusal, letters, starts)
        for (const id of commit.consumed) this.mail.delete(id)
        if (release !== undefined) this.letGo(release)
        then?.()
        this.commits.release()
        if (this.inbox.length > 0) this.pump()
        else if (!this.isStopped && this.commits.underWay === 0) this.around.touched(this)
      },
      (error) => Items.tellTrouble(letters, error)
    )
  }

  private letGo(release: Consequences.Release): void {
    LettingGo.letGo(this.around, this, release)
    const { closing, consequences, creates } = release
    if (closing !== undefined) {
      const warning = Consequences.unfinishedWarning(consequences.unfinished)
      if (warning !== undefined) this.around.warn(this, warning)
      const left = [...this.updates.takeEarly(), ...this.inbox.splice(0)]
      this.evict()
      this.around.closed(this, closing)
      const questions = Items.tellClosed(left, followerOf(closing) !== undefined)
      if (questions.length > 0) this.around.drop(this, questions, "Reload")
    }
    if (creates.length > 0) this.around.created(creates)
  }

  private refused(refusal: Refusal, letters: ReadonlyArray<Letter>, starts: ReadonlyArray<Attempt>): void {
    for (const _ of starts) this.around.releaseSlot()
    if (refusal._tag === "AlreadyRunning") {
      for (const letter of letters) letter.settled?.({ _tag: "AlreadyRunning", runId: refusal.runId })
      if (!this.isStopped) this.leave([], "Refused")
      return
    }
    this.refusedItems.push(...letters)
    this.isStopped = true
    if (this.commits.underWay > 0) return
    const after = this.commits.takeAll()
    this.leave(
      [...this.refusedItems.splice(0), ...this.updates.takeEarly(), ...this.inbox.splice(0)],
      refusal._tag === "Fenced" ? "Refused" : "Reload"
    )
    for (const run of after) run()
  }

  /** Out of time: what comes back from the store is ended there, without its body (row X8). */
  private expire(): void {
    if (!this.isStopped && this.state.closed === undefined) {
      this.leave([...this.updates.takeEarly(), ...this.inbox], "Reload")
    }
  }

  /** Takes this copy out of memory and hands the items to whoever goes on. */
  private leave(items: ReadonlyArray<Item>, why: "Refused" | "Reload"): void {
    this.inbox.length = 0
    this.evict()
    // Turns before this one may be on their way: what comes back from the store must have them.
    this.commits.after(() => this.around.drop(this, items, why))
  }

  /**
   * A turn threw: nothing of it is committed (I7). Messages are put away in the store with the reason and the time of
   * the next try; a crash before that commit leaves them where they were: unacknowledged, in the mailbox, or due.
   */
  private fail(error: unknown, letters: ReadonlyArray<Letter>): void {
    const items: Array<Item> = [...letters, ...this.updates.takeEarly(), ...this.inbox.splice(0)]
    this.evict()
    this.commits.after(() => this.putAway(error, items))
  }

  /** Puts messages away and says why, without taking a turn: also for a body that could not be brought back. */
  putAway(error: unknown, items: ReadonlyArray<Item>): void {
    const attention = FailedTurn.attention(error, this.attention, this.around.now())
    this.around.warn(this, `turn ${this.state.turn + 1} failed, try ${attention.failures}: ${attention.message}`)
    const letters = FailedTurn.letters(items, attention)
    this.commits.handOver()
    this.around.commit(
      { ...this.blank(), ...FailedTurn.keep(this.run, letters, attention) },
      (refusal) => {
        this.commits.arrived()
        const settled = FailedTurn.settled(refusal)
        for (const letter of letters) letter.settled?.(settled)
        this.around.drop(this, [], "Failed")
      },
      (error) => Items.tellTrouble(letters, error)
    )
  }
}
