import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Ended } from '../run-program.ts';
import { expectSums, filesBelow } from './judges.ts';
import { shell, test, type Site } from './site.ts';

const passphrase = 'tr0ub4dor and 3 words';

describe('the exit code says what happened, and so does the first line', () => {
  test('10: no repository; 12: a key that opens nothing, or none; 2: mistakes; 1: what is not there', async ({
    site,
  }) => {
    site.write('a.txt', 'a');
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    // Every command and every mistake is tried in test/cli/bad-input.test.ts; here is what a process makes of them.
    const cases: readonly (readonly [code: number, error: string, args: readonly string[], env?: NodeJS.ProcessEnv])[] =
      [
        [10, 'repository-absent', ['log'], { MBK_REPOSITORY: join(site.folder, 'nowhere') }],
        [12, 'secret-wrong', ['log'], { MBK_KEY_FILE: undefined, MBK_PASSPHRASE: 'wrong' }],
        [2, 'repository-unnamed', ['log'], { MBK_REPOSITORY: undefined }],
        [2, 'usage-invalid', ['log', '--nonsense']],
        [2, 'environment-invalid', ['log'], { MBK_STATE_DIR: 'relative' }],
        [1, 'revision-unknown', ['checkout', 'healthcare', '--to', join(site.folder, 'x')]],
        [1, 'repository-exists', ['init', site.repository, '--no-config', '--no-recovery-key']],
      ];
    for (const [code, error, args, env = {}] of cases) {
      const ended = await site.mbk([...args, '--json'], { code, env });
      // A slow machine is also told how far the work is.
      const lines = jsonLines(ended).filter(({ type }) => type !== 'progress');
      expect({ args, lines, stderr: ended.stderr }).toMatchObject({
        args,
        lines: [{ type: 'error', code: error }],
        stderr: '',
      });
    }
    const { stdout, stderr } = await site.mbk(['checkout', 'healthcare'], { code: 1 });
    expect(stdout).toBe('');
    expect(stderr).toContain('healthcare');
    expect(stderr).toContain('mbk log'); // what to do
  });

  test('20: a flipped byte is found by verify --data, and a checkout restores all but what it hits', async ({
    site,
  }) => {
    const bytes = new Uint8Array(3_000_000);
    for (const name of ['a', 'b', 'c']) site.write(`${name}.bin`, randomFillSync(bytes));
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    const sums = shell('sha256sum -- *', site.project);
    flipInLargestPack(site);

    const found = await site.mbk(['verify', '--data', '--json'], { code: 20 });
    const findings = jsonLines(found).filter(({ type }) => type === 'finding');
    expect(JSON.stringify(findings)).toContain('pack-damaged');
    const damaged = ['a.bin', 'b.bin', 'c.bin'].filter((name) => JSON.stringify(findings).includes(name));
    expect(damaged.length).toBe(1);
    // Without --data nothing is read in the middle of packs.
    await site.mbk(['verify']);

    const target = join(site.folder, 'restored');
    const { stdout } = await site.mbk(['checkout', 'lab', '--to', target], { code: 20 });
    expect(stdout).toContain(`damaged: ${damaged[0]}`);
    expect(readdirSync(target)).toEqual(['a.bin', 'b.bin', 'c.bin'].filter((name) => name !== damaged[0]));
    expectSums(
      target,
      sums
        .split('\n')
        .filter((line) => line !== '' && !line.endsWith(damaged[0] ?? ''))
        .map((line) => `${line}\n`)
        .join(''),
    );
    const cat = await site.mbk(['cat', `lab:${damaged[0]}`, '--json'], { code: 20 });
    expect(cat.stdout).toContain('"type":"error"');
  });

  test('20: a lost pack is told, declared lost on demand, and healed by the next snapshot', async ({ site }) => {
    site.write('a.txt', 'worth keeping');
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    shell('rm -r packs', site.repository);
    const { stdout } = await site.mbk(['verify'], { code: 20 });
    expect(stdout).toContain('needed by');
    expect(stdout).toContain('Next, for pack-absent: ');
    await site.mbk(['checkout', 'lab', '--to', join(site.folder, 'one')], { code: 20 });
    await site.mbk(['repair', 'index', '--dry-run']);
    await site.mbk(['verify'], { code: 20 });
    expect((await site.mbk(['repair', 'index'])).stdout).toContain('declared lost');
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    await site.mbk(['verify', '--data']);
    await site.mbk(['checkout', 'lab~1', '--to', join(site.folder, 'two')]);
    expect(readFileSync(join(site.folder, 'two/a.txt'), 'utf8')).toBe('worth keeping');
  });

  test('20: what verify says to do about a damaged key entry and a damaged pack mends them', async ({ site }) => {
    site.write(
      'a.bin',
      new Uint8Array(300_000).map((_, at) => (at * 7919) >> 3),
    );
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    shell('printf X | dd of=mbk.json bs=1 seek=20 conv=notrunc status=none', site.repository);
    expect((await site.mbk(['verify'], { code: 20 })).stdout).toContain('Next, for key-entry-damaged: Copy its twin');
    shell('cp copy/mbk.json mbk.json', site.repository);
    await site.mbk(['verify']);

    shell('printf X | dd of="$(find packs -type f)" bs=1 seek=5000 conv=notrunc status=none', site.repository);
    const { stdout } = await site.mbk(['verify', '--data'], { code: 20 });
    expect(stdout).toContain('Next, for pack-damaged: Take its file out');
    shell('rm -r packs', site.repository);
    await site.mbk(['repair', 'index']);
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    await site.mbk(['verify', '--data']);
  });

  test('20: storage that was rolled back is noticed by a host that saw more', async ({ site }) => {
    site.write('a.txt', 'one');
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    shell('cp -a repository older', site.folder);
    site.write('a.txt', 'two');
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    shell('rm -r repository; mv older repository', site.folder);
    const { stderr } = await site.mbk(['log'], { code: 20 });
    expect(stderr).toMatch(/older|rolled/);
  });
});

