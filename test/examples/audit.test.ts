/**
 * The demo's audit is only worth its clean bill if it finds what is wrong. Each test plants one fault in evidence that
 * is otherwise clean, and asks for exactly that finding.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Evidence, Execution, Kind, Turn } from "../../examples/orders/audit.js"
import { audit, outcome } from "../../examples/orders/audit.js"
import type { Order } from "../../examples/orders/contract.js"
import type { Entry, Ledger } from "../../examples/orders/services/ledger.js"
import type { Kill } from "../../examples/orders/timeline.js"
import { choose, draw } from "../../examples/orders/timeline.js"

describe("audit", () => {
  it("finds nothing where nothing is wrong", () => {
    assert.deepStrictEqual(audit(world()), [])
  })

  it("a lost order", () => {
    const evidence = world()
    const executions = new Map(evidence.executions)
    executions.delete("shipped")
    // Its entries are still there: the order is lost, the work is not unasked, for the order was placed.
    finds({ ...evidence, executions }, [["lost", "shipped"]])
  })

  it("an order that was lost before anything happened", () => {
    const evidence = world()
    finds({ ...evidence, orders: [...evidence.orders, order("never", 100)] }, [["lost", "never"]])
  })

  it("a stuck order", () => {
    const evidence = world()
    const { turns } = evidence.executions.get("shipped")!
    finds(
      withExecution(evidence, "shipped", {
        description: {
          runId: "run-shipped",
          status: "Running",
          attention: { _tag: "NoWakeUp", message: "nothing will wake it" },
          pendingActivities: []
        },
        turns: turns.slice(0, -1)
      }),
      [["stuck", "shipped"]]
    )
  })

  it("a doubly charged order", () => {
    // The second charge came under another key: the bank could not know.
    finds(
      withEntry(world(), "payment", {
        id: 90,
        operation: "charge",
        orderId: "shipped",
        key: "run-other/2",
        amount: 4_200
      }),
      [["unasked", "shipped"], ["charge", "shipped"]]
    )
  })

  it("a doubly charged order, both times under its own key", () => {
    finds(
      withEntry(world(), "payment", {
        id: 90,
        operation: "charge",
        orderId: "shipped",
        key: "run-shipped/2",
        amount: 4_200
      }),
      [["history", "shipped"], ["charge", "shipped"]]
    )
  })

  it("a charge of the wrong amount", () => {
    finds(
      changed(world(), "payment", (entry) => entry.orderId === "shipped" ? { ...entry, amount: 4_201 } : entry),
      [["charge", "shipped"]]
    )
  })

  it("a shipped order that was never charged", () => {
    finds(without(world(), "payment", "shipped", "charge"), [["history", "shipped"], ["charge", "shipped"]])
  })

  it("an order that was shipped twice", () => {
    finds(
      withEntry(world(), "shipping", {
        id: 90,
        operation: "ship",
        orderId: "shipped",
        key: "run-shipped/3",
        note: "Home"
      }),
      [["history", "shipped"], ["shipment", "shipped"]]
    )
  })

  it("a parcel to the address from before the change", () => {
    finds(
      changed(world(), "shipping", (entry) => entry.orderId === "approved" ? { ...entry, note: "Home" } : entry),
      [["shipment", "approved"]]
    )
  })

  it("an uncompensated order: the charge is not refunded", () => {
    finds(without(world(), "payment", "rejected", "refund"), [["history", "rejected"], ["compensation", "rejected"]])
  })

  it("an uncompensated order whose history does not even know", () => {
    const evidence = without(world(), "stock", "rejected", "release")
    const { description, turns } = evidence.executions.get("rejected")!
    finds(
      withExecution(evidence, "rejected", {
        description,
        turns: turns.map((turn) => ({
          ...turn,
          events: turn.events.filter((event) => !("seq" in event && event.seq === 6))
        }))
      }),
      [["compensation", "rejected"]]
    )
  })

  it("a refund of less than the charge", () => {
    finds(
      changed(world(), "payment", (entry) => entry.operation === "refund" ? { ...entry, amount: 1 } : entry),
      [["compensation", "rejected"]]
    )
  })

  it("an order above the limit that was shipped without approval", () => {
    const evidence = { ...world(), acknowledged: [] }
    const { description, turns } = evidence.executions.get("approved")!
    finds(
      withExecution(evidence, "approved", {
        description,
        turns: turns.map((turn) => ({
          ...turn,
          events: turn.events.filter((event) => event._tag !== "SignalReceived")
        }))
      }),
      [["approval", "approved"]]
    )
  })

  it("a signal that was acknowledged and lost", () => {
    const evidence = world()
    finds(
      {
        ...evidence,
        acknowledged: [...evidence.acknowledged, {
          orderId: "shipped",
          message: "approve",
          input: { by: "ada", approved: true }
        }]
      },
      [["message", "shipped"]]
    )
  })

  it("a gap in a history", () => {
    const evidence = world()
    const { description, turns } = evidence.executions.get("shipped")!
    // The turn that is missing held no event that anything else depends on.
    const renumbered = turns.map((turn) => ({ ...turn, turn: turn.turn < 3 ? turn.turn : turn.turn + 1 }))
    finds(withExecution(evidence, "shipped", { description, turns: renumbered }), [["history", "shipped"]])
  })

  it("a history with two ends", () => {
    const evidence = world()
    const { description, turns } = evidence.executions.get("shipped")!
    const again = { ...turns.at(-1)!, turn: turns.length + 1 }
    finds(withExecution(evidence, "shipped", { description, turns: [...turns, again] }), [["history", "shipped"]])
  })

  it("an order that failed in a way of which its contract knows nothing", () => {
    const evidence = world()
    const { description, turns } = evidence.executions.get("rejected")!
    finds(
      withExecution(evidence, "rejected", {
        description,
        turns: turns.map((turn) => ({
          ...turn,
          events: turn.events.map((event) =>
            event._tag === "ExecutionFailed"
              ? {
                _tag: "ExecutionFailed",
                failure: { _tag: "Application", type: "TypeError", message: "x is undefined" }
              }
              : event
          )
        }))
      }),
      [["history", "rejected"]]
    )
  })

  it("work on an order that nobody placed", () => {
    finds(
      withEntry(world(), "shipping", { id: 90, operation: "ship", orderId: "ghost", key: "run-ghost/3", note: "Home" }),
      [["unasked", "ghost"]]
    )
  })

  it("goods that were reserved and not there", () => {
    finds(changed(world(), "stock", (entry) => entry.operation === "deliver" ? { ...entry, amount: 2 } : entry), [
      ["stock", ""]
    ])
  })

  it("tells how an order ended", () => {
    const { executions } = world()
    assert.deepStrictEqual(outcome(executions.get("shipped")!), { shipped: true, reason: "shipped" })
    assert.deepStrictEqual(outcome(executions.get("rejected")!), { shipped: false, reason: "the address is unknown" })
  })
})

describe("timeline", () => {
  const kill: Kill = { at: 25, worker: "worker-1", pid: 4711 }
  const call = { operation: "charge", orderId: "shipped", key: "run-shipped/2", mishap: "", status: 200 }
  const calls: Ledger["requests"] = [
    { ...call, id: 1, at: 21, attempt: 1, worker: "worker-1", repeated: 0 },
    { ...call, id: 2, at: 28, attempt: 2, worker: "worker-2", repeated: 1 }
  ]
  const evidence = world()
  const lived: Evidence = {
    ...evidence,
    ledgers: { ...evidence.ledgers, payment: { ...evidence.ledgers.payment, requests: calls } }
  }

  it("tells of the order whose worker died, with the kill where it struck", () => {
    const story = choose(lived, [kill])
    assert.strictEqual(story?.order.id, "shipped")
    const lines = draw(story!)
    const at = (part: string) => {
      const found = lines.findIndex((line) => line.includes(part))
      assert.notStrictEqual(found, -1, `${part} in\n${lines.join("\n")}`)
      return found
    }
    const order = ["started", "worker-1 → payment/charge", "SIGKILL worker-1 (pid 4711)", "attempt 2", "completed"].map(
      at
    )
    assert.deepStrictEqual(order, [...order].sort((a, b) => a - b))
    assert.include(lines[order[3]!], "done before, the same answer")
  })

  it("has nothing to tell where a kill met no order", () => {
    assert.strictEqual(choose(lived, [{ ...kill, worker: "worker-9" }]), undefined)
    assert.strictEqual(choose(lived, []), undefined)
  })
})

// -----------------------------------------------------------------------------
// fixtures
// -----------------------------------------------------------------------------

type Event = Turn["events"][number]

const finds = (evidence: Evidence, expected: ReadonlyArray<readonly [Kind, string]>): void => {
  const findings = audit(evidence)
  const places = findings.map(({ kind, orderId }) => [kind, orderId] as const)
  assert.deepStrictEqual([...new Set(places.map(String))].sort(), expected.map(String).sort(), JSON.stringify(findings))
}

const order = (id: string, total: number): Order => ({
  id,
  customer: "Ada",
  email: "ada@example.com",
  address: "Home",
  sku: "TEA",
  quantity: 2,
  total
})

const history = (steps: ReadonlyArray<ReadonlyArray<Event>>): ReadonlyArray<Turn> =>
  steps.map((events, index) => ({ turn: index + 1, at: (index + 1) * 10, events }))

const begin = (of: Order): Event => ({
  _tag: "ExecutionStarted",
  workflow: "OrderWorkflow",
  workflowId: of.id,
  taskQueue: "orders",
  input: of
})
const scheduled = (seq: number, name: string): Event => ({ _tag: "ActivityScheduled", seq, name })
const completed = (seq: number, result?: number): Event => ({
  _tag: "ActivityCompleted",
  seq,
  attempt: 1,
  ...(result === undefined ? {} : { result })
})

const ended = (
  orderId: string,
  status: "Completed" | "Failed",
  steps: ReadonlyArray<ReadonlyArray<Event>>
): Execution => ({
  description: { runId: `run-${orderId}`, status, attention: undefined, pendingActivities: [] },
  turns: history(steps)
})

const entry = (given: Partial<Entry>): Entry => ({
  id: 1,
  at: 0,
  operation: "",
  orderId: "",
  key: "",
  amount: 0,
  note: "",
  undoes: null,
  ...given
})

const ledger = (...entries: ReadonlyArray<Partial<Entry>>): Ledger => ({ entries: entries.map(entry), requests: [] })

/** Three orders: one shipped; one above the limit, approved, moved and shipped; one rejected after it was charged. */
const world = (): Evidence => {
  const [shipped, approved, rejected] = [order("shipped", 4_200), order("approved", 150_000), order("rejected", 900)]
  const decision = { by: "ada", approved: true }
  const move = { address: "Away" }
  return {
    orders: [shipped, approved, rejected],
    executions: new Map([
      [
        "shipped",
        ended("shipped", "Completed", [
          [begin(shipped), scheduled(1, "ReserveStock")],
          [completed(1, 11), scheduled(2, "ChargeCard")],
          [completed(2, 21), scheduled(3, "ShipOrder")],
          [completed(3, 31), scheduled(4, "Notify")],
          [completed(4), { _tag: "ExecutionCompleted", result: { reservation: 11, charge: 21, parcel: 31 } }]
        ])
      ],
      [
        "approved",
        ended("approved", "Completed", [
          [begin(approved), { _tag: "TimerStarted", seq: 1, dueAt: 6_000 }],
          [
            { _tag: "UpdateAccepted", id: "u", name: "changeAddress", input: move },
            { _tag: "UpdateCompleted", id: "u", result: "awaiting approval" }
          ],
          [
            { _tag: "SignalReceived", name: "approve", input: decision },
            { _tag: "TimerCanceled", seq: 1 },
            scheduled(2, "ReserveStock")
          ],
          [completed(2, 12), scheduled(3, "ChargeCard")],
          [completed(3, 22), scheduled(4, "ShipOrder")],
          [completed(4, 32), scheduled(5, "Notify")],
          [completed(5), { _tag: "ExecutionCompleted", result: { reservation: 12, charge: 22, parcel: 32 } }]
        ])
      ],
      [
        "rejected",
        ended("rejected", "Failed", [
          [begin(rejected), scheduled(1, "ReserveStock")],
          [completed(1, 13), scheduled(2, "ChargeCard")],
          [completed(2, 23), scheduled(3, "ShipOrder")],
          [
            {
              _tag: "ActivityFailed",
              seq: 3,
              attempt: 1,
              failure: unknownAddress,
              retryState: "NonRetryableFailure"
            },
            scheduled(4, "Notify")
          ],
          [completed(4), scheduled(5, "RefundCharge")],
          [completed(5), scheduled(6, "ReleaseStock")],
          [completed(6)],
          [{ _tag: "ExecutionFailed", failure: unknownAddress }]
        ])
      ]
    ]),
    ledgers: {
      stock: ledger(
        { id: 1, operation: "deliver", amount: 6, note: "TEA" },
        { id: 11, operation: "reserve", orderId: "shipped", key: "run-shipped/1", amount: 2, note: "TEA" },
        { id: 12, operation: "reserve", orderId: "approved", key: "run-approved/2", amount: 2, note: "TEA" },
        { id: 13, operation: "reserve", orderId: "rejected", key: "run-rejected/1", amount: 2, note: "TEA" },
        { id: 14, operation: "release", orderId: "rejected", key: "run-rejected/6", amount: 2, note: "TEA", undoes: 13 }
      ),
      payment: ledger(
        { id: 21, operation: "charge", orderId: "shipped", key: "run-shipped/2", amount: 4_200 },
        { id: 22, operation: "charge", orderId: "approved", key: "run-approved/3", amount: 150_000 },
        { id: 23, operation: "charge", orderId: "rejected", key: "run-rejected/2", amount: 900 },
        { id: 24, operation: "refund", orderId: "rejected", key: "run-rejected/5", amount: 900, undoes: 23 }
      ),
      shipping: ledger(
        { id: 31, operation: "ship", orderId: "shipped", key: "run-shipped/3", note: "Home" },
        { id: 32, operation: "ship", orderId: "approved", key: "run-approved/4", note: "Away" }
      ),
      mail: ledger(
        { id: 41, operation: "send", orderId: "shipped", key: "run-shipped/4" },
        { id: 42, operation: "send", orderId: "approved", key: "run-approved/5" },
        { id: 43, operation: "send", orderId: "rejected", key: "run-rejected/4" }
      )
    },
    acknowledged: [
      { orderId: "approved", message: "changeAddress", input: move },
      { orderId: "approved", message: "approve", input: decision }
    ]
  }
}

