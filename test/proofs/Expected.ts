/**
 * What a scenario must end with: its program, evaluated without any engine. Only what its author could tell by reading
 * it counts: no event, no turn, no attempt.
 */
import type { Program, Scenario } from "./Program.js"

/** A value, or a failure by its words. */
export interface Outcome {
  readonly failed: boolean
  readonly text: string
}

const value = (text: string): Outcome => ({ failed: false, text })
const failure = (text: string): Outcome => ({ failed: true, text })

/** The name of a step: its place in the program, and the round of the retry that it stands in. */
export const label = (path: string, round: number): string => `${path}/${round}`

/** What the run of a scenario ends with; undefined where that is a matter of timing. */
export const outcomeOf = ({ at, early, ending, program }: Scenario): Outcome | undefined => {
  if (early !== null) return undefined
  const outcome = evaluate(program, at?.path ?? "p", at?.round ?? 0)
  if (outcome.failed || ending === "returns") return outcome
  return ending === "canceled" ? failure("Canceled") : value("caught")
}

/** What a scenario must have come to, given what it came to: anything, where that is a matter of timing. */
export const given = (scenario: Scenario, outcome: Outcome): Outcome => outcomeOf(scenario) ?? outcome

/** What the sender of an update is told, once it was accepted and the run lived to see its handler end. */
export const answerOf = (scenario: Scenario, key: number): Outcome => {
  switch (scenario.messages[key]!.ends) {
    case "succeeds":
      return value(`added ${key}`)
    case "breaks":
      return failure(`Broken update ${key}`)
    case "rejected":
      return failure(`Broken rejected ${key}`)
  }
}

/** Whether the run of a scenario lives until all its messages are handled. */
export const outlivesMessages = (scenario: Scenario): boolean =>
  scenario.waits && scenario.early === null && !evaluate(scenario.program, "p", 0).failed

/** Evaluates a program at a place, in a round of the retry around it. */
export const evaluate = (program: Program, path: string, round: number): Outcome => {
  const at = label(path, round)
  const inside = (body: Program, part: string | number, of = round) => evaluate(body, `${path}.${part}`, of)
  switch (program._tag) {
    case "Work":
      if (program.ends === "once") return value("once")
      if (round < program.rounds || program.ends === "breaks") return failure(`Broken ${at}`)
      return program.ends === "dies" ? failure(`Fault ${at}`) : value(at)
    case "Step":
      return program.ends === "breaks" ? failure(`Broken ${at}`) : value(at)
    case "Sleep":
      return value("slept")
    case "Await":
      return value(`note ${program.key}`)
    case "Reach":
      return value("reached")
    case "Note":
      return value("noted")
    case "Echo":
      return value("echoed")
    case "Nobody":
      return value("nobody")
    case "Anew":
      return value("anew")
    case "Change":
      return value("changed")
    case "Child": {
      const child = inside(program.body, "child")
      if (program.meanwhile === null) return child
      const meanwhile = inside(program.meanwhile, "meanwhile")
      return meanwhile.failed ? meanwhile : child.failed ? child : value(`(${child.text} ${meanwhile.text})`)
    }
    case "Recall":
      return value(tellsItsEnd(program) && program.caught ? "caught" : "!Canceled")
    case "Leave":
      return value(program.again ? "taken" : "left")
    case "Seq":
    case "All": {
      const outcomes = program.items.map((item, index) => inside(item, index))
      return outcomes.find((outcome) => outcome.failed) ?? value(`(${outcomes.map(({ text }) => text).join(" ")})`)
    }
    case "Fork": {
      const main = inside(program.main, "main")
      const aside = inside(program.aside, "aside")
      return main.failed ? main : aside.failed ? aside : value(`(${aside.text} ${main.text})`)
    }
    case "Race":
      return inside(program.winner, "winner")
    case "Timeout": {
      const body = inside(program.body, "body")
      return program.strikes === null || body.failed ? body : failure("TimeoutException")
    }
    case "Retry": {
      let outcome = inside(program.body, "body", 0)
      for (let next = 1; outcome.failed && next <= program.times; next++) outcome = inside(program.body, "body", next)
      return outcome
    }
    case "Attempt": {
      const body = inside(program.body, "body")
      return body.failed ? value(`!${body.text}`) : body
    }
    default:
      return inside(program.body, "body")
  }
}

/** Whether a parent that cancels its child waits for what comes of it; else the child counts as canceled at once. */
const tellsItsEnd = ({ by, cancellation }: Extract<Program, { readonly _tag: "Recall" }>): boolean =>
  by === "id" || cancellation === "WaitCancellationCompleted"