test('programs that mbk starts do not see its secrets', async ({ site }) => {
  const seen = (name: string): string => join(site.folder, `env-of-${name}`);
  const further = {
    MBK_NEW_PASSPHRASE_FILE: join(site.folder, 'new'),
    MBK_KEY_THING: 'x',
    MBK_PASSPHRASE_THING: 'x',
    KEPT: 'kept',
  };
  writeFileSync(join(site.folder, 'new'), `${passphrase}\n`, { mode: 0o600 });
  await site.mbk(['key', 'add', '--passphrase'], { env: further });
  // Git is asked where the source stands: here one that writes down its environment.
  shell(`mkdir bin; printf '#!/bin/sh\\nenv > "${seen('git')}"\\nexit 1\\n' > bin/git; chmod +x bin/git`, site.folder);
  site.write('.git/HEAD', 'ref: refs/heads/main\n');
  site.write('a.txt', 'a');
  await site.mbk(['snapshot', '.', '--domain', 'lab'], {
    env: {
      ...further,
      MBK_KEY_FILE: undefined,
      MBK_PASSPHRASE_COMMAND: `env > '${seen('command')}'; head -n 1 '${join(site.folder, 'new')}'`,
      PATH: `${join(site.folder, 'bin')}:${process.env['PATH']}`,
    },
  });
  for (const name of ['git', 'command']) {
    const environment = readFileSync(seen(name), 'utf8');
    expect(environment).toMatch(/^KEPT=kept$/m);
    expect(environment).not.toMatch(/^MBK_(NEW_)?(PASSPHRASE|KEY)/m);
  }
});

/** Every line of the output, parsed. */
function jsonLines({ stdout }: Ended): readonly { readonly type?: string }[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type?: string });
}

/** Flips one bit in the middle of the largest pack. */
function flipInLargestPack({ repository }: Site): void {
  const [largest = ''] = filesBelow(join(repository, 'packs')).toSorted((a, b) => statSync(b).size - statSync(a).size);
  const fd = openSync(largest, 'r+');
  const byte = new Uint8Array(1);
  const middle = Math.floor(statSync(largest).size / 2);
  readSync(fd, byte, 0, 1, middle);
  writeSync(
    fd,
    byte.map((value) => value ^ 1),
    0,
    1,
    middle,
  );
  closeSync(fd);
}
