/**
 * A process of its own that uses a folder backend, for `local-processes.test.ts`.
 *
 * `die FOLDER N` puts one entry and is killed before its N-th filesystem call; it says 'stored' when it lives.
 * `race FOLDER NAME COUNT` puts `log/0` to `log/COUNT-1`, each holding NAME, and says which of them it stored.
 */

import { localBackend } from '../../src/backend/local.ts';
import { nodeFileSystem } from '../../src/backend/local-file-system.ts';
import { countingFileSystem } from '../../src/testing/counting-file-system.ts';

const [mode, folder = '', ...rest] = process.argv.slice(2);
if (mode === 'die') await die(Number(rest[0]));
else if (mode === 'race') await race(rest[0] ?? '', Number(rest[1]));
else throw new TypeError(`expected "die" or "race", got ${String(mode)}`);

async function die(at: number): Promise<void> {
  const fs = countingFileSystem(nodeFileSystem, ({ count }) => {
    if (count === at) process.kill(process.pid, 'SIGKILL');
  });
  const result = await localBackend(folder, { fs }).put('packs/3f/a', [Buffer.from('first, '), Buffer.from('second')]);
  process.stdout.write(result);
}

async function race(name: string, count: number): Promise<void> {
  const backend = localBackend(folder);
  const stored: string[] = [];
  for (let n = 0; n < count; n += 1) {
    if ((await backend.put(`log/${n}`, [Buffer.from(name)])) === 'stored') stored.push(`log/${n}`);
  }
  process.stdout.write(JSON.stringify(stored));
}
