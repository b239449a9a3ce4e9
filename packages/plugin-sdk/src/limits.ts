/** Bounds that an answer keeps. A host cuts what is longer and says so; the conformance suite holds plugins to them. */

import { layoutLimits, type LayoutLimits } from './layout.ts';

export interface Limits extends LayoutLimits {
  /** Most findings of one asset. */
  readonly findings: number;
  /** Characters of a message or a remedy. */
  readonly messageLength: number;
  /** Bytes of the facts of one asset as JSON. */
  readonly factsBytes: number;
  /** Characters of a summary. */
  readonly summaryLength: number;
  /** Most changes in a difference, and lines. */
  readonly changes: number;
  /** Bytes of one answer as JSON. */
  readonly answerBytes: number;
  /** Bytes of the text of all files that one folder is exported with. */
  readonly exportBytes: number;
  /** Bytes that a plugin may hold at once for one asset. A host may end one that holds much more. */
  readonly memoryBytes: number;
}

/** The limits that a host uses unless it has reasons of its own. */
export const defaultLimits: Limits = {
  ...layoutLimits,
  findings: 200,
  messageLength: 1000,
  factsBytes: 32_768,
  summaryLength: 200,
  changes: 10_000,
  answerBytes: 4_194_304,
  exportBytes: 64 * 1_048_576,
  memoryBytes: 64 * 1_048_576,
};
