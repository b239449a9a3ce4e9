import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readHookScript, renderHookScript } from '../../src/git-hooks/hook-script.ts';
import type { HookScriptOptions } from '../../src/git-hooks/hook-script.ts';
import { installHook, listHooks, uninstallHook } from '../../src/git-hooks/install-hook.ts';

let folder: string;
beforeEach(() => void (folder = join(mkdtempSync(join(tmpdir(), 'mbk-install-hook-')), 'hooks')));
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

const options: HookScriptOptions = {
  name: 'pre-push',
  node: '/opt/it is node/bin/node',
  mbk: "/opt/it's/mbk.js",
  project: './a b',
  plan: 'daily',
  repo: undefined,
  strict: true,
};
const state = (): unknown => {
  const [{ hasEarlier, state: is } = { hasEarlier: false, state: 'none' }] = listHooks(folder);
  return [is, hasEarlier];
};

test('a script tells what it was made with, and whether it was changed since', () => {
  const text = renderHookScript(options);
  expect(readHookScript(text)).toEqual({ ...options, repo: undefined });
  expect(readHookScript(`${text}echo more\n`)).toBe('changed');
  expect(readHookScript('#!/bin/sh\necho mine\n')).toBeUndefined();
  expect(text).toContain(`node='/opt/it is node/bin/node'\nmbk='/opt/it'\\''s/mbk.js'\n`);
  expect(text).toContain(`cd './a b' || exit\n`);
  expect(text).toContain(`hook run pre-push --plan daily --strict -- "$@"\n`);
});

describe('a hook', () => {
  test('comes and goes without a trace, also twice', () => {
    installHook(folder, options);
    installHook(folder, { ...options, strict: false });
    expect(statSync(join(folder, 'pre-push')).mode & 0o111).toBe(0o111);
    expect(state()).toEqual(['installed', false]);
    expect([uninstallHook(folder, 'pre-push'), uninstallHook(folder, 'pre-push')]).toEqual([true, false]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([0o755, 0o640])('that was there before is put back byte for byte, with its mode %o', (mode) => {
    mkdirSync(folder);
    const bytes = Buffer.from([0x23, 0x21, 0, 0xff, 0x0a, 0x0d]);
    writeFileSync(join(folder, 'pre-push'), bytes);
    chmodSync(join(folder, 'pre-push'), mode);
    const before = statSync(join(folder, 'pre-push'), { bigint: true });
    installHook(folder, options);
    installHook(folder, options);
    expect(state()).toEqual(['installed', true]);
    uninstallHook(folder, 'pre-push');
    const after = statSync(join(folder, 'pre-push'), { bigint: true });
    expect(readFileSync(join(folder, 'pre-push'))).toEqual(bytes);
    expect([after.ino, after.mode, after.mtimeNs]).toEqual([before.ino, before.mode, before.mtimeNs]);
    expect(readdirSync(folder)).toEqual(['pre-push']);
  });

  test('that is a link stays one', () => {
    mkdirSync(folder);
    symlinkSync('../tools/check', join(folder, 'pre-push'));
    installHook(folder, options);
    expect(lstatSync(join(folder, 'pre-push')).isFile()).toBe(true);
    uninstallHook(folder, 'pre-push');
    expect(readlinkSync(join(folder, 'pre-push'))).toBe('../tools/check');
  });

  test('that somebody changed, or put over the one of mbk, is left alone', () => {
    installHook(folder, options);
    appendFileSync(join(folder, 'pre-push'), 'echo more\n');
    expect(state()).toEqual(['changed', false]);
    expect(() => installHook(folder, options)).toThrow(/was changed since/);
    expect(() => uninstallHook(folder, 'pre-push')).toThrow(/was changed since/);

    writeFileSync(join(folder, 'pre-push'), 'first');
    installHook(folder, options);
    writeFileSync(join(folder, 'pre-push'), 'second');
    expect(state()).toEqual(['other', true]);
    expect(() => installHook(folder, options)).toThrow(/in the way/);
    expect(() => uninstallHook(folder, 'pre-push')).toThrow(/is not of mbk/);
    expect(readFileSync(join(folder, 'pre-push.before-mbk'), 'utf8')).toBe('first');
  });

  test('of somebody else alone is none of mbk', () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'pre-push'), 'mine');
    expect(uninstallHook(folder, 'pre-push')).toBe(false);
    expect(readFileSync(join(folder, 'pre-push'), 'utf8')).toBe('mine');
  });
});
