/**
 * Who waits for what in this process, by key.
 *
 * @since 0.1.0
 */

/** @since 0.1.0 */
export class Listeners<A> {
  private readonly byKey = new Map<string, Set<(value: A) => void>>()

  keys(): Iterable<string> {
    return this.byKey.keys()
  }

  /** Calls back at each `tell`; returns how to stop. */
  on(key: string, listener: (value: A) => void): () => void {
    const listeners = this.byKey.get(key) ?? new Set()
    listeners.add(listener)
    this.byKey.set(key, listeners)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.byKey.get(key) === listeners) this.byKey.delete(key)
    }
  }

  tell(key: string, value: A): void {
    const listeners = this.byKey.get(key)
    if (listeners !== undefined) { for (const listener of listeners) listener(value) }
  }

  /** Tells for the last time. */
  tellLast(key: string, value: A): void {
    const listeners = this.byKey.get(key)
    this.byKey.delete(key)
    if (listeners !== undefined) { for (const listener of listeners) listener(value) }
  }
}
