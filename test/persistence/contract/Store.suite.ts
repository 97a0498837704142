/**
 * The contract of the Store port: whatever keeps runs passes all of it, and the runtime relies on no more.
 */
import { describe } from "@effect/vitest"
import type * as Layer from "effect/Layer"
import type { Store, StoreError } from "../../../src/persistence/Store.js"
import * as Changes from "./Changes.suite.js"
import * as Commit from "./Commit.suite.js"
import * as Leases from "./Leases.suite.js"
import * as Lists from "./Lists.suite.js"
import * as Mailbox from "./Mailbox.suite.js"
import * as Relations from "./Relations.suite.js"
import * as Resets from "./Resets.suite.js"
import * as Runs from "./Runs.suite.js"
import { staffed } from "./Samples.js"
import * as Schedules from "./Schedules.suite.js"
import * as Starts from "./Starts.suite.js"
import * as Tasks from "./Tasks.suite.js"
import * as Versions from "./Versions.suite.js"

/** `empty` gives an empty store each time it is built. */
export const suite = (name: string, empty: Layer.Layer<Store, StoreError>) => {
  const layer = staffed(empty)
  describe(name, () => {
    describe("commit", () => Commit.suite(layer))
    describe("runs", () => Runs.suite(layer))
    describe("lists", () => Lists.suite(layer))
    describe("starts", () => Starts.suite(layer))
    describe("resets", () => Resets.suite(layer))
    describe("mailbox", () => Mailbox.suite(layer))
    describe("relations", () => Relations.suite(layer))
    describe("tasks", () => Tasks.suite(layer))
    describe("leases", () => Leases.suite(layer, empty))
    describe("schedules", () => Schedules.suite(layer))
    describe("versions", () => Versions.suite(layer))
    describe("changes", () => Changes.suite(layer))
  })
}
