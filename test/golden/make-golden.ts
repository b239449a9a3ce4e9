/**
 * Makes the golden repository of format 1, with its listing and keys:
 *
 *   node --conditions=@mbk/source test/golden/make-golden.ts
 *
 * Only for a repository that was never released: what `v1/` holds must be readable by every later version of mbk, so it
 * is never made anew. Clocks and randomness are fixed; what may still differ from run to run is in which order files of
 * one folder are taken, and the user who owns them.
 */

import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  addKey,
  addTag,
  assetPlugins,
  initRepository,
  keyFileText,
  memoryBackend,
  openRepository,
  recoveryKeyText,
  removeTag,
  snapshot,
  type Backend,
  type CollectionRef,
  type Repository,
  type SnapshotRequest,
} from '@mbk/core';
import { plugin as checkpoint } from '@mbk/plugin-checkpoint';
import { plugin as gguf } from '@mbk/plugin-gguf';
import { asPackId, type PackId } from '../../packages/core/src/format/ids.ts';
import { stateInterval } from '../../packages/core/src/format/limits.ts';
import type { KnownOperation } from '../../packages/core/src/format/log-operations.ts';
import { changeGoldenSource, makeGoldenSource, pathsBelow, wholePath } from './golden-source.ts';

const folder = import.meta.dirname;
const passphrase = 'correct horse battery staple é';
const random = seededRandom('mbk golden repository, format 1');
let clock = Date.UTC(2025, 0, 31, 22, 30);
/** Every look at the clock is a second later. */
const now = (): number => (clock += 1000);

