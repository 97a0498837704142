/**
 * perdure/testing: the real engine in a test, with time that skips.
 *
 * @since 0.1.0
 */
export { type Options as TestEnvironmentOptions, TestEnvironment } from "./testing/TestEnvironment.js"
export * as Timeline from "./testing/Timeline.js"
