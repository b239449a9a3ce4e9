import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('the demo runs to its end with the real command, whatever the environment says', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', MBK_REPOSITORY: '/nowhere', MBK_KEY_FILE: '/nowhere', MBK_PASSPHRASE: '' },
  });
  const folder = /It is all in (\S+): look around/.exec(stdout)?.[1];
  try {
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('finance  unchanged, no snapshot made');
    expect(stdout).toContain('A checkpoints/healthcare_checkpoint_101.pth');
    expect(stdout).toMatch(/the 5 files of healthcare .*\nno difference\n/);
    expect(stdout).toContain('No damage: every byte is as it was written.');
    expect(stdout.trimEnd().split('\n').at(-2)).toBe(`It is all in ${folder}: look around, then remove it.`);
    const [now = 0, copied = 0, stored = Infinity] = [
      ...stdout.matchAll(/^(?:the lab now|both days|the repository).* ([\d.]+) MiB$/gm),
    ].map((match) => Number(match[1]));
    expect(copied).toBeGreaterThan(now);
    expect(stored).toBeLessThan(copied / 2);
    expect(existsSync(join(folder ?? '', 'restored/models/healthcare-base.gguf'))).toBe(true);
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  }
});
