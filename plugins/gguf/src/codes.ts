/**
 * Every finding of this plugin with its severity; docs/plugins/gguf.md says what each means and which rule of the
 * specification or of llama.cpp it is.
 */

import { type Finding, type FindingList, findingList, type LayoutError, type Severity } from '@mbk/plugin-sdk';

const codes = {
  // The header itself: nothing after such a finding is read.
  'not-gguf': 'error',
  'bad-version': 'error',
  truncated: 'error',
  'header-too-large': 'error',
  'too-many-tensors': 'error',
  'too-many-keys': 'error',
  'bad-value-type': 'error',
  'array-too-long': 'error',
  'nested-too-deep': 'error',
  'string-too-long': 'error',
  'bad-utf8': 'error',
  'too-many-dimensions': 'error',
  // Variants.
  'version-1': 'warning',
  'big-endian': 'info',
  'big-endian-version': 'warning',
  'swapped-magic': 'warning',
  embedded: 'warning',
  'embedded-alignment': 'warning',
  // Keys and values.
  'empty-key': 'error',
  'duplicate-key': 'error',
  'key-not-ascii': 'warning',
  'key-style': 'warning',
  'wrong-type': 'error',
  'nested-array': 'error',
  'bad-bool': 'error',
  'value-not-utf8': 'warning',
  'nul-in-string': 'warning',
  'non-finite-value': 'warning',
  'bad-alignment': 'error',
  'odd-alignment': 'warning',
  // Tensors.
  'name-too-long': 'error',
  'empty-name': 'warning',
  'nul-in-name': 'warning',
  'duplicate-tensor': 'error',
  'negative-dimension': 'error',
  'zero-dimension': 'warning',
  'too-large': 'error',
  'size-overflow': 'error',
  'total-overflow': 'error',
  'removed-type': 'error',
  'bad-type': 'error',
  'split-block': 'error',
  misaligned: 'error',
  'not-contiguous': 'error',
  overlap: 'error',
  'out-of-file': 'error',
  // Data.
  'padding-not-zero': 'warning',
  'no-final-padding': 'info',
  'trailing-bytes': 'warning',
  'nan-in-tensor': 'error',
  'infinity-in-tensor': 'error',
  'nan-in-scale': 'error',
  'infinity-in-scale': 'error',
  'bad-e8m0-scale': 'error',
  // The model.
  'missing-architecture': 'error',
  'architecture-name': 'warning',
  'unknown-architecture': 'info',
  'missing-key': 'error',
  'missing-specified-key': 'warning',
  'missing-tensor': 'error',
  'missing-quantization-version': 'warning',
  'quantization-version': 'warning',
  'unknown-file-type': 'warning',
  'file-type-mismatch': 'warning',
  'block-count-range': 'error',
  'block-count': 'warning',
  'per-block-array': 'error',
  'head-count': 'error',
  'rope-dimension': 'error',
  'rope-scaling': 'error',
  'expert-count': 'error',
  'embedding-length': 'error',
  'vocabulary-shape': 'error',
  'vocabulary-size': 'warning',
  // The tokenizer.
  'unknown-tokenizer': 'warning',
  'missing-pre-tokenizer': 'warning',
  'tokenizer-lengths': 'error',
  'duplicate-token': 'error',
  'empty-token': 'warning',
  'too-many-tokens': 'warning',
  'bad-merge': 'error',
  'bad-token-type': 'warning',
  'bad-score': 'warning',
  'token-id-range': 'error',
  'bad-charsmap': 'error',
  'dangerous-template': 'error',
  // Sets of files.
  'split-keys': 'error',
  'split-number': 'error',
  'split-name': 'error',
  'missing-shard': 'error',
  'shard-mismatch': 'error',
  'split-tensor-count': 'error',
  // LoRA adapters.
  'adapter-type': 'error',
  'adapter-tensor': 'error',
  'adapter-pair': 'error',
  'adapter-rank': 'error',
} as const;

export type GgufCode = keyof typeof codes;

export const ggufCodes: Readonly<Record<GgufCode, Severity>> = codes;

/** Where findings go. */
export interface Problems {
  report(code: GgufCode, message: string, more?: Pick<Finding, 'offset' | 'remedy' | 'count'>): void;
  /**
   * Whether enough of this code were kept; if so it was counted, and there is nothing to report. For loops over
   * millions, which would otherwise make as many messages.
   */
  isFull(code: GgufCode): boolean;
  /** An error that ended the reading of a header. */
  fail(error: LayoutError): void;
  /** Takes over what another list kept. */
  include(findings: readonly Finding[]): void;
  /** Errors first, then warnings, in the order in which they were reported. */
  findings(): readonly Finding[];
}

/** So many of each code are kept; with all codes they fit into what a host takes. */
const perCode = 3;
const ranks: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

export function problemList(): Problems {
  const list: FindingList = findingList(perCode);
  const reported = new Map<string, number>();
  const uncounted = new Map<string, number>();
  const add = (finding: Finding): void => {
    reported.set(finding.code, (reported.get(finding.code) ?? 0) + 1);
    list.add(finding);
  };
  return {
    report(code, message, more = {}) {
      add({ code: `gguf/${code}`, severity: ggufCodes[code], message, ...more });
    },
    isFull(code) {
      const full = `gguf/${code}`;
      if ((reported.get(full) ?? 0) < perCode) return false;
      uncounted.set(full, (uncounted.get(full) ?? 0) + 1);
      return true;
    },
    fail({ code, message, offset }) {
      add({ code, severity: 'error', message, ...(offset === undefined ? {} : { offset }) });
    },
    include: (findings) => findings.forEach(add),
    findings() {
      const left = new Map(uncounted);
      const counted = list
        .findings()
        .toReversed()
        .map((finding) => {
          // The last of a code counts those that were left out.
          const more = left.get(finding.code) ?? 0;
          left.delete(finding.code);
          return more === 0 ? finding : { ...finding, count: (finding.count ?? 1) + more };
        });
      return counted.toReversed().toSorted((a, b) => ranks[a.severity] - ranks[b.severity]);
    },
  };
}

/** A name from the file, short and without control characters, for a message. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
