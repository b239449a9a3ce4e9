import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Backend } from '../../../src/backend/backend.ts';
import { localBackend } from '../../../src/backend/local.ts';
import { memoryBackend } from '../../../src/backend/memory.ts';
import { executeCheckout, type CheckoutReport, type CheckoutRequest } from '../../../src/operations/checkout.ts';
import type { OpenOptions } from '../../../src/repository.ts';
import { copyOf, temporaryFolder, testRepository, type TestRepository } from '../make-repository.ts';

const one = {
  assign: () => ({ domain: 'lab', collection: 'data/all' }),
  emptyFolders: { domain: 'lab', collection: 'data/all' },
};

const ways = [
  ['on one thread', { jobs: 1 }],
  ['on threads', { jobs: 3, threadsFrom: 0 }],
] as const;

async function checkout(
  lab: TestRepository,
  target: string,
  request: Partial<CheckoutRequest>,
  options: Partial<OpenOptions> = {},
): Promise<CheckoutReport> {
  const repository = await lab.open('host', options);
  onTestFinished(() => repository.close());
  const targetBytes = Buffer.from(target).toString('latin1');
  return executeCheckout(repository, { revision: 'lab', paths: [], target: targetBytes, owners: false, ...request });
}

/** A storage that calls `onRead` with what it gives of packs of content, which that may change. */
function watched(backend: Backend, onRead: (count: number, bytes: Uint8Array) => unknown): Backend {
  let count = 0;
  return {
    ...backend,
    async get(key, options) {
      const bytes = await backend.get(key, options);
      if (key.startsWith('packs/')) await onRead((count += 1), bytes);
      return bytes;
    },
  };
}

/** Made once; each test has a copy. */
let filled: TestRepository;
const folder = mkdtempSync(join(tmpdir(), 'mbk-threads-'));
beforeAll(async () => void (filled = await fullLab()));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function fullLab(): Promise<TestRepository> {
  const lab = await testRepository(memoryBackend(), folder);
  const { source } = lab;
  const block = randomBytes(1_500_000);
  // Zero runs, and content that comes more than once in one file and in others.
  const large = Buffer.concat([randomBytes(3_000_000), block, Buffer.alloc(1_000_000), randomBytes(7_000_000), block]);
  writeFileSync(join(source, 'large'), large);
  writeFileSync(join(source, 'larger'), Buffer.concat([block, large, randomBytes(1)]));
  for (const folder of ['a', 'b', 'c']) {
    mkdirSync(join(source, folder));
    for (let i = 0; i < 150; i += 1) writeFileSync(join(source, folder, `small-${i}`), `${folder} ${i % 100}`);
    writeFileSync(join(source, folder, 'empty'), '');
    writeFileSync(join(source, folder, 'middle'), randomBytes(700_000));
  }
  linkSync(join(source, 'large'), join(source, 'c/linked'));
  await lab.snapshot(one);
  return lab;
}

function contents(folder: string): Map<string, Buffer> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    paths
      .filter((path) => statSync(join(folder, path)).isFile())
      .map((path): [string, Buffer] => [path, readFileSync(join(folder, path))])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Nothing but whole files of the source. */
function expectWholeFiles(target: string, source: string): void {
  for (const [path, bytes] of contents(target)) {
    expect(readFileSync(join(source, path)).equals(bytes), path).toBe(true);
  }
}