const work = mkdtempSync(join(tmpdir(), 'mbk-golden-'));
const source = join(work, 'lab');
const backend = memoryBackend({ now });
try {
  const { recoveryKey, keyFile } = await makeRepository();
  rmSync(join(folder, 'v1'), { recursive: true, force: true });
  await writeEntries(backend, join(folder, 'v1'));
  writeFileSync(join(folder, 'v1.passphrase'), `${passphrase}\n`);
  writeFileSync(join(folder, 'v1.key-file'), keyFileText(keyFile));
  writeFileSync(join(folder, 'v1.recovery-key'), `${recoveryKeyText(recoveryKey)}\n`);
  chmodSync(join(folder, 'v1.key-file'), 0o600);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Init, three runs with changes between them, tags, a second key, entries enough for a state. */
async function makeRepository(): Promise<{ readonly recoveryKey: Uint8Array; readonly keyFile: Uint8Array }> {
  const listing: string[] = [];
  const secret = { kind: 'passphrase', passphrase } as const;
  const init = { backend, secret, name: 'golden', recovery: true, timezone: 'Europe/Berlin', random, tool: 'mbk golden' };
  const { recoveryKey } = await initRepository(init);
  const repository = await openRepository({ backend, secret, cacheFolder: undefined, stateFolder: join(work, 'state'), now, random, tool: init.tool });
  const keyFile = random(32);
  await addKey(repository, { secret: { kind: 'key-file', key: keyFile }, name: 'key file' });

  const run = async (request: Partial<SnapshotRequest>): Promise<void> => {
    const { snapshots, incomplete } = await snapshot(repository, { ...wholeLab(), ...request });
    if (incomplete.length > 0) throw new Error(`expected a source at rest, got ${JSON.stringify(incomplete)}`);
    for (const { commit, domain } of snapshots) listing.push(...listFiles(source, domain).map((line) => line.replace('\0', commit.slice(0, 10))));
  };
  makeGoldenSource(source);
  await run({ message: 'As it began', tag: 'v1' });
  changeGoldenSource(source);
  await run({ message: 'One tensor trained on', plan: 'nightly' });
  await run({ message: 'Notes only', isWholeSource: false, wants: ({ collection }) => collection === 'data/notes' });
  await addTag(repository, { name: 'healthcare/blessed', revision: 'healthcare', message: 'For ever.', host: 'golden-host' });
  await addTag(repository, { name: 'healthcare/mistyped', revision: 'healthcare', host: 'golden-host' });
  await removeTag(repository, 'healthcare/mistyped');
  await fillLog(repository);
  await addTag(repository, { name: 'finance/after-the-state', revision: 'finance', host: 'golden-host' });
  await repository.close();
  writeFileSync(join(folder, 'v1.sha256'), `${listing.toSorted().join('\n')}\n`);
  if (recoveryKey === undefined) throw new Error('expected a recovery key');
  return { recoveryKey, keyFile };
}

function wholeLab(): SnapshotRequest {
  return {
    root: Buffer.from(source).toString('latin1'),
    rootText: '/lab',
    assign: collectionOf,
    wants: () => true,
    emptyFolders: { domain: 'system', collection: 'other/files' },
    isWholeSource: true,
    retentionOf: ({ collection }) => ({ rule: collection === 'data/logs' ? 'logs' : null, lifetime: collection === 'data/logs' ? 'short' : 'permanent' }),
    plugins: assetPlugins([gguf, checkpoint]),
    message: '',
    plan: null,
    host: 'golden-host',
    git: { commit: '0123456789abcdef0123456789abcdef01234567', branch: 'main', dirty: false },
  };
}

function collectionOf(path: string): CollectionRef {
  const [domain = '', kind = ''] = path.split('/');
  if (kind === '') return { domain: 'system', collection: 'other/files' };
  return { domain, collection: kind === 'models' ? 'models/base' : `data/${kind}` };
}

/** Entries up to the one that names a state, so that opening reads one; each does something, and all is undone. */
async function fillLog({ log }: Repository): Promise<void> {
  const [{ to: commit } = { to: undefined }] = log.fold.lines.values();
  if (commit === undefined) throw new Error('expected a history');
  const captures = [{ commit, collection: 'data/logs' }];
  const append = (op: KnownOperation): Promise<unknown> => log.append(() => ({ ops: [op] }));
  await append({ op: 'expire', captures, reason: 'a try' });
  await append({ op: 'unexpire', captures });
  await append({ op: 'trust', packs: await packsOf('packs/') });
  await append({ op: 'condemn', packs: await packsOf('meta/'), segments: [], bundles: [] });
  await append({ op: 'delete', packs: [], segments: [], bundles: [], spared: await packsOf('meta/'), condemned: log.n });
  await append({ op: 'hold', name: 'kept', captures, reason: 'an audit' });
  for (let number = 1; log.n < stateInterval; number += 1) {
    await append({ op: 'hold', name: `audit-${number}`, captures, reason: 'an audit' });
    if (log.n < stateInterval) await append({ op: 'hold', name: `audit-${number}`, removed: true });
  }
}

async function packsOf(prefix: string): Promise<PackId[]> {
  const packs: PackId[] = [];
  for await (const { key } of backend.list(prefix)) packs.push(asPackId(key.slice(-64)));
  return packs;
}

/** `<sha256>  <zero byte>:<path>` of every file of a domain, as reader.mjs prints them but for the commit. */
function listFiles(root: string, domain: string): string[] {
  return pathsBelow(root)
    .filter((path) => collectionOf(path).domain === domain)
    .map((path) => ({ path, whole: wholePath(root, path) }))
    .filter(({ whole }) => lstatSync(whole).isFile())
    .map(({ path, whole }) => `${createHash('sha256').update(readFileSync(whole)).digest('hex')}  \0:${path.split('/').map(shownName).join('/')}`);
}

/** A name as reader.mjs prints it. */
function shownName(name: string): string {
  const bytes = Buffer.from(name, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? JSON.stringify(text).slice(1, -1) : `hex:${bytes.toString('hex')}`;
}

async function writeEntries(from: Backend, to: string): Promise<void> {
  for await (const { key } of from.list('')) {
    mkdirSync(dirname(join(to, key)), { recursive: true });
    writeFileSync(join(to, key), await from.get(key));
  }
}

/** Bytes that repeat with the seed: SHA-256 in counter mode. */
function seededRandom(seed: string): (length: number) => Uint8Array {
  let counter = 0;
  const block = (): Buffer => createHash('sha256').update(`${seed} ${(counter += 1)}`).digest();
  return (length) => new Uint8Array(Buffer.concat(Array.from({ length: Math.ceil(length / 32) }, block)).subarray(0, length));
}
