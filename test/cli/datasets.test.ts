/** Datasets as a user meets them: what changed in one, and one that is given away with manifests. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandLab, type CommandLab } from './command-calls.ts';

let lab: CommandLab;
beforeEach(async () => void (lab = await commandLab()));
afterEach(() => rmSync(lab.folder, { recursive: true, force: true }));

interface Inside {
  readonly inside: readonly {
    readonly path: string;
    readonly kind: string;
    readonly difference: { readonly changes: readonly object[] } | null;
  }[];
}

test('diff shows which files, records and columns of a dataset changed, and checkout writes its manifests', async () => {
  lab.write('models/set/train.jsonl', '{"id":1,"text":"a"}\n{"id":2,"text":"b"}\n');
  lab.write('models/set/old.jsonl', '{"id":9,"text":"c"}\n');
  expect(await lab.run(['snapshot', '-m', 'one'])).toMatchObject({ code: 0 });
  lab.write(
    'models/set/train.jsonl',
    '{"id":1,"text":"a","domain":"law"}\n{"id":2,"text":"b","domain":"law"}\n{"id":3,"text":"d","domain":"code"}\n',
  );
  lab.write('models/set/new.csv', 'id,text\n1,a\n');
  rmSync(join(lab.project, 'models/set/old.jsonl'));
  const now = JSON.parse((await lab.run(['diff', 'lab', '--json'])).stdout) as Inside;
  await lab.run(['snapshot', '-m', 'two']);

  const text = await lab.run(['diff', 'lab~1', 'lab']);
  expect(text).toMatchObject({ code: 0, stderr: '' });
  expect(text.stdout).toMatch(/^models\/set  dataset\/files$/m);
  expect(text.stdout).toMatch(/^ {2}~ train\.jsonl \(40 -> \d+ bytes, 2 -> 3 records\)$/m);
  expect(text.stdout).toMatch(/^ {2}\+ new\.csv \(12 bytes, 1 record\)$/m);
  expect(text.stdout).toMatch(/^ {2}- old\.jsonl /m);
  expect(text.stdout).toMatch(/^models\/set\/train\.jsonl  dataset\/jsonl$/m);
  const { inside } = JSON.parse((await lab.run(['diff', 'lab~1', 'lab', '--json'])).stdout) as Inside;
  const folder = inside.find(({ path }) => path === 'models/set');
  expect(folder?.difference?.changes).toContainEqual(
    expect.objectContaining({ what: 'file', name: 'new.csv', change: 'added' }),
  );
  expect(folder?.difference?.changes).toContainEqual(expect.objectContaining({ what: 'column', change: 'added' }));
  // The source as it is now says the same as the snapshot that was taken of it.
  expect(now.inside).toEqual(inside);

  const out = join(lab.folder, 'out');
  const written = await lab.run(['checkout', 'lab:models/set', '--to', out, '--manifests']);
  expect(written).toMatchObject({ code: 0, stderr: '' });
  expect(written.stdout).toMatch(/manifests of \.\n {2}SHA256SUMS: written\n {2}croissant\.json: written\n/);
  const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
  expect(execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: out, env, encoding: 'utf8' })).toBe(
    'new.csv: OK\ntrain.jsonl: OK\n',
  );
  expect(JSON.parse(readFileSync(join(out, 'croissant.json'), 'utf8'))).toMatchObject({ '@type': 'sc:Dataset' });
  // What is exported is as its manifests say, also in the eyes of mbk.
  expect(await lab.run(['validate', out])).toMatchObject({ code: 0 });

  writeFileSync(join(out, 'SHA256SUMS'), 'mine');
  const again = await lab.run([
    'checkout',
    'lab:models/set',
    '--to',
    out,
    '--overwrite',
    'newer',
    '--manifests',
    '--json',
  ]);
  const lines = again.stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as object)).toContainEqual({
    type: 'manifests',
    path: '.',
    files: [
      { path: 'SHA256SUMS', state: 'kept' },
      { path: 'croissant.json', state: 'kept' },
    ],
    problem: null,
  });
  expect(readFileSync(join(out, 'SHA256SUMS'), 'utf8')).toBe('mine');
  await lab.run(['checkout', 'lab', 'models/set/new.csv', '--to', join(lab.folder, 'part'), '--manifests']);
  expect(existsSync(join(lab.folder, 'part/models/set/SHA256SUMS'))).toBe(false);
});
