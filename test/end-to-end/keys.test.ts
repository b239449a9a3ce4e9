import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fillLab, makeProject, passphrase } from './project.ts';

const noSecret = { MBK_KEY_FILE: undefined };

interface InitJson {
  readonly slot: string;
  readonly recoveryKey: string | null;
  readonly recoveryKeyFile: string | null;
  readonly config: { readonly domains: readonly string[] } | null;
}

interface KeysJson {
  readonly keys: readonly {
    readonly id: string;
    readonly name: string;
    readonly kind: string;
    readonly isCurrent: boolean;
    readonly state: string;
  }[];
}

describe('mbk init', () => {
  test('makes a repository, shows the recovery key once, and writes an mbk.yaml of what it finds', async () => {
    const project = makeProject();
    fillLab(project);
    const text = await project.out(['init']);
    expect(text).toContain(`Made the repository`);
    expect(text).toMatch(/^ {4}[A-Z2-7]{4}(-[A-Z2-7]{4}){13}$/m);
    expect(text).toContain('Whoever loses every passphrase, key file and recovery key has lost the backups');
    const config = readFileSync(join(project.folder, 'mbk.yaml'), 'utf8');
    expect(config).toContain('repository: ./backups\n');
    expect(config).toContain('domains: [finance, healthcare]\n');
    expect(readFileSync(join(project.repository, 'mbk.json'), 'utf8')).toContain('mbk repository');

    const again = await project.mbk(['init']);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('there is a repository in');
  });

  test('the recovery key opens everything, alone', async () => {
    const project = makeProject();
    const made = (await project.json(['init', '--no-config'])) as InitJson;
    expect(made.config).toBeNull();
    expect(existsSync(join(project.folder, 'mbk.yaml'))).toBe(false);
    const repo = ['--repo', project.repository];
    const typed = made.recoveryKey?.toLowerCase().replaceAll('-', ' ') ?? '';
    const { keys } = (await project.json([...repo, 'key', 'list'], passphrase(typed))) as KeysJson;
    expect(keys.find(({ isCurrent }) => isCurrent)).toMatchObject({ kind: 'recovery', state: 'active' });
  });

  test('keys can go to files that only their owner reads', async () => {
    const project = makeProject();
    const [key, recovery] = [join(project.folder, 'mbk.key'), join(project.folder, 'recovery.txt')];
    const made = (await project.json(
      ['init', join(project.folder, 'store'), '--no-config', '--key-file', key, '--recovery-key-file', recovery],
      {
        ...noSecret,
      },
    )) as InitJson;
    expect(made).toMatchObject({ recoveryKey: null, recoveryKeyFile: recovery });
    for (const file of [key, recovery]) expect(statSync(file).mode & 0o777).toBe(0o600);
    const repo = ['--repo', join(project.folder, 'store')];
    await project.out([...repo, 'key', 'list'], { MBK_KEY_FILE: key });
    await project.out([...repo, 'key', 'list'], { ...noSecret, MBK_PASSPHRASE_FILE: recovery });
    expect((await project.mbk(['init', join(project.folder, 'other'), '--key-file', key])).code).toBe(2);
    expect(existsSync(join(project.folder, 'other'))).toBe(false);
  });

  test('refuses what would be a mistake, and then leaves nothing behind', async () => {
    const project = makeProject();
    project.write('notes.txt', 'mine');
    const refused: [string[], number, string][] = [
      [['init', '.'], 1, 'holds something else: notes.txt'],
      [['init', 's3:bucket'], 2, 'storage of the kind s3'],
      [['init', '--timezone', 'Mars/Olympus'], 2, 'Mars/Olympus is no time zone'],
      [['init', '--no-recovery-key', '--recovery-key-file', 'r'], 2, 'contradict each other'],
      [['init', 'a', '--repo', 'b'], 2, 'named twice'],
      [['init', '--key-file', 'k', '--recovery-key-file', 'absent/r'], 1, 'cannot be written'],
    ];
    for (const [args, code, message] of refused) {
      const ended = await project.mbk(args);
      expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(message)]);
    }
    expect((await project.mbk(['init'], noSecret)).code).toBe(12);
    expect(readdirSync(project.folder)).toEqual(['notes.txt']);
  });

  test('is not stopped by what an init left that was killed', async () => {
    const project = makeProject();
    project.write('backups/slots/left', 'over');
    await project.out(['init', '--no-recovery-key']);
    expect(await project.json(['key', 'list'])).toMatchObject({ keys: [{ state: 'active' }] });
  });
});

