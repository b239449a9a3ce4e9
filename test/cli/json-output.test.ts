import { createRequire } from 'node:module';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandTable } from '../../packages/cli/src/commands.ts';
import { runHere } from '../run-here.ts';
import { closed, commandSchemas, schemaPath } from '../docs/command-schemas.ts';
import { root } from '../docs/markdown.ts';
import { commandLab, newPassphrase, type CommandLab } from './command-calls.ts';

/** The part of ajv that is used here; the checker is a dependency of the core, not of the tests. */
interface Ajv {
  compile(schema: object): ((value: unknown) => boolean) & { errors?: unknown };
}
const { Ajv2020 } = createRequire(join(root, 'packages/core/package.json'))('ajv/dist/2020.js') as {
  readonly Ajv2020: new (options: object) => Ajv;
};
const ajv = new Ajv2020({ strict: false, allErrors: true });

let lab: CommandLab;
const said: string[] = [];
beforeAll(async () => void (lab = await commandLab()));
afterAll(() => rmSync(lab.folder, { recursive: true, force: true }));

/** Runs a command with `--json`, holds every line against the schema of the command, and gives the lines. */
async function valid(verb: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<unknown[]> {
  const { stdout, stderr } = await lab.run([...verb.split(' '), ...args, '--json'], env);
  said.push(stdout, stderr);
  expect(stderr, verb).toBe('');
  const validate = ajv.compile(closed(commandSchemas[schemaPath(verb)]) as object);
  // `ls` and `show --files` print one object on many lines.
  const values = verb === 'ls' || args.includes('--files') ? [stdout] : stdout.trimEnd().split('\n');
  return values.map((line) => {
    const value: unknown = JSON.parse(line);
    expect({ verb, value, errors: validate(value) ? [] : validate.errors }).toEqual({ verb, value, errors: [] });
    return value;
  });
}

test('every command prints what its schema says, errors too, and no secret', async () => {
  expect(Object.keys(lab.calls).toSorted()).toEqual(Object.keys(commandTable).toSorted());
  for (const [verb, args] of Object.entries(lab.calls)) {
    if (verb !== 'cat') expect((await valid(verb, args)).length, verb).toBeGreaterThan(0);
    const [error] = await valid(verb, [...args, '--nonsense']);
    expect(error, verb).toMatchObject({ type: 'error', code: 'usage-invalid' });
  }
  expect((await lab.run(['cat', 'lab:models/a.txt', '--json'])).stdout).toBe('changed');
  // The other things that a command can print.
  await valid('snapshot', ['--dry-run']);
  await valid('snapshot', ['--skip-if-unchanged']);
  await valid('checkout', ['lab', '--to', join(lab.folder, 'planned'), '--dry-run']);
  await valid('show', ['lab', '--files']);
  lab.write('models/tiny.json', '{"a": 1, "a": 2}');
  await valid('snapshot', ['-m', 'with an asset']);
  lab.write('models/tiny.json', '{"a": 3}');
  await valid('validate', []);
  await valid('diff', ['lab']);
  await valid('diff', ['lab', '--stat']);
  await valid('show', ['lab']);
  await valid('show', ['lab:models/tiny.json']);
  await valid('find', ['nothing-like-it']);
  await valid('usage', ['--by', 'day']);
  await valid('tag', []);
  await valid('tag', ['--delete', 'lab/v1']);
  await valid('verify', ['--sample', '50%']);
  await valid('status', [], { MBK_CONFIG: undefined });
  await valid('show', ['nothing']);
  await valid('log', [], { MBK_KEY_FILE: undefined, MBK_PASSPHRASE: 'wrong' });
  await valid('key add', ['--passphrase', '--name', 'another']);
  await valid('log', [], { MBK_KEY_FILE: undefined, MBK_PASSPHRASE: newPassphrase });
  expect(lab.secrets.every((secret) => secret.length > 20)).toBe(true);
  for (const secret of lab.secrets) expect(said.filter((text) => text.includes(secret))).toEqual([]);
});

test('damage is told as the schemas say', async () => {
  const damaged = await commandLab();
  rmSync(join(damaged.folder, 'repository', 'packs'), { recursive: true });
  const whole = lab;
  lab = damaged;
  try {
    const lines = await valid('verify', []);
    expect(lines.at(-1)).toMatchObject({ type: 'summary', level: 'structure' });
    await valid('checkout', ['lab', '--to', join(damaged.folder, 'out')]);
    // The newest entry of the log, which its host can put back.
    const log = join(damaged.folder, 'repository', 'log');
    const newest = readdirSync(log, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(log, name)).isFile())
      .toSorted()[0];
    writeFileSync(join(log, newest ?? ''), 'nothing');
    await valid('repair log', ['--dry-run']);
    await valid('repair log', []);
    await valid('repair index', ['--dry-run']);
    await valid('repair index', []);
  } finally {
    lab = whole;
    rmSync(damaged.folder, { recursive: true, force: true });
  }
});

test('status without a project shows the newest snapshots, and what was verified', async () => {
  await valid('verify', ['--data']);
  const { stdout } = await runHere(['status', '--json'], { cwd: lab.folder, env: lab.env });
  expect(JSON.parse(stdout)).toMatchObject({
    source: null,
    domains: expect.arrayContaining([expect.objectContaining({ domain: 'lab', files: null, changes: null })]),
    verification: { last: { level: 'data', errors: 0 }, allSince: expect.stringMatching(/Z$/) },
  });
});
