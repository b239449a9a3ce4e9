/** What changed between two versions of an asset: data for programs, lines for people. */

import type { Json } from './json.ts';

/** What may have become of something. */
export const changeKinds = ['added', 'removed', 'changed', 'retyped', 'moved'] as const;

/** `retyped`: the value or tensor has another type. `moved`: the same under another name or place. */
export type ChangeKind = (typeof changeKinds)[number];

export interface Change {
  /** What it is that changed: `key`, `tensor`, `file`, `record`, `column`, `value`. */
  readonly what: string;
  /** Its name, or a pointer (RFC 6901) in a document. */
  readonly name: string;
  readonly change: ChangeKind;
  /** Small: a value, a dtype and shape, a count. Never content of tensors, never a secret. */
  readonly before?: Json;
  readonly after?: Json;
}

export interface Difference {
  /** Empty where the two mean the same. At most `limits.changes`; what is left out is in `omitted`. */
  readonly changes: readonly Change[];
  readonly omitted?: number;
  /** For people, without colour or control characters; the host puts them below the file's name. */
  readonly lines: readonly string[];
  /** From the first version to the second as a JSON Patch (RFC 6902), for documents. */
  readonly patch?: Json;
}
