/**
 * A failed check and the coverage of a good one, for people.
 *
 * @since 0.1.0
 */
import type { Turn } from "../../core/Event.js"
import * as Timeline from "../Timeline.js"
import type { Coverage } from "./Coverage.js"
import type { Failed } from "./Explore.js"
import * as Finding from "./Finding.js"
import type { Answer, Plan } from "./Plan.js"
import * as Runs from "./Runs.js"

/**
 * The failure, its plan and its history as a timeline; the history without the crash below it, where they differ.
 *
 * @since 0.1.0
 */
export const failure = (workflow: string, failed: Failed): string => {
  const { calm, crash, deploys, finding, order, plan, trial } = failed
  const operations = trial.operations[0]!
  const place = crash === undefined
    ? []
    : deploys
    ? [
      `  begun on the code of before, and gone on with that of today after operation ${crash.operation} of its store, a commit`
    ]
    : [`  killed ${crash.when} operation ${crash.operation} of its store, a ${operations[crash.operation - 1]}`]
  return [
    `${workflow}: ${finding.kind}: ${finding.detail}`,
    ...place,
    ...(order === "drawn" ? ["  with answers, messages and wake-ups in the order that was drawn"] : []),
    "",
    ...planLines(plan, trial.attempts),
    "",
    ...timeline(
      crash === undefined ? "what happened" : deploys ? "with the deployment" : "with the crash",
      failed
    ),
    ...(calm === undefined || !comparing.has(finding.kind)
      ? []
      : ["", ...timeline("without the crash", { deploys, trial: calm })])
  ].join("\n").replace(Runs.idsOfChain, (_, number: string) => `run-${Number.parseInt(number, 16)}`)
}

/**
 * A table of what was reached, and what never was.
 *
 * @since 0.1.0
 */
export const coverage = (workflow: string, plans: number, reached: Coverage): string => {
  const { crashPoints, deployments, histories, missing, trials } = reached
  const branches = reached.branches.filter(({ ways }) => ways.size > 0)
  const width = Math.max(...branches.map(({ of }) => of.length))
  return [
    `${workflow}: ${count(plans, "plan")}, ${count(trials, "trial")}, ${
      count(histories, "different history", "different histories")
    }`,
    `  killed at ${crashPoints.tried} of ${crashPoints.of} crash points of ${count(crashPoints.plans, "plan")}`,
    ...(deployments.plans === 0
      ? []
      : [`  deployed at ${deployments.tried} of ${deployments.of} commits of ${count(deployments.plans, "plan")}`]),
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

/** The chain, one run after the other, with the places at which processes died; then the runs beside it. */
const timeline = (
  title: string,
  { deploys, trial: { chain, deaths, others } }: Pick<Failed, "deploys" | "trial">
): ReadonlyArray<string> => {
  const death = `          ╳  the process is killed; ${deploys ? "one with the code of today" : "another"} goes on`
  const begun = chain[0]!.turns[0]?.at
  return [
    ...chain.flatMap(({ run, turns }, index) => {
      const name = index === 0 ? title : `${title}, run ${index + 1}`
      const died = deaths.flatMap(({ runId, turn }) => runId === run.runId ? [[turn, death] as const] : [])
      return drawn({ workflow: run.workflow, name, status: run.status }, turns, begun, new Map(died))
    }),
    ...others.flatMap(({ run, turns }) => ["", ...drawn({ ...run, name: run.workflowId }, turns, begun, new Map())])
  ]
}

const drawn = (
  { name, status, workflow }: { readonly workflow: string; readonly name: string; readonly status: string },
  turns: ReadonlyArray<Turn>,
  begun: number | undefined,
  /** Lines after a turn. */
  notes: ReadonlyMap<number, string>
): ReadonlyArray<string> => {
  const lines = Timeline.draw({ workflow, workflowId: name, runId: "", status }, turns, begun)
  // The first line is the title, then there is one for each event.
  let line = 1
  const drawn = [lines[0]!.replace(", run :", ":")]
  const note = (turn: number) => {
    const words = notes.get(turn)
    if (words !== undefined) drawn.push(words)
  }
  note(0)
  turns.forEach(({ events }, index) => {
    for (const _ of events) drawn.push(lines[line++]!.replace(/, followed by run .*$/, ""))
    note(index + 1)
  })
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
