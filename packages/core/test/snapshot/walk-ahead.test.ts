import fs from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { walkAhead } from '../../src/snapshot/walk-ahead.ts';
import { walk } from '../../src/snapshot/walk.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';

const folder = temporaryFolders();

function makeSource(): string {
  const root = folder();
  for (const name of ['a', 'b/c', 'b/d/e']) fs.mkdirSync(join(root, name), { recursive: true });
  for (let i = 0; i < 700; i += 1) fs.writeFileSync(join(root, 'b/c', `file ${i}`), '');
  return root;
}

test.each([0, 1, 50])('a walk that was begun %i turns ago gives what a walk gives', async (turns) => {
  const root = makeSource();
  const ahead = walkAhead(root, {});
  for (let turn = 0; turn < turns; turn += 1) await setImmediate();
  expect([...ahead.events()]).toEqual([...walk(root)]);
});

test('a root that cannot be read is an error when the events are asked for', async () => {
  const ahead = walkAhead(join(folder(), 'absent'), {});
  await setImmediate();
  expect(() => [...ahead.events()]).toThrow(expect.objectContaining({ code: 'source-absent' }));
});

test('a walk that nobody wants goes no further', async () => {
  const ahead = walkAhead(makeSource(), {});
  ahead.close();
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  expect([...ahead.events()].length).toBeLessThan(700);
});

test('files deep below are left to the walk itself, whose handles find them', async () => {
  const root = folder();
  let at = root;
  fs.mkdirSync(root, { recursive: true });
  for (let depth = 0; depth < 12; depth += 1) {
    at = `${at}/${'d'.repeat(200)}`;
    fs.mkdirSync(at);
  }
  fs.writeFileSync(join(at, 'f'), 'deep');
  const ahead = walkAhead(root, {});
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  const contents: string[] = [];
  for (const event of ahead.events()) {
    if (event.type === 'file') contents.push(fs.readFileSync(Buffer.from(event.location, 'latin1'), 'utf8'));
  }
  expect(contents).toEqual(['deep']);
});
