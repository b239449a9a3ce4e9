import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  encodeByteText,
  localBackend,
  openRepository,
  parseKeyFile,
  parseRecoveryKey,
  type ByteString,
  type Repository,
  type Secret,
} from '@mbk/core';
import { verifyRepository } from '../../packages/core/src/operations/verify.ts';
import { readContent } from '../../packages/core/src/snapshot/read-content.ts';
import { unionParts, walkUnion } from '../../packages/core/src/snapshot/union-tree.ts';

const folder = import.meta.dirname;
const golden = join(folder, 'v1');
const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
const recorded = text('v1.sha256').trimEnd().split('\n');
const secrets: readonly Secret[] = [
  { kind: 'passphrase', passphrase: text('v1.passphrase').trimEnd() },
  { kind: 'key-file', key: parseKeyFile(text('v1.key-file')) },
  { kind: 'recovery', key: parseRecoveryKey(text('v1.recovery-key')) ?? new Uint8Array(0) },
];

describe("today's code and the golden repository of format 1", () => {
  const work = mkdtempSync(join(tmpdir(), 'mbk-golden-'));
  const copy = join(work, 'repository');
  // A copy: opening one probes the clock of its storage, and what is golden stays untouched.
  beforeAll(() => cpSync(golden, copy, { recursive: true }));
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  const open = (secret: Secret, host: string): Promise<Repository> =>
    openRepository({
      backend: localBackend(copy),
      secret,
      cacheFolder: join(work, host, 'cache'),
      stateFolder: join(work, host, 'state'),
      now: Date.now,
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
      tool: 'mbk test',
    });

  test.each(secrets)('every file of every snapshot restores with its recorded SHA-256 ($kind)', async (secret) => {
    const repository = await open(secret, secret.kind);
    expect(repository.notices).toEqual([]);
    expect((await restoredFiles(repository)).toSorted()).toEqual(recorded);
    await repository.close();
  });

  test('verify reads every byte and finds nothing wrong', async () => {
    const repository = await open(secrets[1] as Secret, 'verify');
    const { errors, warnings, findings, counts } = await verifyRepository(repository, { revisions: [], data: true });
    expect({ errors, warnings, findings }).toEqual({ errors: 0, warnings: 0, findings: [] });
    expect(counts).toMatchObject({ snapshots: 7, states: 1 });
    await repository.close();
  });

  test('its revisions mean what they meant', async () => {
    const repository = await open(secrets[1] as Secret, 'revisions');
    const id = (revision: string): string => repository.resolve(revision).commit.slice(0, 10);
    const snapshots = new Set(recorded.map((line) => line.slice(66, 76)));
    for (const revision of ['healthcare', 'healthcare/blessed', 'healthcare/v1', 'finance/2025-01-31', 'system~1']) {
      expect(snapshots, revision).toContain(id(revision));
    }
    expect(id('healthcare~2')).toBe(id('healthcare/v1'));
    expect(() => id('healthcare/mistyped')).toThrow('healthcare/mistyped');
    await repository.close();
  });
});

describe('the golden repository without any code of mbk', () => {
  test.each(['v1.passphrase', 'v1.key-file', 'v1.recovery-key'])('the independent reader prints the recorded list (%s)', (secret) => {
    const printed = execFileSync(process.execPath, [join(folder, 'reader.mjs'), golden, join(folder, secret)], { encoding: 'utf8' });
    expect(printed.trimEnd().split('\n')).toEqual(recorded);
  });

  test('the independent reader is at most 300 lines and imports Node alone', () => {
    const source = text('reader.mjs');
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(300);
    const imports = [...source.matchAll(/from '([^']+)'|import\(|require\(/g)].map(([all, name]) => name ?? all);
    expect(imports.filter((name) => !name.startsWith('node:'))).toEqual([]);
  });

  const entries = (readdirSync(golden, { recursive: true, encoding: 'utf8' })).filter((path) => statSync(join(golden, path)).isFile());
  const named = entries.filter((path) => /^[0-9a-f]{64}$/.test(basename(path)));

  test('SHA-256 proves every entry that is named by content', () => {
    expect(named.length).toBeGreaterThan(20);
    for (const path of named) {
      const found = createHash('sha256').update(readFileSync(join(golden, path))).digest('hex');
      expect({ path, found }).toEqual({ path, found: basename(path) });
    }
  });

  const sha256sum = ['/usr/bin/sha256sum', '/bin/sha256sum'].find((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
  test.skipIf(sha256sum === undefined)('so does the stock sha256sum (skipped where there is none)', () => {
    const input = named.map((path) => `${basename(path)}  ${path}\n`).join('');
    const printed = execFileSync(sha256sum ?? '', ['--check', '--strict', '-'], { cwd: golden, input, encoding: 'utf8' });
    expect(printed.trimEnd().split('\n')).toHaveLength(named.length);
  });

  test('no name, path, domain or collection stands in the clear', () => {
    const words = ['healthcare', 'finance', 'base.gguf', 'steps.jsonl', 'models/base', 'golden-host', 'blk.0', 'attn', 'As it began'];
    for (const path of entries) {
      const bytes = readFileSync(join(golden, path));
      const found = words.filter((word) => bytes.includes(word) || path.includes(word));
      expect({ path, found }).toEqual({ path, found: [] });
    }
  });
});

/** As reader.mjs prints them, through the store. */
async function restoredFiles(repository: Repository): Promise<string[]> {
  const { fold } = repository.log;
  const catalogue = repository.catalogue();
  const lines: string[] = [];
  for (const { to } of fold.lines.values()) {
    const { manifest } = await catalogue.readSnapshot(to);
    for await (const { path, entry } of walkUnion(repository.readBlob, unionParts(manifest.collections))) {
      if (entry.type !== 'file') continue;
      const hash = createHash('sha256');
      for await (const part of readContent(repository.readBlob, entry, { what: path })) hash.update(part);
      lines.push(`${hash.digest('hex')}  ${to.slice(0, 10)}:${path.split('/').map(shownName).join('/')}`);
    }
  }
  return lines;
}

function shownName(name: ByteString): string {
  const written = encodeByteText(name);
  return typeof written === 'string' ? JSON.stringify(written).slice(1, -1) : `hex:${written.hex}`;
}
