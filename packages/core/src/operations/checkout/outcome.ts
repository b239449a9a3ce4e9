/** What came of a checkout, gathered while it runs. */
import { isMbkError, type MbkError } from '../../errors.ts';
import { encodeByteText, type ByteString, type ByteText } from '../../format/byte-name.ts';
import { isBadContent } from '../bad-content.ts';

export interface CheckoutFailure {
  readonly path: ByteText;
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  /** Whether what is stored is damaged or missing; else the target refused it. */
  readonly isDamage: boolean;
}

export interface Outcome {
  files: number;
  directories: number;
  symlinks: number;
  /** Further names of files that were restored. */
  links: number;
  /** Bytes of the files that were written. */
  bytes: number;
  /** Files that were in the target already, proved by their SHA-256. */
  unchanged: number;
  /** What was in the target and stayed, because it may not be replaced. */
  kept: number;
  /** The first ones. */
  readonly keptPaths: ByteText[];
  /** Files that were read again after they were written. */
  verified: number;
  removed: number;
  damaged: number;
  refused: number;
  /** The first ones. */
  readonly failures: CheckoutFailure[];
  readonly factProblems: FactProblem[];
}

/** An owner, mode or time that the file system of the target refused; the bytes are right all the same. */
export interface FactProblem {
  readonly path: ByteText;
  readonly fact: 'owner' | 'mode' | 'time';
  readonly errno: string;
}

/** Failures that are listed; all are counted. */
const maxListed = 1000;

export function newOutcome(): Outcome {
  return {
    files: 0,
    directories: 0,
    symlinks: 0,
    links: 0,
    bytes: 0,
    unchanged: 0,
    kept: 0,
    keptPaths: [],
    verified: 0,
    removed: 0,
    damaged: 0,
    refused: 0,
    failures: [],
    factProblems: [],
  };
}

/** Notes that a path could not be restored; throws the error again when it means that no other can be either. */
export function fail(outcome: Outcome, path: ByteString, error: unknown): void {
  if (!isMbkError(error)) throw error;
  const isDamage: boolean = isBadContent(error);
  if (!isDamage && !isOfOnePath(error)) throw error;
  if (isDamage) outcome.damaged += 1;
  else outcome.refused += 1;
  const { code, message } = error;
  if (outcome.failures.length < maxListed)
    outcome.failures.push({ path: encodeByteText(path), code, message, isDamage });
}

/** Notes that what is at `path` stays, because it may not be replaced. */
export function noteKept(outcome: Outcome, path: ByteString): void {
  outcome.kept += 1;
  if (outcome.keptPaths.length < maxListed) outcome.keptPaths.push(encodeByteText(path));
}

export function noteFact(outcome: Outcome, path: ByteString, fact: FactProblem['fact'], errno: string): void {
  if (outcome.factProblems.length < maxListed) outcome.factProblems.push({ path: encodeByteText(path), fact, errno });
}

/** Errors of the file system that the next file meets as well. */
const fatal: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM']);

function isOfOnePath(error: MbkError): boolean {
  if (error.code === 'target-unsafe' || error.code === 'target-collision') return true;
  return error.code === 'target-failed' && !fatal.has(error.details['errno']);
}
