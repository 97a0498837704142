export * as Threads from "./threads/Threads.js"
