/** What a verification says: findings as plain data, and how far it is. */
import type { ByteText } from '../../format/byte-name.ts';

/** `error` is damage or a contradiction, `warning` something to look into, `note` something that is known and harmless. */
export type Severity = 'error' | 'warning' | 'note';

/** Codes of what a verification can find; `findingTable` says what each means. */
export type FindingCode =
  | 'key-entry-damaged'
  | 'key-entry-absent'
  | 'grant-unsound'
  | 'log-damaged'
  | 'state-damaged'
  | 'log-finding'
  | 'segment-absent'
  | 'segment-damaged'
  | 'index-wrong'
  | 'pack-absent'
  | 'pack-damaged'
  | 'pack-signer-unknown'
  | 'pack-lost'
  | 'bundle-absent'
  | 'bundle-damaged'
  | 'snapshot-wrong'
  | 'tag-wrong'
  | 'blob-absent'
  | 'blob-damaged'
  | 'record-wrong'
  | 'sizes-wrong';

export interface FindingRow {
  /** What it says, in one sentence. */
  readonly meaning: string;
  /** What to do, in one sentence. */
  readonly remedy: string;
}

const headStep = 'Run `mbk repair log`, which says what it would do first.';
const twinStep =
  'Copy its twin over it: `copy/` in the repository holds the same bytes under the same name, and the other way round; a ' +
  'key of which both are bad is added anew with `mbk key add`.';
const indexStep = 'Run `mbk repair index`, which says what it would do first.';
const againStep =
  'Take its file out of the repository, run `mbk repair index`, and take a snapshot of the same files: what is still ' +
  'there is stored again.';
const copyStep = 'Put the file back from a copy of the repository, if there is one; other snapshots are not touched.';
const reportStep = 'It was written by a faulty or newer program: tell the developers; other snapshots are not touched.';

/** Everything that a verification can find, by its code; codes never change their meaning. */
export const findingTable: Readonly<Record<FindingCode, FindingRow>> = {
  'key-entry-damaged': {
    meaning: '`mbk.json`, a slot or a grant, or one of its two copies, is damaged.',
    remedy: twinStep,
  },
  'key-entry-absent': {
    meaning: '`mbk.json`, a slot or a grant, or one of its two copies, is not in the storage.',
    remedy: twinStep,
  },
  'grant-unsound': {
    meaning: 'A grant gives a key what no owner signed.',
    remedy: 'Find out who wrote it: no owner did.',
  },
  'log-damaged': { meaning: 'A log entry is not what the chain says.', remedy: headStep },
  'state-damaged': {
    meaning: 'A summary of the log is damaged, or says something else than the entries that it sums up.',
    remedy: 'Nothing is lost: the entries are read in its place.',
  },
  'log-finding': {
    meaning: 'A log entry carried something that had no effect, or that is worth knowing.',
    remedy: 'Look at the entry with `mbk cat-log`.',
  },
  'segment-absent': { meaning: 'An index segment is not in the storage.', remedy: indexStep },
  'segment-damaged': { meaning: 'An index segment is damaged.', remedy: indexStep },
  'index-wrong': { meaning: 'A live index segment and the signed end of a pack disagree.', remedy: indexStep },
  'pack-absent': {
    meaning: 'A pack is not in the storage.',
    remedy:
      'Put it back from a copy of the repository, or run `mbk repair index` and take a snapshot of the same files.',
  },
  'pack-damaged': { meaning: 'A pack holds other bytes than were written.', remedy: againStep },
  'pack-signer-unknown': {
    meaning: 'A pack was signed by nobody who may write here.',
    remedy: 'Find out who put it there; what is read from it is proved by its SHA-256 all the same.',
  },
  'pack-lost': {
    meaning: 'The log says already that this pack is gone.',
    remedy: 'Take a snapshot of the same files if they are still there.',
  },
  'bundle-absent': { meaning: 'The history of a snapshot is not in the storage.', remedy: copyStep },
  'bundle-damaged': { meaning: 'The history of a snapshot is damaged.', remedy: copyStep },
  'snapshot-wrong': { meaning: 'A commit or its manifest is not what the log says.', remedy: reportStep },
  'tag-wrong': { meaning: 'A tag is not what the log says.', remedy: reportStep },
  'blob-absent': {
    meaning: 'A blob that a snapshot needs is in no usable pack.',
    remedy: 'Run `mbk repair index`, then take a snapshot of the same files: what is still there is stored again.',
  },
  'blob-damaged': {
    meaning: 'A blob in a sound pack does not have the hash that it is called by.',
    remedy: reportStep,
  },
  'record-wrong': {
    meaning: 'A folder list, chunk list or other record contradicts what refers to it.',
    remedy: reportStep,
  },
  'sizes-wrong': {
    meaning: 'Files, folders or bytes of a snapshot are not as many as its manifest says.',
    remedy: reportStep,
  },
};

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