describe('what keeps a repository closed is told apart', () => {
  test('no repository, wrong passphrase, no passphrase, damaged slot', async () => {
    const project = makeProject();
    const none = await project.mbk(['--repo', project.repository, 'log'], noSecret);
    expect([none.code, none.stderr]).toEqual([10, expect.stringContaining('no repository in folder')]);
    const unnamed = await project.mbk(['log']);
    expect([unnamed.code, unnamed.stderr]).toEqual([2, expect.stringContaining('no repository is named')]);

    const right = passphrase('correct horse');
    const { slot } = (await project.json(['init', '--no-recovery-key'], right)) as InitJson;
    const wrong = await project.mbk(['log'], passphrase('wrong'));
    expect([wrong.code, wrong.stderr]).toEqual([12, expect.stringContaining('wrong passphrase')]);
    const missing = await project.mbk(['log'], noSecret);
    expect([missing.code, missing.stderr]).toEqual([12, expect.stringContaining('a passphrase is needed')]);

    const [first, copy] = ['slots', 'copy/slots'].map((place) => join(project.repository, place, slot));
    const bytes = readFileSync(first ?? '');
    const bad = Buffer.from(bytes);
    bad[200] = (bad[200] ?? 0) ^ 1;
    writeFileSync(first ?? '', bad);
    const served = await project.mbk(['log'], right);
    expect([served.code, served.stderr]).toEqual([0, expect.stringContaining('its other copy served')]);
    writeFileSync(copy ?? '', bad);
    const damaged = await project.mbk(['log', '--json'], right);
    expect(damaged.code).toBe(20);
    expect(JSON.parse(damaged.stdout)).toMatchObject({ type: 'error', code: 'slot-damaged' });
  });
});

describe('mbk key', () => {
  test('a passphrase is changed by adding one and removing the other', async () => {
    const project = makeProject();
    const [before, after] = [passphrase('correct horse'), passphrase('battery staple')];
    await project.out(['init', '--no-recovery-key'], before);
    project.write('new-passphrase', 'battery staple\n');
    const added = await project.out(['key', 'add', '--name', 'new'], {
      ...before,
      MBK_NEW_PASSPHRASE_FILE: 'new-passphrase',
    });
    expect(added).toMatch(/^Added the passphrase new \([0-9a-f]{8}\)\.\n$/);
    const listed = await project.out(['key', 'list'], before);
    expect(listed).toMatch(
      /^\* +[0-9a-f]{8} +\S+ on test-host +passphrase +owner +\d{4}-\d\d-\d\d \d\d:\d\d +active$/m,
    );
    const old = /^\* +([0-9a-f]{8})/m.exec(listed)?.[1] ?? '';
    const removed = await project.out(['key', 'remove', old], after);
    expect(removed).toContain('1 key can open the repository now.');
    expect(removed).toContain('Whoever copied the keys inside');
    expect((await project.mbk(['key', 'list'], before)).code).toBe(12);
    const last = await project.mbk(['key', 'remove', 'new', '--json'], after);
    expect([last.code, JSON.parse(last.stdout)]).toMatchObject([1, { code: 'slot-last' }]);
  });

  test('a key file and a recovery key are made, and open', async () => {
    const project = makeProject();
    await project.out(['init', '--no-recovery-key']);
    const file = join(project.folder, 'second.key');
    await project.out(['key', 'add', '--key-file', 'second.key']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const byFile = { MBK_KEY_FILE: file };
    const shown = (await project.json(['key', 'add', '--recovery'], byFile)) as InitJson;
    await project.out(['log'], passphrase(shown.recoveryKey ?? ''));
    await project.out(['key', 'add', '--recovery', '--recovery-key-file', 'r.txt'], byFile);
    const { keys } = (await project.json(['key', 'list'], byFile)) as KeysJson;
    expect(keys.map(({ name }) => name)).toEqual([
      'key file lab.key',
      'key file second.key',
      'recovery key',
      'recovery key 2',
    ]);
    expect((await project.mbk(['key', 'add', '--key-file', 'second.key'])).code).toBe(2);
    expect((await project.mbk(['key', 'add', '--key-file', 'x', '--recovery'])).code).toBe(2);
    expect((await project.mbk(['key', 'add'])).code).toBe(12);
  });
});
