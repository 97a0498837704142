/**
 * Messages as the store keeps them: what waits in mailboxes, and what turns send to other runs.
 *
 * @since 0.1.0
 */

/**
 * What waits in a mailbox. "Terminated" is the store's own word to the owner that its run was ended from outside.
 *
 * @category models
 * @since 0.1.0
 */
export type MailKind =
  | "Start"
  | "Signal"
  | "Update"
  | "Cancel"
  | "Reset"
  | "ActivityOutcome"
  | "StepOutcome"
  | "ChildOutcome"
  | "ExternalOutcome"
  | "Query"
  | "Terminated"

/** @category models @since 0.1.0 */
export interface NewMail {
  readonly runId: string
  readonly kind: MailKind
  readonly body: string
  /** It goes with a start: the first run of an execution begins with it, whatever it was held for (row X7). */
  readonly begins?: boolean | undefined
}

/** @category models @since 0.1.0 */
export interface Mail extends NewMail {
  /** Rises with the order of arrival; unique in the store. */
  readonly id: number
}

/** @category models @since 0.1.0 */
export type PostResult = "Posted" | "Closed" | "NotFound"

/**
 * Which run a message is for.
 *
 * @category models
 * @since 0.1.0
 */
export type Address =
  | { readonly _tag: "Run"; readonly runId: string }
  /** The open run of the workflow id. */
  | { readonly _tag: "Workflow"; readonly workflowId: string }
  /** The open run of a child. Its workflow id is told for those who look at the message on its way. */
  | {
    readonly _tag: "Child"
    readonly parentRunId: string
    readonly seq: number
    readonly workflowId?: string | undefined
  }

/**
 * A message from one run to another. It is posted after all closes and creations of its commit.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outgoing {
  readonly to: Address
  readonly kind: MailKind
  readonly body: string
  /** Words what is posted in the same commit to tell the sender what became of it. */
  readonly acknowledge?: ((result: PostResult) => NewMail) | undefined
  /** A run that no worker has begun, nor owns, closes as canceled with this in place of the message (row K6). */
  readonly unbegun?: {
    readonly events: string
    readonly format: number
    /** Tells its parent. */
    readonly mail: (runId: string) => NewMail
  } | undefined
}
