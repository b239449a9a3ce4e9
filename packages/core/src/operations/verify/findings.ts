/** What a verification says: findings as plain data, and how far it is. */
import type { ByteText } from '../../format/byte-name.ts';

/** `error` is damage or a contradiction, `warning` something to look into, `note` something that is known and harmless. */
export type Severity = 'error' | 'warning' | 'note';

export type FindingCode =
  /** mbk.json, a slot or a grant, or one of its copies. */
  | 'key-entry-damaged'
  | 'key-entry-absent'
  | 'grant-unsound'
  /** A log entry or a state that is not what the chain says. */
  | 'log-damaged'
  | 'state-damaged'
  /** What an entry carried without effect. */
  | 'log-finding'
  | 'segment-absent'
  | 'segment-damaged'
  /** A live segment and the footer of a pack disagree. */
  | 'index-wrong'
  | 'pack-absent'
  | 'pack-damaged'
  | 'pack-signer-unknown'
  /** Known already: the log says that it is gone. */
  | 'pack-lost'
  | 'bundle-absent'
  | 'bundle-damaged'
  /** A commit, manifest or tag that is not what the log says. */
  | 'snapshot-wrong'
  | 'tag-wrong'
  /** A blob that a snapshot needs, of which no usable copy is stored. */
  | 'blob-absent'
  | 'blob-damaged'
  /** A tree, chunk list or other record that contradicts what refers to it. */
  | 'record-wrong'
  /** Files, folders or bytes are not as many as a manifest says. */
  | 'sizes-wrong';

export interface VerifyFinding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** One sentence. */
  readonly message: string;
  /** Key of the entry that is concerned. */
  readonly key?: string | undefined;
  readonly commit?: string | undefined;
  readonly path?: ByteText | undefined;
  /** Files of snapshots that cannot be restored because of it; the first ones. */
  readonly dependents?: readonly Dependent[] | undefined;
  /** How many more there are. */
  readonly dependentsOmitted?: number | undefined;
}

/** A file of a snapshot that cannot be restored because of a finding. */
export interface Dependent {
  readonly commit: string;
  readonly domain: string;
  readonly collection: string;
  readonly path: ByteText;
}

export const verifyPhases = ['keys', 'log', 'index', 'snapshots', 'packs', 'dependents'] as const;
/** What is being verified. */
export type VerifyPhase = (typeof verifyPhases)[number];

export type VerifyEvent =
  | { readonly type: 'finding'; readonly finding: VerifyFinding }
  | {
      readonly type: 'progress';
      readonly phase: VerifyPhase;
      readonly done: number;
      readonly total: number;
      /** Bytes of packs that were read so far, and of all that are to be read; 0 where they are not read whole. */
      readonly bytes: number;
      readonly totalBytes: number;
      /** Errors so far, those among them that are told at the end, with the files that they reach. */
      readonly errors: number;
    };

/** Findings that a report holds; the events tell all of them. */
const maxFindings = 10_000;
/** Files that a finding names. */
const maxDependents = 50;

/** A finding whose dependents are still being gathered. */
export interface OpenFinding {
  addDependent(dependent: Dependent): void;
}

export interface FindingLog {
  readonly findings: readonly VerifyFinding[];
  readonly omitted: number;
  readonly errors: number;
  /** Errors that were told, and those that `close` will tell. */
  readonly errorsSoFar: number;
  readonly warnings: number;
  /** Tells a finding at once. */
  add(finding: VerifyFinding): void;
  /** Takes a finding that will be told by `close`, with the dependents it has by then. */
  open(finding: VerifyFinding): OpenFinding;
  close(): void;
}

export function findingLog(onEvent: (event: VerifyEvent) => void): FindingLog {
  const findings: VerifyFinding[] = [];
  const open: (() => VerifyFinding)[] = [];
  const counts = { error: 0, warning: 0, note: 0 };
  let openErrors = 0;
  const add = (finding: VerifyFinding): void => {
    counts[finding.severity] += 1;
    if (findings.length < maxFindings) findings.push(finding);
    onEvent({ type: 'finding', finding });
  };
  return {
    findings,
    get omitted() {
      return counts.error + counts.warning + counts.note - findings.length;
    },
    get errors() {
      return counts.error;
    },
    get errorsSoFar() {
      return counts.error + openErrors;
    },
    get warnings() {
      return counts.warning;
    },
    add,
    open(finding) {
      const dependents: Dependent[] = [];
      let dependentsOmitted = 0;
      if (finding.severity === 'error') openErrors += 1;
      open.push(() => ({ ...finding, dependents, dependentsOmitted }));
      return {
        addDependent(dependent) {
          if (dependents.length < maxDependents) dependents.push(dependent);
          else dependentsOmitted += 1;
        },
      };
    },
    close() {
      openErrors = 0;
      for (const finish of open.splice(0)) add(finish());
    },
  };
}
