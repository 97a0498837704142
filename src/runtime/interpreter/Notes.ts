/**
 * What the run of one body says of itself, as of now: seen at once by the code that changes it (rows W12, W13, W20).
 *
 * @since 0.1.0
 */
import type { Command } from "../../core/Command.js"
import type { Attribute, Carried, MemoField } from "../../core/family/Notes.js"
import { merge, present } from "../../core/family/Notes.js"

const none: ReadonlyArray<never> = []

/** @since 0.1.0 */
export class Notes {
  /** What the body said last of where it stands. */
  currentDetails: string | undefined
  private carried: Carried | undefined

  constructor(private readonly body: { readonly issue: (command: Command) => void }) {}

  get now(): Carried {
    return this.carried ?? nothing
  }

  start({ details, memo, searchAttributes, summary }: Carried): void {
    if (memo === undefined && searchAttributes === undefined && summary === undefined && details === undefined) return
    this.carried = {
      ...(memo === undefined ? {} : { memo }),
      ...(searchAttributes === undefined ? {} : { searchAttributes }),
      ...(summary === undefined ? {} : { summary }),
      ...(details === undefined ? {} : { details })
    }
  }

  upsertMemo(fields: ReadonlyArray<MemoField>): void {
    if (fields.length === 0) return
    this.carried = { ...this.carried, memo: present(merge(this.now.memo ?? none, fields)) }
    this.body.issue({ _tag: "UpsertMemo", fields })
  }

  upsertSearchAttributes(attributes: ReadonlyArray<Attribute>): void {
    if (attributes.length === 0) return
    this.carried = { ...this.carried, searchAttributes: present(merge(this.now.searchAttributes ?? none, attributes)) }
    this.body.issue({ _tag: "UpsertSearchAttributes", attributes })
  }
}

const nothing: Carried = {}
