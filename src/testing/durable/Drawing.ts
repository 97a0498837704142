/**
 * A failed check and the coverage of a good one, for people.
 *
 * @since 0.1.0
 */
import * as Timeline from "../Timeline.js"
import type { Coverage } from "./Coverage.js"
import type { Failed } from "./Explore.js"
import * as Finding from "./Finding.js"
import type { Answer, Plan } from "./Plan.js"

/**
 * The failure, its plan and its history as a timeline; the history without the crash below it, where they differ.
 *
 * @since 0.1.0
 */
export const failure = (workflow: string, failed: Failed): string => {
  const { calm, crash, finding, order, plan, trial } = failed
  const operations = trial.operations[0]!
  const place = crash === undefined
    ? []
    : [`  killed ${crash.when} operation ${crash.operation} of its store, a ${operations[crash.operation - 1]}`]
  return [
    `${workflow}: ${finding.kind}: ${finding.detail}`,
    ...place,
    ...(order === "drawn" ? ["  with answers, messages and wake-ups in the order that was drawn"] : []),
    "",
    ...planLines(plan, trial.attempts),
    "",
    ...timeline(workflow, crash === undefined ? "what happened" : "with the crash", failed.trial),
    ...(calm === undefined || !comparing.has(finding.kind)
      ? []
      : ["", ...timeline(workflow, "without the crash", calm)])
  ].join("\n")
}

/**
 * A table of what was reached, and what never was.
 *
 * @since 0.1.0
 */
export const coverage = (workflow: string, plans: number, reached: Coverage): string => {
  const { crashPoints, histories, missing, trials } = reached
  const branches = reached.branches.filter(({ ways }) => ways.size > 0)
  const width = Math.max(...branches.map(({ of }) => of.length))
  return [
    `${workflow}: ${count(plans, "plan")}, ${count(trials, "trial")}, ${
      count(histories, "different history", "different histories")
    }`,
    `  killed at ${crashPoints.tried} of ${crashPoints.of} crash points of ${count(crashPoints.plans, "plan")}`,
    ...branches.map(({ of, ways }) =>
      `  ${of.padEnd(width)}  ${[...ways].map(([way, times]) => `${way} ${times === 0 ? "never" : times}`).join(" · ")}`
    ),
    ...(missing.length === 0 ? [] : [`  never reached: ${missing.join(", ")}`])
  ].join("\n")
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const comparing: ReadonlySet<Finding.Kind> = new Set(["Outcome", "World"])

const timeline = (workflow: string, title: string, { deaths, run, turns }: Failed["trial"]) => {
  const lines = Timeline.draw({ workflow, workflowId: title, runId: run.runId, status: run.status }, turns)
  // The first line is the title, then there is one for each event.
  let line = 1
  const drawn = [lines[0]!.replace(/, run .*:/, ":")]
  turns.forEach(({ events }, index) => {
    for (const _ of events) drawn.push(lines[line++]!)
    for (const death of deaths) {
      if (death === index + 1) drawn.push("          ╳  the process is killed; another goes on")
    }
  })
  if (deaths.includes(0)) drawn.splice(1, 0, "          ╳  the process is killed; another goes on")
  return drawn
}

const planLines = (
  { answers, input, messages }: Plan,
  attempts: Failed["trial"]["attempts"]
): ReadonlyArray<string> => [
  `  input     ${text(input)}`,
  ...messages.map((message, index) => `  ${index === 0 ? "messages" : "        "}  ${Finding.describe(message)}`),
  ...Object.entries(answers).flatMap(([activity, calls]) =>
    calls.flatMap((call, index) =>
      call.length === 0 || index >= callsOf(activity, attempts)
        ? []
        : [`  answers   ${activity}, call ${index + 1}: ${call.map(answer).join(", ")}`]
    )
  )
]

/** What is planned for calls that were not made explains nothing. */
const callsOf = (activity: string, attempts: Failed["trial"]["attempts"]): number =>
  new Set(attempts.filter((attempt) => attempt.activity === activity).map(({ key }) => key)).size

const answer = (of: Answer): string => {
  switch (of._tag) {
    case "Succeeds":
      return of.value === undefined ? "succeeds" : `succeeds with ${text(of.value)}`
    case "Fails":
      return `fails with ${text(of.error)}`
    case "LosesAnswer":
      return "is done and its answer is lost"
    case "Performs":
      return "performs"
    case "Refuses":
      return "is refused"
    case "Dies":
      return "dies"
    case "Hangs":
      return "hangs"
    case "Lost":
      return "is lost with its process"
  }
}

const text = (value: unknown): string => {
  const json = JSON.stringify(value) ?? String(value)
  return json.length <= charsMax ? json : `${json.slice(0, charsMax - 1)}…`
}
const charsMax = 120

const count = (number: number, one: string, many = `${one}s`): string =>
  `${number.toLocaleString("en-US")} ${number === 1 ? one : many}`
