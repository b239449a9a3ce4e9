/**
 * Log entries sealed, signed and opened (docs/format.md, The log).
 *
 * What `openEntry` returns is authentic: its trailer hash, the tags of its sections and its signature were checked.
 * Its place in the chain is checked against its successor in `log/chain.ts`.
 */
import { openBox, sealBox, boxOverhead } from '../crypto/entry.ts';
import { hkdf, sha256, sha256Hex, type Random } from '../crypto/hash.ts';
import { signMessage, verifyMessage } from '../crypto/key-pair.ts';
import { sharedScope, type Keys, type Keyset, type Scope } from '../crypto/keyset.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { concatBytes, equalBytes, fromHex, utf8 } from '../format/bytes.ts';
import type { ActorId, KeysetId } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import { decodeLogEntry, encodeLogHeader, type LogEntryFrame } from '../format/log-entry.ts';
import {
  decodeLogBody,
  decodeLogSection,
  encodeLogBody,
  encodeLogSection,
  type AuditPin,
  type KnownOperation,
  type LogBody,
  type Operation,
} from '../format/log-operations.ts';

/** An entry that was opened. */
export interface LogEntry {
  readonly n: number;
  /** SHA-256 of its bytes. */
  readonly hash: string;
  /** SHA-256 of the bytes of entry n−1, as this one says. */
  readonly previous: string;
  readonly actor: ActorId;
  readonly at: number;
  readonly tool: string;
  readonly audit: readonly AuditPin[];
  /** Section 0 first. */
  readonly sections: readonly LogSection[];
  /** Keysets of sections that these keys do not open. */
  readonly skipped: readonly KeysetId[];
}

export interface LogSection {
  readonly scope: Scope;
  readonly ops: readonly Operation[];
}

export interface EntryDraft {
  readonly n: number;
  readonly previous: string;
  readonly at: number;
  readonly tool: string;
  readonly audit?: readonly AuditPin[] | undefined;
  readonly ops: readonly KnownOperation[];
  /** Operations of isolated domains, each sealed under its own keyset. */
  readonly sections?: readonly SectionDraft[] | undefined;
}

export interface SectionDraft {
  readonly keyset: KeysetId;
  readonly ops: readonly KnownOperation[];
}

const sectionInfo = 'mbk/1 log section';
const signatureLabel = utf8('mbk/1 log entry');

/** Bytes of an entry, signed by the actor of `keys`. RangeError when it would pass 16 MiB; `role-denied` without a log key. */
export function sealEntry(draft: EntryDraft, keys: Keys, random: Random): Uint8Array {
  const { n, previous, at, tool, audit = [], ops, sections = [] } = draft;
  const plain = [
    { keyset: keys.shared, bytes: encodeLogBody({ actor: keys.actor.id, at, audit, ops, tool }) },
    ...sections.map((section) => ({ keyset: keysetOf(keys, section.keyset), bytes: encodeLogSection(section.ops) })),
  ];
  const header = encodeLogHeader({
    repository: keys.repository,
    n,
    previous,
    salt: random(32),
    sections: plain.map(({ keyset, bytes }) => ({ keyset: keyset.id, boxLength: bytes.byteLength + boxOverhead })),
  });
  const boxes = plain.map(({ keyset, bytes }, index) => sealBox(sectionKey(logKeyOf(keyset), header), index, bytes));
  const signed = concatBytes([header, ...boxes]);
  const hashed = concatBytes([signed, signMessage(keys.actor.seed, concatBytes([signatureLabel, signed]))]);
  const bytes = concatBytes([hashed, sha256(hashed)]);
  if (bytes.byteLength > limits.logEntryBytes) {
    throw new RangeError(`expected a log entry of at most ${limits.logEntryBytes} bytes, got ${bytes.byteLength}`);
  }
  return bytes;
}

/**
 * Opens the bytes that stand at number `n`, `what` naming them in messages.
 *
 * Errors: `entry-damaged` (not authentic, or another entry's bytes), `value-invalid` (authentic, and not what the
 * format allows), `operation-unknown`.
 */
