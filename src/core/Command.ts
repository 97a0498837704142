/**
 * Commands: what a body asks for in a turn, not yet facts. Each becomes exactly one event when the turn commits.
 *
 * @since 0.1.0
 */
import * as Activity from "./family/Activity.js"
import * as Child from "./family/Child.js"
import * as Execution from "./family/Execution.js"
import * as External from "./family/External.js"
import * as Notes from "./family/Notes.js"
import * as Patch from "./family/Patch.js"
import * as Step from "./family/Step.js"
import * as Timer from "./family/Timer.js"
import * as Update from "./family/Update.js"

/**
 * @category models
 * @since 0.1.0
 */
export type Command =
  | Activity.Command
  | Timer.Command
  | Step.Command
  | Child.Command
  | External.Command
  | Patch.Command
  | Notes.Command
  | Update.Command
  | Execution.Command

const table = {
  ...Activity.decide,
  ...Timer.decide,
  ...Step.decide,
  ...Child.decide,
  ...External.decide,
  ...Patch.decide,
  ...Notes.decide,
  ...Update.decide,
  ...Execution.decide
}

/**
 * An event that a command becomes. Every other event is brought by a message.
 *
 * @category models
 * @since 0.1.0
 */
export type Caused = ReturnType<(typeof table)[keyof typeof table]>

/** What decisions need to know of the run. @since 0.1.0 */
export type Known = Execution.Slice & { readonly runId: string }

type Decide = (command: Command, now: number, state: Known) => Caused

/**
 * The event that a command becomes at the given time.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decide = (command: Command, now: number, state: Known): Caused =>
  (table[command._tag] as Decide)(command, now, state)

const undoes: Partial<Record<Command["_tag"], Command["_tag"]>> = {
  ...Activity.undoes,
  ...Timer.undoes,
  ...Step.undoes,
  ...Child.undoes
}

/**
 * Drops what was both started and canceled in one turn, and all that came after the end of the run but the outcomes of
 * updates (rows C8, W19). Gives the same list back when there is nothing to drop, and costs one pass.
 *
 * @category combinators
 * @since 0.1.0
 */
export const settle = (commands: ReadonlyArray<Command>): ReadonlyArray<Command> => {
  if (commands.length < 2) return commands
  // By index: a command without fields may well be one object, asked for twice.
  let dropped: Set<number> | undefined
  // Made when the first cancellation is met: most turns have none.
  let starts: Starts | undefined
  let ended = false
  for (let index = 0; index < commands.length; index++) {
    const command = commands[index]!
    if (ended && !Update.outlive.has(command._tag)) {
      ;(dropped ??= new Set()).add(index)
      continue
    }
    const undone = undoes[command._tag]
    if (undone !== undefined && "seq" in command) {
      starts ??= startsOf(commands)
      const start = starts.get(undone)?.get(command.seq)
      if (start !== undefined) (dropped ??= new Set()).add(start).add(index)
    }
    ended ||= isEnd(command)
  }
  const drop = dropped
  return drop === undefined ? commands : commands.filter((_, index) => !drop.has(index))
}

/** Whether the command ends the run. @since 0.1.0 */
export const isEnd = (command: Command): boolean => Execution.ends.has(command._tag)

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** The places of the commands that may be undone, by kind and sequence number. */
type Starts = ReadonlyMap<Command["_tag"], Map<number, number>>

const startsOf = (commands: ReadonlyArray<Command>): Starts => {
  const starts = new Map(Object.values(undoes).map((tag) => [tag, new Map<number, number>()]))
  commands.forEach((command, index) => {
    if ("seq" in command) starts.get(command._tag)?.set(command.seq, index)
  })
  return starts
}
