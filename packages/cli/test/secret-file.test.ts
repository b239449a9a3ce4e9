import { chmodSync, existsSync, mkdtempSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSecretFile } from '../src/secret-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'mbk-secret-'));
chmodSync(folder, 0o755);

describe('a file for a secret', () => {
  test('is for its owner alone and holds what was written', () => {
    const file = createSecretFile(join(folder, 'key'));
    expect(statSync(file.path)).toMatchObject({ mode: 0o100600, size: 0 });
    file.write('secret\n');
    expect(readFileSync(file.path, 'utf8')).toBe('secret\n');
  });

  test('never replaces one that is there, nor follows a link', () => {
    createSecretFile(join(folder, 'taken')).write('first');
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'link'));
    for (const name of ['taken', 'link']) {
      expect(() => createSecretFile(join(folder, name))).toThrow(expect.objectContaining({ code: 'usage-invalid' }));
    }
    expect(readFileSync(join(folder, 'taken'), 'utf8')).toBe('first');
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
  });

  test('is gone when it is discarded', () => {
    const file = createSecretFile(join(folder, 'unused'));
    file.discard();
    expect(existsSync(file.path)).toBe(false);
  });

  test('cannot stand where there is no folder', () => {
    expect(() => createSecretFile(join(folder, 'absent', 'key'))).toThrow(
      expect.objectContaining({ code: 'target-failed' }),
    );
  });
});