export function openEntry(bytes: Uint8Array, n: number, keys: Keys, what: string): LogEntry {
  const frame = decodeLogEntry(bytes, what);
  if (!equalBytes(sha256(frame.hashed), frame.trailer)) throw damaged(what, 'its bytes do not match its trailer hash');
  if (frame.repository !== keys.repository) throw damaged(what, `it belongs to repository ${frame.repository}`);
  if (frame.n !== n) throw damaged(what, `it says that it is entry ${frame.n}`);

  const body = openFirstSection(frame, keys, what);
  const sections: LogSection[] = [{ scope: sharedScope, ops: body.ops }];
  const skipped: KeysetId[] = [];
  for (let index = 1; index < frame.sections.length; index += 1) {
    const row = frame.sections[index];
    const box = frame.boxes[index];
    if (row === undefined || box === undefined) break;
    const keyset = keys.keysets.get(row.keyset);
    if (keyset?.log === undefined) {
      skipped.push(row.keyset);
      continue;
    }
    const section = `section ${index} of ${what}`;
    const plaintext = openBox(sectionKey(keyset.log, frame.header), index, box, section);
    sections.push({ scope: keyset.scope, ops: decodeLogSection(plaintext, section) });
  }
  const { actor, at, tool, audit } = body;
  return { n, hash: sha256Hex(bytes), previous: frame.previous, actor, at, tool, audit, sections, skipped };
}

/** All operations of an entry that these keys open, each with the scope of its section. */
export function operationsOf(entry: LogEntry): { readonly scope: Scope; readonly op: Operation }[] {
  return entry.sections.flatMap(({ scope, ops }) => ops.map((op) => ({ scope, op })));
}

/**
 * Names of the operations in the first section of an entry that `openEntry` refuses, when at least that section still
 * authenticates: for people, never for the fold.
 */
export function peekOperations(bytes: Uint8Array, keys: Keys): string[] | undefined {
  try {
    const { sections, boxes, header } = decodeLogEntry(bytes, 'it');
    const keyset = sections[0] === undefined ? undefined : keys.keysets.get(sections[0].keyset);
    if (boxes[0] === undefined || keyset?.log === undefined) return undefined;
    return decodeLogBody(openBox(sectionKey(keyset.log, header), 0, boxes[0], 'it'), 'it', () => undefined).ops.map(
      ({ op }) => op,
    );
  } catch (error) {
    if (isMbkError(error)) return undefined;
    throw error;
  }
}

function openFirstSection(frame: LogEntryFrame, keys: Keys, what: string): LogBody {
  const [row] = frame.sections;
  const [box] = frame.boxes;
  const keyset = row === undefined ? undefined : keys.keysets.get(row.keyset);
  if (box === undefined || keyset?.log === undefined || keyset.scope !== sharedScope) {
    throw damaged(
      what,
      `its first section is sealed under keyset ${row?.keyset}, which is no shared one that this key was granted`,
    );
  }
  const plaintext = openBox(sectionKey(keyset.log, frame.header), 0, box, what);
  return decodeLogBody(plaintext, what, (actor) => {
    if (!verifyMessage(fromHex(actor), concatBytes([signatureLabel, frame.signed]), frame.signature)) {
      throw damaged(what, `it is not signed by the actor ${actor} that it names`);
    }
  });
}

function keysetOf(keys: Keys, id: KeysetId): Keyset {
  const keyset = keys.keysets.get(id);
  if (keyset === undefined) throw new MbkError('role-denied', `this key was not granted keyset ${id}`);
  return keyset;
}

function logKeyOf(keyset: Keyset): Uint8Array {
  if (keyset.log === undefined)
    throw new MbkError('role-denied', `this key was not granted the log of scope ${keyset.scope}`);
  return keyset.log;
}

function sectionKey(logKey: Uint8Array, header: Uint8Array): Uint8Array {
  return hkdf(logKey, sha256(header), sectionInfo);
}

function damaged(what: string, why: string): MbkError {
  return new MbkError('entry-damaged', `${what} is damaged: ${why}`);
}
