/**
 * The executions that a worker has in memory, in the order of their last use.
 *
 * ```
 *   add ──▶ resident ──touch──▶ resident ... ──▶ removed: it ended, was refused, or
 *                       │                        evicted: the longest idle one goes when there are too many
 *                       └── more executions or fibers than there may be
 * ```
 *
 * Memory goes with fibers as much as with executions: both are counted (I12).
 *
 * @since 0.1.0
 */
import type { Execution } from "./execution/Execution.js"

/** @since 0.1.0 */
export class Residents {
  /** In the order of their last use, longest ago first. */
  private readonly byRun = new Map<string, Execution>()
  private fibers = 0

  constructor(
    private readonly max: { readonly maxCachedExecutions: number; readonly maxCachedFibers: number },
    /** It went to make room, and the store brings it back. */
    private readonly evicted: (execution: Execution) => void
  ) {}

  get size(): number {
    return this.byRun.size
  }

  get(runId: string): Execution | undefined {
    return this.byRun.get(runId)
  }

  has(runId: string): boolean {
    return this.byRun.has(runId)
  }

  add(execution: Execution): void {
    this.byRun.set(execution.runId, execution)
  }

  all(): IterableIterator<Execution> {
    return this.byRun.values()
  }

  /** It was used, and may have grown: others may have to go for it. */
  touch(execution: Execution): void {
    if (!this.isHere(execution)) return
    this.byRun.delete(execution.runId)
    this.byRun.set(execution.runId, execution)
    this.fibers += execution.fibers - execution.countedFibers
    execution.countedFibers = execution.fibers
    if (this.isFull) this.makeRoom()
  }

  /** False where another copy of the run, or none, is here. */
  remove(execution: Execution): boolean {
    if (!this.isHere(execution)) return false
    this.byRun.delete(execution.runId)
    this.fibers -= execution.countedFibers
    return true
  }

  private isHere(execution: Execution): boolean {
    return this.byRun.get(execution.runId) === execution
  }

  private get isFull(): boolean {
    return this.byRun.size > this.max.maxCachedExecutions || this.fibers > this.max.maxCachedFibers
  }

  private makeRoom(): void {
    for (const execution of this.byRun.values()) {
      if (!this.isFull) return
      if (!execution.isIdle) continue
      this.remove(execution)
      execution.evict()
      this.evicted(execution)
    }
  }
}
