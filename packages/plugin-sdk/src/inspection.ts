/** Facts: what an asset is, for people and for the catalogue. */

import type { Finding } from './finding.ts';
import type { JsonObject } from './json.ts';

export interface Inspection {
  /** One line for a listing, at most `limits.summaryLength`: `llama 7B, Q4_K_M, 4096 tokens of context`. */
  readonly summary: string;
  /**
   * Small (`limits.factsBytes` of JSON), deterministic, of this file alone: no time, no path, nothing of the machine.
   * Tables of tensors do not belong here: the layout has them.
   */
  readonly facts: JsonObject;
}

/** What one pass over a file gives, or `inspect` and `validate` together. */
export interface Examination {
  /** Undefined for what is not of the plugin's kind, or too broken to say anything about. */
  readonly inspection?: Inspection;
  readonly findings: readonly Finding[];
}
