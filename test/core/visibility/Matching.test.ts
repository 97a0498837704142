/**
 * Filters over schedules (H14): the same conditions as over executions, on what is in memory.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FilterParser from "../../../src/core/visibility/FilterParser.js"
import type { Having } from "../../../src/core/visibility/Matching.js"
import * as Matching from "../../../src/core/visibility/Matching.js"

const has: Readonly<Record<string, Having>> = {
  ScheduleId: "nightly-eu",
  WorkflowType: "Report",
  Paused: false,
  region: "eu",
  tier: 3,
  hot: true,
  since: new Date("2026-11-27T06:00:00Z"),
  tags: ["big", "late"]
}

const checked = (text: string) =>
  Either.flatMap(
    FilterParser.parse(text),
    (filter) => filter === undefined ? Either.right(filter) : Matching.check(filter)
  )

const matches = (text: string) => Matching.matches(Either.getOrThrow(checked(text))!, (name) => has[name])

const wrong = (text: string) =>
  Either.match(checked(text), { onLeft: ({ at, reason }) => `${at}: ${reason}`, onRight: () => "nothing" })

describe("a filter over schedules", () => {
  it.each([
    "ScheduleId = 'nightly-eu'",
    "ScheduleId STARTS_WITH 'nightly'",
    "ScheduleId > 'a' AND ScheduleId < 'o'",
    "Paused = false",
    "Paused != true",
    "WorkflowType IN ('Other', 'Report')",
    "region = 'eu' AND NOT region = 'us'",
    "tier BETWEEN 3 AND 4",
    "tier >= 3 AND tier <= 3",
    "hot = true",
    "since = '2026-11-27T06:00:00Z'",
    "since BETWEEN '2026-11-27' AND '2026-11-28'",
    "tags = 'late' AND tags = 'big'",
    "tags STARTS_WITH 'la'",
    "nothing IS NULL AND tier IS NOT NULL",
    "tier = 9 OR tier = 3"
  ])("is met: %s", (text) => assert.isTrue(matches(text)))

  it.each([
    "ScheduleId = 'nightly'",
    "Paused = true",
    "region != 'eu'",
    "region > 'eu'",
    "tier < 3",
    "tier = '3'",
    "since < '2026-11-27T06:00:00Z'",
    "since = 'yesterday'",
    "tags != 'late'",
    "nothing = 1",
    "nothing != 1",
    "nothing < 1",
    "NOT region = 'eu'"
  ])("is not met: %s", (text) => assert.isFalse(matches(text)))

  it("may ask only for what schedules have", () => {
    assert.include(wrong("region = 'eu' AND ExecutionStatus = 'Running'"), "18: a schedule has no ExecutionStatus")
    assert.include(wrong("scheduleid = 'a'"), "it is ScheduleId")
    assert.include(wrong("Paused = 'yes'"), "Paused is true or false")
    assert.include(wrong("WorkflowType = 1"), "WorkflowType is a text")
    assert.include(
      wrong(`tier IN (${Array.from({ length: 501 }, (_, n) => n).join(", ")})`),
      "at most 500"
    )
  })

  it("says how the ids of all that it finds begin, where it does", () => {
    const prefix = (text: string) => Matching.prefixOf(Either.getOrThrow(checked(text)))
    assert.strictEqual(prefix("tier = 1 AND ScheduleId STARTS_WITH 'night'"), "night")
    assert.strictEqual(prefix("ScheduleId = 'nightly'"), "nightly")
    assert.strictEqual(prefix("ScheduleId STARTS_WITH 'night' OR tier = 1"), "")
    assert.strictEqual(prefix("NOT ScheduleId STARTS_WITH 'night'"), "")
    assert.strictEqual(prefix("ScheduleId > 'night'"), "")
  })
})
