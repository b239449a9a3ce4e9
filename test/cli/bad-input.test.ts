import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandTable } from '../../packages/cli/src/commands.ts';
import { commandLab, type CommandLab } from './command-calls.ts';

let lab: CommandLab;
beforeAll(async () => void (lab = await commandLab()));
afterAll(() => rmSync(lab.folder, { recursive: true, force: true }));

/** Exit code and error code of a call. */
async function ends(
  verb: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<readonly [number | null, unknown]> {
  const { code, stdout } = await lab.run([...verb.split(' '), ...args, '--json'], env);
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return [code, (JSON.parse(last === '' ? '{}' : last) as { code?: unknown }).code];
}

const verbs = Object.keys(commandTable);

describe('every command', () => {
  test.each(verbs)('%s refuses a flag that it does not have with 2', async (verb) => {
    expect(await ends(verb, [...(lab.calls[verb] ?? []), '--no-such-flag'])).toEqual([2, 'usage-invalid']);
  });

  test.each(verbs)('%s ends with 10 where there is no repository, with 2 where none is named', async (verb) => {
    if (lab.withoutRepository.includes(verb)) return;
    const args = lab.calls[verb] ?? [];
    const nowhere = { MBK_REPOSITORY: join(lab.folder, 'nowhere') };
    expect(await ends(verb, args, nowhere)).toEqual([10, 'repository-absent']);
    expect(await ends(verb, args, { MBK_REPOSITORY: undefined })).toEqual([2, 'repository-unnamed']);
  });

  test.each(verbs)('%s ends with 12 where the key opens nothing or is missing', async (verb) => {
    if (lab.withoutRepository.includes(verb)) return;
    const args = lab.calls[verb] ?? [];
    const wrong = join(lab.folder, 'wrong-key');
    const key = readFileSync(join(lab.folder, 'key'), 'utf8');
    writeFileSync(
      wrong,
      key.replace(/[0-9a-f]{8}/i, (part) => [...part].toReversed().join('')),
      { mode: 0o600 },
    );
    expect(await ends(verb, args, { MBK_KEY_FILE: wrong })).toEqual([12, 'secret-wrong']);
    expect(await ends(verb, args, { MBK_KEY_FILE: undefined })).toEqual([12, 'secret-missing']);
  });

  test.each(verbs)('%s ends with 2 where a variable or the configuration is wrong', async (verb) => {
    expect(await ends(verb, lab.calls[verb] ?? [], { MBK_STATE_DIR: 'relative' })).toEqual([2, 'environment-invalid']);
  });
});

describe('a key or a repository', () => {
  const without = { MBK_KEY_FILE: undefined };
  test.each([
    ['that is a folder without a repository', ['log', '--repo', '.'], {}, 10, 'repository-absent'],
    ['that exists', ['init', '--no-config', '--no-recovery-key'], {}, 1, 'repository-exists'],
    ['whose command fails', ['log'], { ...without, MBK_PASSPHRASE_COMMAND: 'exit 1' }, 12, 'secret-missing'],
    ['whose file is not there', ['log'], { MBK_KEY_FILE: '/nowhere/key' }, 12, 'key-file-unsafe'],
    ['that is empty', ['log'], { ...without, MBK_PASSPHRASE: '' }, 2, 'environment-invalid'],
    ['that is given twice', ['log'], { MBK_PASSPHRASE: 'x', MBK_PASSPHRASE_FILE: 'y' }, 2, 'environment-invalid'],
  ] as const)('%s', async (_, [verb, ...args], env, code, error) => {
    expect(await ends(verb, args, env)).toEqual([code, error]);
  });
});

describe('an argument', () => {
  const nothing = 'no-such-name';
  test.each([
    ['checkout', [], 2, 'usage-invalid'],
    ['checkout', [nothing], 1, 'revision-unknown'],
    ['checkout', ['lab:nothing'], 1, 'path-absent'],
    ['checkout', ['lab', '--overwrite', 'sometimes'], 2, 'usage-invalid'],
    ['checkout', ['lab', '--delete'], 2, 'usage-invalid'],
    ['checkout', ['lab', '--to', '.'], 1, 'target-not-empty'],
    ['snapshot', ['not/there'], 1, 'source-absent'],
    ['snapshot', ['/', '-d', 'No Domain'], 2, 'name-invalid'],
    ['snapshot', ['--tag', 'no tag'], 2, 'name-invalid'],
    ['snapshot', ['--plan', 'none'], 2, 'usage-invalid'],
    ['snapshot', ['--host', ''], 2, 'usage-invalid'],
    ['snapshot', ['--jobs', '0'], 2, 'usage-invalid'],
    ['snapshot', ['models', '--stdin-name', 'x'], 2, 'usage-invalid'],
    ['snapshot', ['--stdin-name', 'x', '--dry-run'], 2, 'usage-invalid'],
    ['snapshot', ['--stdin-name', 'x', '-c', 'models/all'], 2, 'name-invalid'],
    ['log', [nothing], 1, 'revision-unknown'],
    ['log', ['-d', 'none'], 1, 'revision-unknown'],
    ['log', ['-n', 'many'], 2, 'usage-invalid'],
    ['show', [], 2, 'usage-invalid'],
    ['show', [nothing], 1, 'revision-unknown'],
    ['ls', [nothing], 1, 'revision-unknown'],
    ['ls', ['lab:nothing'], 1, 'path-absent'],
    ['cat', ['lab:models'], 1, 'path-absent'],
    ['diff', [], 2, 'usage-invalid'],
    ['diff', ['lab', 'lab', 'lab'], 2, 'usage-invalid'],
    ['diff', ['lab', nothing], 1, 'revision-unknown'],
    ['find', [], 2, 'usage-invalid'],
    ['find', ['[a'], 2, 'usage-invalid'],
    ['find', ['x', nothing], 1, 'revision-unknown'],
    ['find', ['x', 'lab', '-d', 'lab'], 2, 'usage-invalid'],
    ['find', ['x', '-d', 'none'], 1, 'revision-unknown'],
    ['usage', ['-d', 'none'], 1, 'revision-unknown'],
    ['usage', ['--by', 'hour'], 2, 'usage-invalid'],
    ['tag', ['v3'], 2, 'usage-invalid'],
    ['tag', ['no tag', 'lab'], 2, 'name-invalid'],
    ['tag', ['v3', nothing], 1, 'revision-unknown'],
    ['tag', ['--delete', 'lab/none'], 1, 'revision-unknown'],
    ['verify', [nothing], 1, 'revision-unknown'],
    ['verify', ['--sample', '5'], 2, 'usage-invalid'],
    ['verify', ['--sample', '0%'], 2, 'usage-invalid'],
    ['verify', ['--sample', '101%'], 2, 'usage-invalid'],
    ['verify', ['--max-age', 'long'], 2, 'usage-invalid'],
    ['verify', ['--data', '--sample', '5%'], 2, 'usage-invalid'],
    ['verify', ['--independent'], 2, 'usage-invalid'],
    ['key remove', [nothing], 1, 'slot-absent'],
    ['key remove', [], 2, 'usage-invalid'],
    ['catalogue export', ['.'], 1, 'target-not-empty'],
    ['catalogue export', [], 2, 'usage-invalid'],
    ['cat-object', ['zz'], 1, 'object-unknown'],
    ['cat-log', ['99'], 1, 'object-unknown'],
    ['cat-log', ['one'], 2, 'usage-invalid'],
    ['completion', ['tcsh'], 2, 'usage-invalid'],
    ['completion', [], 2, 'usage-invalid'],
  ] as const)('mbk %s %j ends with %i, %s', async (verb, args, code, error) => {
    expect(await ends(verb, args)).toEqual([code, error]);
  });

  test('that is no command ends with 2', async () => {
    expect(await ends('snapshto', [])).toEqual([2, 'usage-invalid']);
    expect(await ends('key', ['ad'])).toEqual([2, 'usage-invalid']);
  });
});
