import { describe, expect, test } from 'vitest';

import { faulty, randomFaults } from '../../src/backend/faulty.ts';
import { localBackend } from '../../src/backend/local.ts';
import { nodeFileSystem, type LocalFileSystem } from '../../src/backend/local-file-system.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { metered } from '../../src/backend/metered.ts';
import { retrying } from '../../src/backend/retrying.ts';
import { backendConformance, recordingFileSystem } from '../../src/testing.ts';
import { seededRandom } from './random.ts';
import { temporaryFolders } from './temporary-folder.ts';

const runner = { describe, test, expect };
const newFolder = temporaryFolders();

const shortCalls: LocalFileSystem = {
  ...nodeFileSystem,
  writeSync: (fd, bytes, offset, length) => nodeFileSystem.writeSync(fd, bytes, offset, Math.min(length, 100_003)),
  readSync: (fd, bytes, offset, length, position) =>
    nodeFileSystem.readSync(fd, bytes, offset, Math.min(length, 65_537), position),
};

const patient = { attempts: 40, delay: () => 0, sleep: async () => {} };

backendConformance(runner, 'a folder', () => localBackend(newFolder()));
backendConformance(runner, 'a folder whose reads and writes come in pieces', () =>
  localBackend(newFolder(), { fs: shortCalls }),
);
backendConformance(runner, 'a folder of the recording filesystem', () =>
  localBackend('/srv/backups', { fs: recordingFileSystem() }),
);
backendConformance(runner, 'memory', () => memoryBackend());
backendConformance(runner, 'a metered backend', () => metered(memoryBackend()));
backendConformance(runner, 'a retried backend', () => retrying(memoryBackend(), patient));
backendConformance(runner, 'a slow backend', () => {
  const plan = randomFaults(1, [{ kind: 'slow', ms: 5 }], Math.random);
  const sleep = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return faulty(memoryBackend(), { plan, random: Math.random, sleep });
});
// Every third call fails, half of these after it has done its work: behind `retrying` nobody notices.
backendConformance(runner, 'a retried faulty backend', () => {
  const random = seededRandom(2026);
  const plan = randomFaults(1 / 3, [{ kind: 'error' }, { kind: 'lost-acknowledgement' }], random);
  return retrying(faulty(memoryBackend(), { plan, random }), patient);
});
