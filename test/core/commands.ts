/**
 * Commands to test with: one of each kind by name, and arbitrary ones.
 */
import * as FastCheck from "effect/FastCheck"
import type { Command } from "../../src/core/Command.js"

const failure = { _tag: "Application", type: "Boom", message: "no" } as const

export const sample = {
  scheduleActivity: (seq: number, input: unknown = { amount: seq }): Command => ({
    _tag: "ScheduleActivity",
    seq,
    scheduled: { _tag: "ActivityScheduled", seq, name: "ChargeCard", input, startToCloseMillis: 30_000 }
  }),
  cancelActivity: (seq: number): Command => ({ _tag: "RequestCancelActivity", seq }),
  startTimer: (seq: number): Command => ({ _tag: "StartTimer", seq, delayMillis: 500 }),
  cancelTimer: (seq: number): Command => ({ _tag: "CancelTimer", seq }),
  runStep: (seq: number): Command => ({ _tag: "RunStep", seq, name: "read" }),
  cancelStep: (seq: number): Command => ({ _tag: "CancelStep", seq }),
  upsertMemo: { _tag: "UpsertMemo", fields: [{ name: "note", value: 1 }, { name: "gone" }] },
  upsertSearchAttributes: {
    _tag: "UpsertSearchAttributes",
    attributes: [{ name: "region", type: "keyword", value: "eu" }]
  },
  startChild: (seq: number, input: unknown = { amount: seq }): Command => ({
    _tag: "StartChild",
    seq,
    requested: { _tag: "ChildStartRequested", seq, workflow: "Ship", workflowId: "s-1", input }
  }),
  cancelChild: (seq: number): Command => ({ _tag: "RequestCancelChild", seq, reason: "late" }),
  signalExternal: (seq: number, input: unknown = { amount: seq }): Command => ({
    _tag: "SignalExternal",
    seq,
    requested: { _tag: "SignalExternalRequested", seq, workflowId: "o-2", name: "go", input }
  }),
  cancelExternal: (seq: number): Command => ({
    _tag: "CancelExternal",
    seq,
    requested: { _tag: "CancelExternalRequested", seq, workflowId: "o-2", reason: "late" }
  }),
  markPatch: { _tag: "MarkPatch", id: "p1", deprecated: false },
  completeUpdate: { _tag: "CompleteUpdate", id: "u1", result: 1 },
  failUpdate: { _tag: "FailUpdate", id: "u2", failure },
  completeExecution: { _tag: "CompleteExecution", result: 1 },
  failExecution: { _tag: "FailExecution", failure },
  cancelExecution: { _tag: "CancelExecution", reason: "late" },
  continueAsNew: { _tag: "ContinueAsNew", continuation: { workflow: "Order", input: 2 } }
} as const satisfies Record<string, Command | ((seq: number) => Command)>

const numbered = [
  sample.scheduleActivity,
  sample.cancelActivity,
  sample.startTimer,
  sample.cancelTimer,
  sample.runStep,
  sample.cancelStep,
  sample.startChild,
  sample.cancelChild,
  sample.signalExternal,
  sample.cancelExternal
]

/** Of every kind alike, with small numbers, so that starts and cancels meet. */
export const command: FastCheck.Arbitrary<Command> = FastCheck.oneof(
  ...numbered.map((make) => FastCheck.nat(5).map((seq) => make(seq))),
  ...Object.values(sample).flatMap((one) => typeof one === "function" ? [] : [FastCheck.constant<Command>(one)])
)

export const commands = FastCheck.array(command, { maxLength: 12 })
