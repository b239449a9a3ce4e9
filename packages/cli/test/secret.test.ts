import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyFileText, recoveryKeyText } from '@mbk/core';
import { describe, expect, test } from 'vitest';
import { readFurtherPassphrase, readKeyFile, readNewPassphrase, readSecret } from '../src/secret.ts';

const folder = mkdtempSync(join(tmpdir(), 'mbk-secret-'));
const write = (name: string, text: string, mode = 0o600): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};
const makePipe = (name: string): string => {
  execFileSync('mkfifo', ['-m', '600', join(folder, name)]);
  return join(folder, name);
};
const makeLink = (name: string, target: string): string => {
  symlinkSync(target, join(folder, name));
  return join(folder, name);
};
const key = new Uint8Array(32).fill(5);
const { signal } = new AbortController();
const about = { env: process.env, prompt: 'Passphrase', signal };

describe('the secret that opens', () => {
  test.each([
    ['the variable', { passphrase: 'a b' }, 'a b'],
    ['the first line of a file', { passphraseFile: write('p', 'from a file\r\nmore') }, 'from a file'],
    ['the first line of a command', { passphraseCommand: 'echo from a command; echo more' }, 'from a command'],
  ])('is %s', async (_, sources, passphrase) => {
    expect(await readSecret({ ...about, sources })).toEqual({ kind: 'passphrase', passphrase });
  });

  test('is a recovery key where one is given for a passphrase', async () => {
    const passphrase = recoveryKeyText(key).toLowerCase();
    expect(await readSecret({ ...about, sources: { passphrase } })).toEqual({ kind: 'recovery', key });
  });

  test('is a key file before all else', async () => {
    const keyFile = write('key', keyFileText(key));
    expect(await readSecret({ ...about, sources: { keyFile, passphrase: 'x' } })).toEqual({ kind: 'key-file', key });
  });

  test('is not handed to the command that gives it', async () => {
    const env = {
      ...process.env,
      MBK_PASSPHRASE_COMMAND: 'hidden',
      MBK_NEW_PASSPHRASE_FILE: 'hidden',
      MBK_KEY_FILE: 'hidden',
    };
    const sources = { passphraseCommand: 'env | grep -c hidden || true' };
    expect(await readSecret({ ...about, env, sources })).toEqual({ kind: 'passphrase', passphrase: '0' });
  });

  test.each([
    ['nothing', {}],
    ['an absent file', { passphraseFile: join(folder, 'absent') }],
    ['an empty file', { passphraseFile: write('empty', '\nsecond line') }],
    ['a command that fails', { passphraseCommand: 'exit 3' }],
  ])('is missing with %s', async (_, sources) => {
    await expect(readSecret({ ...about, sources })).rejects.toMatchObject({ code: 'secret-missing', exitCode: 12 });
  });

  test.each([
    ['others may read it', () => write('open', keyFileText(key), 0o644)],
    ['it holds no key', () => write('text', 'hello')],
    ['it is too large', () => write('large', 'x'.repeat(5000))],
    ['it is absent', () => join(folder, 'none')],
    ['it is a pipe', () => makePipe('pipe')],
    ['it is a link, which somebody else may turn elsewhere', () => makeLink('link', write('linked', keyFileText(key)))],
  ])('is no key file when %s', (_, path) => {
    expect(() => readKeyFile(path())).toThrow(expect.objectContaining({ code: 'key-file-unsafe' }));
  });
});

describe('a passphrase for a new slot', () => {
  test('comes from the usual places for a new repository, and from its own for a further slot', async () => {
    const sources = { passphrase: 'opens', newPassphraseFile: write('new', 'is added\n') };
    expect(await readNewPassphrase({ ...about, sources })).toBe('opens');
    expect(await readFurtherPassphrase({ ...about, sources })).toBe('is added');
    await expect(readFurtherPassphrase({ ...about, sources: { passphrase: 'opens' } })).rejects.toMatchObject({
      code: 'secret-missing',
    });
  });

  test('is never what would be taken for a recovery key', async () => {
    const newPassphraseFile = write('like-recovery', recoveryKeyText(key));
    await expect(readFurtherPassphrase({ ...about, sources: { newPassphraseFile } })).rejects.toMatchObject({
      code: 'usage-invalid',
    });
  });
});
