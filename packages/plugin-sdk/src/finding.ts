/** Findings: what is wrong with an asset, or worth a word, each at its place. They never change a stored byte. */

/** The worst first. */
export const severities = ['error', 'warning', 'info'] as const;

/**
 * `error`: a loader refuses the asset, runs foreign code with it, or computes nonsense from it. `warning`: it works and
 * is probably not what was meant. `info`: worth knowing.
 */
export type Severity = (typeof severities)[number];

export interface Finding {
  /** Stable, `format/what`: `gguf/duplicate-key`. People write it into their ignore lists. */
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong, with the names and numbers of this case; one sentence, at most `limits.messageLength`. */
  readonly message: string;
  /** What to do about it, where there is something. */
  readonly remedy?: string;
  /** Of the first byte that is to blame, from the start of the file. */
  readonly offset?: number;
  /** Of the value that is to blame, in a document (RFC 6901): `/optimizer/lr`. */
  readonly pointer?: string;
  /** Of a text file, from 1. */
  readonly line?: number;
  /** Characters from the start of the line, from 1. */
  readonly column?: number;
  /** In a finding about a folder: the file that is to blame, relative to it. */
  readonly path?: string;
  /** How often the same was found, this time included; once unless it says so. */
  readonly count?: number;
}

/** A code as a plugin's table of codes tells it. */
export interface CodeMeaning {
  /** What findings of the code have unless an option says otherwise. */
  readonly severity: Severity;
  readonly meaning: string;
}

/** Collects findings: of each code the first few are kept, the rest are counted on the last of them. */
export interface FindingList {
  add(finding: Finding): void;
  /** Whether an error is among them. */
  readonly hasErrors: boolean;
  /** In the order in which they were added; what was left out is in the `count` of the last of its code. */
  findings(): readonly Finding[];
}

/** A list that keeps at most `perCode` findings of each code, 10 unless given. Memory is bounded by the codes. */
export function findingList(perCode = 10): FindingList {
  const kept: Finding[] = [];
  const byCode = new Map<string, { kept: number; last: number; more: number }>();
  let hasErrors = false;
  return {
    add(finding) {
      if (finding.severity === 'error') hasErrors = true;
      const seen = byCode.get(finding.code) ?? { kept: 0, last: 0, more: 0 };
      byCode.set(finding.code, seen);
      if (seen.kept < perCode) {
        seen.kept += 1;
        seen.last = kept.push(finding) - 1;
      } else {
        seen.more += finding.count ?? 1;
      }
    },
    get hasErrors() {
      return hasErrors;
    },
    findings() {
      const result = [...kept];
      for (const { last, more } of byCode.values()) {
        const finding = result[last];
        if (more > 0 && finding !== undefined) result[last] = { ...finding, count: (finding.count ?? 1) + more };
      }
      return result;
    },
  };
}