const unknownAddress = {
  _tag: "Declared",
  type: "NotShippable",
  message: "the address is unknown",
  error: { _tag: "NotShippable", reason: "the address is unknown" }
} as const

const withExecution = (evidence: Evidence, id: string, execution: Execution): Evidence => ({
  ...evidence,
  executions: new Map(evidence.executions).set(id, execution)
})

type Service = keyof Evidence["ledgers"]

const withEntries = (
  evidence: Evidence,
  service: Service,
  change: (entries: ReadonlyArray<Entry>) => ReadonlyArray<Entry>
): Evidence => ({
  ...evidence,
  ledgers: {
    ...evidence.ledgers,
    [service]: { ...evidence.ledgers[service], entries: change(evidence.ledgers[service].entries) }
  }
})

const withEntry = (evidence: Evidence, service: Service, given: Partial<Entry>): Evidence =>
  withEntries(evidence, service, (entries) => [...entries, entry(given)])

const changed = (evidence: Evidence, service: Service, change: (entry: Entry) => Entry): Evidence =>
  withEntries(evidence, service, (entries) => entries.map(change))

const without = (evidence: Evidence, service: Service, orderId: string, operation: string): Evidence =>
  withEntries(
    evidence,
    service,
    (entries) => entries.filter((entry) => entry.orderId !== orderId || entry.operation !== operation)
  )