describe.each(ways)('checkout %s', (_, way) => {
  test('brings back files that are spread over all threads, and small ones beside them', async () => {
    const lab = await copyOf(filled);
    const target = join(lab.folder, 'out');
    const report = await checkout(lab, target, { ...way, verify: true });
    expect(report).toMatchObject({ damaged: 0, refused: 0, links: 1, files: 458, verified: 458 });
    const restored = contents(target);
    expect([...restored.keys()]).toEqual([...contents(lab.source).keys()]);
    expectWholeFiles(target, lab.source);
  });

  test('lets threads read packs that are files', async () => {
    const lab = await copyOf(filled, localBackend(join(temporaryFolder(), 'repository')));
    const target = join(lab.folder, 'out');
    expect(await checkout(lab, target, way)).toMatchObject({ damaged: 0, refused: 0, links: 1, files: 458 });
    expectWholeFiles(target, lab.source);
  });

  test('takes a blob from where it is sound when a frame that authenticates holds another', async () => {
    const lab = await testRepository();
    const size = 8 * 1024 * 1024;
    const content = Buffer.concat([Buffer.alloc(size, 1), Buffer.alloc(size, 2)]);
    writeFileSync(join(lab.source, 'two'), content);
    await lab.snapshot(one);
    const opened = await lab.open();
    onTestFinished(() => opened.close());
    let swapped = 0;
    const repository: typeof opened = {
      ...opened,
      async blobs() {
        const reader = await opened.blobs();
        return {
          ...reader,
          plan(...given) {
            const plan = reader.plan(...given);
            const frames = plan.runs.flatMap((run) => run.frames);
            const [a, b] = frames;
            if (frames.length !== 2 || a === undefined || b === undefined) return plan;
            swapped += 1;
            const runs = plan.runs.map((run) => ({
              ...run,
              frames: run.frames.map((frame) => ({ ...frame, copies: (frame === a ? b : a).copies })),
            }));
            return { ...plan, runs };
          },
        };
      },
    };
    const target = join(lab.folder, 'out');
    const targetBytes = Buffer.from(target).toString('latin1');
    const report = await executeCheckout(repository, {
      revision: 'lab',
      paths: [],
      target: targetBytes,
      owners: false,
      ...way,
    });
    expect(report).toMatchObject({ damaged: 0, files: 1 });
    // Once as it is, and once more with every blob checked.
    expect(swapped).toBe(2);
    expect(readFileSync(join(target, 'two')).equals(content)).toBe(true);
  });

  test('reads again what a cable spoilt', async () => {
    const lab = await copyOf(filled);
    const target = join(lab.folder, 'out');
    const backend = watched(lab.backend, (count, bytes) => {
      if (count % 3 === 1) bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    });
    expect(await checkout(lab, target, way, { backend })).toMatchObject({ damaged: 0, files: 458 });
    expectWholeFiles(target, lab.source);
  });

  test('leaves whole files only when it is interrupted', async () => {
    const lab = await copyOf(filled);
    for (const at of [1, 5, 12]) {
      const target = join(lab.folder, `out-${at}`);
      const controller = new AbortController();
      const backend = watched(lab.backend, (count) => count === at && controller.abort());
      const running = checkout(lab, target, way, { backend, signal: controller.signal });
      await expect(running).rejects.toMatchObject({ code: 'interrupted' });
      expectWholeFiles(target, lab.source);
    }
  });

  test('ends at once when the storage fails, and leaves whole files only', async () => {
    const lab = await copyOf(filled);
    const target = join(lab.folder, 'out');
    const backend = watched(lab.backend, (count) => {
      if (count === 7) throw Object.assign(new Error('gone'), { code: 'EIO', syscall: 'read' });
    });
    await expect(checkout(lab, target, way, { backend })).rejects.toThrow('gone');
    expectWholeFiles(target, lab.source);
  });
});

test('a thread that dies is an error that names it, and leaves whole files only', async () => {
  const lab = await copyOf(filled);
  const threads: Worker[] = [];
  const record = (thread: Worker): void => void threads.push(thread);
  process.on('worker', record);
  onTestFinished(() => void process.off('worker', record));
  for (const at of [1, 8]) {
    threads.length = 0;
    const target = join(lab.folder, `out-${at}`);
    const backend = watched(lab.backend, async (count) => {
      if (count !== at) return;
      await nextTurn(); // by then the process has told of its threads
      await threads[1]?.terminate();
    });
    const running = checkout(lab, target, { jobs: 2, threadsFrom: 0 }, { backend });
    await expect(running).rejects.toMatchObject({ code: 'internal', details: { task: 'checkout' } });
    expectWholeFiles(target, lab.source);
  }
});
