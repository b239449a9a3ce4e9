import { expect, test } from 'vitest';
import { chunkText, encodeChunkListItems } from '../../../src/format/chunk-list.ts';
import { asBlobId } from '../../../src/format/ids.ts';
import { newOutcome } from '../../../src/operations/checkout/outcome.ts';
import { fileRestorer } from '../../../src/operations/checkout/restore-files.ts';
import { openTarget } from '../../../src/snapshot/target-folder.ts';
import { random, temporaryFolder, testRepository } from '../make-repository.ts';

test.each([1, 2])('a file that claims to be 64 GiB of zeros can be interrupted (%i jobs)', async (jobs) => {
  const size = 2 ** 36;
  const list = encodeChunkListItems(0, [chunkText({ kind: 'zero', length: size })]);
  const opened = await (await testRepository()).open();
  const controller = new AbortController();
  const repository = { ...opened, readBlob: async () => list, signal: controller.signal };
  const folder = openTarget(temporaryFolder(), { overwrite: 'never', owners: false, random });
  const lengths: number[] = [];
  const target: typeof folder = {
    ...folder,
    file: (path, facts) => {
      const file = folder.file(path, facts);
      return file && { ...file, zeros: (_, length) => (lengths.push(length), controller.abort()) };
    },
  };
  const outcome = newOutcome();
  const files = fileRestorer({
    repository,
    target,
    outcome,
    overwrite: 'never',
    owners: false,
    fsync: false,
    verify: false,
    jobs,
    onProgress: () => undefined,
  });
  const id = asBlobId('ab'.repeat(32));
  const facts = { mode: 0o600, mtime: [0, 0], owner: [0, 0], sparse: true } as const;
  const restoring = (async () => {
    try {
      await files.add('zeros', { type: 'file', name: 'zeros', ...facts, size, sha256: id, chunks: id });
      await files.flush();
    } finally {
      await files.close();
    }
  })();
  await expect(restoring).rejects.toMatchObject({ code: 'interrupted' });
  expect(lengths).toEqual([32 * 1024 * 1024]);
  expect(folder.list('')).toEqual([]);
  folder.close();
});
