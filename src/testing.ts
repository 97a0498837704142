/**
 * perdure/testing: the real engine in a test, with time that skips.
 *
 * @since 0.1.0
 */
export * as ActivityEnvironment from "./testing/ActivityEnvironment.js"
export * as DeployGate from "./testing/DeployGate.js"
export * as Durable from "./testing/Durable.js"
export * as Replayer from "./testing/Replayer.js"
export { type Options as TestEnvironmentOptions, TestEnvironment } from "./testing/TestEnvironment.js"
export * as Timeline from "./testing/Timeline.js"
